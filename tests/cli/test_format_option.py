"""`--format`: the format of a result where its name says none."""

from __future__ import annotations

import itertools
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner, Result

import tagged_files
from caw_process import run_caw
from caw_toolkit import CawUsageError, check_output, write_audio
from caw_toolkit.audio.formats import FILE_FORMATS, FORMATS
from caw_toolkit.cli import main

RATE = 16_000
COMMANDS = ("denoise", "process", "inpaint", "bwe", "vary", "generate")
GAIN = ("-e", "Gain(gain_db=-6)")


def caw(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    sf.write(path, np.random.default_rng(0).normal(0, 0.05, (RATE, 2)), RATE, subtype="FLOAT")
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_makes_audio_has_it(command: str) -> None:
    assert "--format [wav|flac|ogg|mp3|aiff|caf|w64]" in caw(command, "--help").output


@pytest.mark.parametrize(
    ("command", "wanted"),
    [*itertools.product(["process"], FILE_FORMATS), *itertools.product(["denoise"], ["flac", "mp3"])],
)
def test_standard_output_has_the_format_asked_for(command: str, wanted: str, clip: Path, tmp_path: Path) -> None:
    options = ("-", *GAIN) if command == "process" else ("-o", "-", "-q")
    with open(tmp_path / "out", "wb") as output:
        made = run_caw(command, clip, *options, "--format", wanted, stdout=output)
    assert made.returncode == 0, made.stderr
    info = sf.info(BytesIO((tmp_path / "out").read_bytes()))
    assert info.format == FORMATS[f".{wanted}"] and info.channels == 2 and info.samplerate == RATE
    assert info.frames == RATE or wanted == "mp3"


def test_files_that_are_named_here_have_its_suffix(clip: Path, tiny_model_path: Path, tmp_path: Path) -> None:
    for wanted in ("flac", "ogg"):
        made = caw("denoise", clip, "--format", wanted)
        assert made.exit_code == 0, made.stderr
        assert sf.info(tmp_path / f"a.denoised.{wanted}").format == wanted.upper()
    low = [tmp_path / "low1.wav", tmp_path / "low2.wav"]
    for path in low:
        sf.write(path, tagged_files.low_noise(4, 4000).T, 4000)
    model = ("-m", tiny_model_path, "--seed", 1, "--format", "flac")
    assert caw("bwe", *low, *model).exit_code == 0
    assert caw("vary", *low, *model).exit_code == 0
    assert caw("inpaint", low[0], "--gap", 3, 3.05, *model).exit_code == 0
    folder = tmp_path / "takes"
    assert caw("generate", *model, "-o", folder, "-n", 2, "--duration", 0.5).exit_code == 0
    for name in ("low1.bwe", "low2.bwe", "low2.varied1", "low1.inpainted", "takes/tiny_take1", "takes/tiny_take2"):
        assert sf.info(tmp_path / f"{name}.flac").format == "FLAC"


@pytest.mark.parametrize("name", ["take", "take.dat", "take.FLAC"])
def test_a_name_that_says_nothing_gets_it(name: str, clip: Path, tmp_path: Path) -> None:
    made = caw("process", clip, tmp_path / name, *GAIN, "--format", "flac")
    assert made.exit_code == 0, made.stderr
    assert sf.info(tmp_path / name).format == "FLAC" and sf.info(tmp_path / name).subtype == "PCM_24"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "b.wav", "--format", "flac"), "b.wav is to be FLAC and ends in .wav: name it b.flac, or ask for WAV"),
        (("-o", "b", "--residual", "r.ogg", "--format", "flac"), "r.ogg is to be FLAC and ends in .ogg: name it r.fl"),
        (("-o", "b"), "use one of .wav, .flac, .ogg, .mp3, .aiff, .aif, .caf, .w64, or name the format with --format"),
        (("-o", "b", "--format", "flac", "--bit-depth", "float"), "FLAC files hold no floating-point samples: write"),
        (("-o", "b", "--format", "flac", "--bit-depth", "32"), "FLAC files hold 8, 16, 24 bits, not 32: write WAV"),
        (("--format", "opus"), "'opus' is not one of 'wav', 'flac', 'ogg', 'mp3', 'aiff', 'caf', 'w64'"),
    ],
)  # fmt: skip
def test_what_contradicts_is_refused_before_the_work(
    arguments: tuple[str, ...], message: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = caw("denoise", clip, *arguments)
    assert made.exit_code == 2 and message in made.stderr, made.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_a_rate_that_mp3_has_not_is_refused(tiny_model_path: Path, tmp_path: Path) -> None:
    made = caw("generate", "-m", tiny_model_path, "--seed", 1, "-o", tmp_path / "takes", "--format", "mp3")
    assert made.exit_code == 2 and "MP3 does not know a sample rate of 4000 Hz: write WAV" in made.stderr


def test_the_functions_take_it_too(tmp_path: Path) -> None:
    write_audio(tmp_path / "a", np.zeros((1, 100)), RATE, file_format="caf")
    assert sf.info(tmp_path / "a").format == "CAF"
    with pytest.raises(CawUsageError, match="unknown format 'opus'"):
        check_output(tmp_path / "b", file_format="opus")  # type: ignore[arg-type]
