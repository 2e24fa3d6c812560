"""`caw generate`: names, folders, lengths, scales, formats, and the same bytes for the same seed."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from caw_toolkit.audio.reading import read_audio
from caw_toolkit.cli import main
from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.seeds import derived_seed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model_path: Path) -> Path:
    """A folder to work in, with a model `bird.pt` in it."""
    shutil.copy(tiny_model_path, tmp_path / "bird.pt")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def generate(*arguments: str, duration: str | None = "1", seed: str | None = "1") -> Result:
    given = ["generate", "--model", "bird.pt", "--device", "cpu", *arguments]
    given += ["--duration", duration] if duration else []
    given += ["--seed", seed] if seed else []
    return CliRunner().invoke(main, given)


def made(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pt"
    )


class TestNames:
    def test_takes_go_on_from_those_that_exist(self, folder: Path) -> None:
        for more in ([], ["-n", "2"], ["-f"]):
            assert generate(*more).exit_code == 0, more
        assert made(folder) == [f"bird_take{take}.wav" for take in (1, 2, 3)]

    def test_a_take_beside_the_model_by_default(self, folder: Path) -> None:
        result = generate()
        assert result.exit_code == 0, result.stderr
        assert made(folder) == ["bird_take1.wav"]
        assert result.stdout == "" and result.stderr.startswith("wrote bird_take1.wav (1 s, 4000 Hz")

    @pytest.mark.parametrize(
        ("arguments", "names"),
        [
            (["-o", "new.wav"], ["new.wav"]),
            (["-o", "new.flac"], ["new.flac"]),
            (["-o", "new.wav", "-n", "2"], ["new_take1.wav", "new_take2.wav"]),
            (["-o", "takes/", "-n", "2"], ["takes/bird_take1.wav", "takes/bird_take2.wav"]),
            (["-o", "takes"], ["takes/bird_take1.wav"]),
            (["-o", "deep/er/new.wav"], ["deep/er/new.wav"]),
            (["-n", "3"], ["bird_take1.wav", "bird_take2.wav", "bird_take3.wav"]),
            (["--all-scales", "-o", "new.wav"], ["new.wav", "new_2000hz.wav", "new_500hz.wav"]),
        ],
    )
    def test_names(self, folder: Path, arguments: list[str], names: list[str]) -> None:
        result = generate(*arguments)
        assert result.exit_code == 0, result.stderr
        assert made(folder) == names

    def test_an_existing_folder(self, folder: Path) -> None:
        (folder / "takes.d").mkdir()
        assert generate("-o", "takes.d").exit_code == 0
        assert made(folder) == ["takes.d/bird_take1.wav"]

    def test_files_are_replaced_only_when_asked(self, folder: Path) -> None:
        (folder / "new_take2.wav").write_text("precious")
        refused = generate("-o", "new.wav", "-n", "2")
        assert refused.exit_code == 2 and "new_take2.wav exists; add --force" in refused.stderr
        assert made(folder) == ["new_take2.wav"], "nothing was made before it was found out"
        assert generate("-o", "new.wav", "-n", "2", "--force").exit_code == 0
        assert read_audio(folder / "new_take2.wav").seconds == 1


class TestSound:
    def test_rate_channels_and_length(self, folder: Path) -> None:
        generate("-o", "new.wav", duration="2.5")
        clip = read_audio(folder / "new.wav")
        assert (clip.sample_rate, clip.channels, clip.samples.shape[1]) == (4000, 1, 10000)

    def test_it_is_what_the_model_generates(self, folder: Path, tiny_model: PyramidModel) -> None:
        generate("-o", "new.wav", "--bit-depth", "float", duration="2", seed="6")
        expected = tiny_model.generate(2, seed=derived_seed(6, "take", 0))
        np.testing.assert_array_equal(read_audio(folder / "new.wav").samples, expected)

    def test_the_same_seed_gives_the_same_bytes(self, folder: Path) -> None:
        for name in ("one", "two"):
            assert generate("-o", name, "-n", "2", duration="13").exit_code == 0
        assert generate("-o", "three", seed="2").exit_code == 0
        first, second = ((folder / "one" / f"bird_take{take}.wav").read_bytes() for take in (1, 2))
        assert first != second
        assert first == (folder / "two" / "bird_take1.wav").read_bytes()
        assert second == (folder / "two" / "bird_take2.wav").read_bytes()
        assert (folder / "three" / "bird_take1.wav").read_bytes() != first

    def test_a_take_does_not_depend_on_how_many_there_are(self, folder: Path) -> None:
        generate("-o", "one.wav")
        generate("-o", "many.wav", "-n", "2")
        assert (folder / "one.wav").read_bytes() == (folder / "many_take1.wav").read_bytes()

    def test_a_drawn_seed_is_shown_and_repeats(self, folder: Path) -> None:
        shown = generate("-o", "one.wav", seed=None).stderr.splitlines()[0]
        assert shown.startswith("seed ")
        generate("-o", "two.wav", seed=shown.removeprefix("seed "))
        assert (folder / "one.wav").read_bytes() == (folder / "two.wav").read_bytes()

    def test_as_long_as_another_file(self, folder: Path) -> None:
        soundfile.write("other.wav", 0.1 * np.ones(11025 * 3 + 77), 11025)
        assert generate("-o", "new.wav", "--like-length", "other.wav", duration=None).exit_code == 0
        assert read_audio(folder / "new.wav").samples.shape[1] == round((3 + 77 / 11025) * 4000)
        both = generate("-o", "more.wav", "--like-length", "other.wav")
        assert both.exit_code == 2 and "exclude each other" in both.stderr

    def test_all_scales_are_one_take(self, folder: Path) -> None:
        result = generate("-o", "new.wav", "--all-scales", duration="3")
        assert result.exit_code == 0, result.stderr
        for rate in (500, 2000):
            info = soundfile.info(f"new_{rate}hz.wav")
            assert (info.samplerate, info.frames) == (rate, 3 * rate)
        assert soundfile.info("new.wav").samplerate == 4000

    def test_quiet(self, folder: Path) -> None:
        result = generate("-o", "new.wav", "--quiet", seed=None)
        assert result.exit_code == 0 and result.output == ""


class TestFormats:
    @pytest.mark.parametrize(
        ("name", "depth", "subtype"),
        [
            ("a.wav", "16", "PCM_16"),
            ("a.wav", "24", "PCM_24"),
            ("a.wav", "float", "FLOAT"),
            ("a.flac", "16", "PCM_16"),
            ("a.flac", "24", "PCM_24"),
        ],
    )
    def test_bit_depths(self, folder: Path, name: str, depth: str, subtype: str) -> None:
        assert generate("-o", name, "--bit-depth", depth).exit_code == 0
        assert soundfile.info(name).subtype == subtype

    def test_24_bits_by_default(self, folder: Path) -> None:
        generate("-o", "a.wav")
        assert soundfile.info("a.wav").subtype == "PCM_24"

    def test_flac_holds_no_float(self, folder: Path) -> None:
        result = generate("-o", "a.flac", "--bit-depth", "float")
        assert result.exit_code == 2 and "no floating-point samples" in result.stderr
        assert made(folder) == []

    def test_standard_output(self, folder: Path) -> None:
        result = generate("-o", "-", duration="2")
        samples, rate = soundfile.read(io.BytesIO(result.stdout_bytes))
        assert rate == 4000 and samples.shape == (8000,)
        assert result.stderr == "" and made(folder) == []
        generate("-o", "same.wav", duration="2")
        assert (folder / "same.wav").read_bytes() == result.stdout_bytes

    @pytest.mark.parametrize("extra", [["--all-scales"], ["-n", "2"]])
    def test_standard_output_takes_one_file(self, folder: Path, extra: list[str]) -> None:
        assert generate("-o", "-", *extra).exit_code == 2


def test_ends_that_no_model_knows_are_not_kept_in_silence(folder: Path) -> None:
    assert "--keep-edges changes little" in generate("--keep-edges").stderr
    assert "--keep-edges" not in generate("--keep-edges", "-q", "-o", "quiet.wav").stderr
