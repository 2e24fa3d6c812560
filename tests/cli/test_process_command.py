"""`caw process`: chains on files, in memory that does not grow with their length."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pedalboard
import pytest
import soundfile as sf
from click.testing import CliRunner, Result

from caw_process import contents, run_caw, run_python
from caw_toolkit import read_audio
from caw_toolkit.cli import main
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.plugins import get_host
from caw_toolkit.processors import BandwidthExtension, Pedalboard
from caw_toolkit.processors.native import native_effects

RATE = 4000


@pytest.fixture(scope="module")
def clip(speech_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second and a half of speech in stereo, at the tiny model's rate."""
    speech = read_audio(speech_path, start_seconds=1, duration_seconds=1.5)
    mono = resample(speech.samples, speech.sample_rate, RATE)[0]
    path = tmp_path_factory.mktemp("clip") / "clip.wav"
    sf.write(path, np.stack([mono, 0.5 * mono], axis=1), RATE, subtype="FLOAT")
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["process", *map(str, arguments)])


def test_a_chain_of_both_kinds(clip: Path, tiny_model_path: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.wav"
    extension = f"bwe(model='{tiny_model_path}', source_sample_rate=1000, device='cpu')"
    effects = ("-e", "compressor(threshold_db=-20, ratio=2)", "--effect", extension)  # in any case
    result = run(clip, target, *effects, "--bit-depth", "float", "--seed", "0")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == f"wrote {target}\n"
    board = Pedalboard(
        [
            pedalboard.Compressor(threshold_db=-20, ratio=2),
            BandwidthExtension(model=tiny_model_path, source_sample_rate=1000, device="cpu"),
        ]
    )
    source = read_audio(clip)
    np.testing.assert_allclose(read_audio(target).samples, board(source.samples, RATE), atol=1e-5)
    again = run(clip, target, "-e", "Gain")
    assert again.exit_code == 2 and "--force" in again.stderr
    assert run(clip, target, "-e", "Gain", "--force", "--quiet").stderr == ""


def test_a_chain_file_with_what_cannot_stream(clip: Path, tmp_path: Path) -> None:
    chain = tmp_path / "chain.toml"
    chain.write_text('[[chain]]\neffect = "denoise"\nstrength = 0.5\n\n[[chain]]\neffect = "Gain"\ngain_db = 30\n')
    result = run(clip, tmp_path / "out.flac", "--chain", chain)
    assert result.exit_code == 0, result.stderr
    assert "turned down by" in result.stderr
    assert sf.info(tmp_path / "out.flac").frames == sf.info(clip).frames


def test_the_length_is_kept_by_effects_with_latency(clip: Path, tmp_path: Path) -> None:
    effects = [
        "PitchShift(semitones=2)",
        "BrickwallLimiter",
        "GSMFullRateCompressor",
        "Resample(target_sample_rate=3000)",
    ]
    result = run(clip, tmp_path / "out.wav", *[word for effect in effects for word in ("-e", effect)])
    assert result.exit_code == 0, result.stderr
    assert sf.info(tmp_path / "out.wav").frames == sf.info(clip).frames


def test_audio_that_a_native_effect_cannot_work_with_is_a_clear_error(clip: Path, tmp_path: Path) -> None:
    result = run(clip, tmp_path / "out.wav", "-e", "MP3Compressor")
    assert result.exit_code == 1
    assert "the chain cannot process" in result.stderr and "48kHz" in result.stderr


def test_a_seed_is_drawn_shown_and_kept_where_an_effect_needs_one(
    clip: Path, tiny_model_path: Path, tmp_path: Path
) -> None:
    effect = f"vary(model='{tiny_model_path}', device='cpu')"
    drawn = run(clip, tmp_path / "a.wav", "-e", effect, "--log", tmp_path / "log")
    seed = json.loads((tmp_path / "log").read_text())["options"]["seed"]
    assert drawn.stderr.splitlines()[0] == f"seed {seed}"
    given = run(clip, tmp_path / "b.wav", "-e", effect.replace("device", f"seed={seed}, device"))
    assert given.stderr == f"wrote {tmp_path / 'b.wav'}\n"
    again = run(clip, tmp_path / "c.wav", "-e", effect, "--seed", seed)
    assert again.stderr == f"wrote {tmp_path / 'c.wav'}\n"
    one, two, three = (read_audio(tmp_path / name).samples for name in ("a.wav", "b.wav", "c.wav"))
    assert np.array_equal(one, two) and np.array_equal(one, three)


def test_standard_input_and_output(clip: Path, tmp_path: Path) -> None:
    with open(clip, "rb") as source, open(tmp_path / "out.wav", "wb") as target:
        done = run_caw("process", "-", "-", "-e", "Gain(gain_db=-6)", stdin=source, stdout=target)
    assert done.returncode == 0, done.stderr
    expected = read_audio(clip).samples * 10 ** (-6 / 20)
    np.testing.assert_allclose(read_audio(tmp_path / "out.wav").samples, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "give the chain either"),
        (["-e", "Gain", "--chain", "chain.toml"], 2, "give the chain either"),
        (["-e", "Gain("], 2, "cannot read the effect"),
        (["-e", "Gian"], 2, "did you mean 'Gain'"),
        (["-e", "vary(model='missing.pt')"], 2, "missing.pt"),
        (["-e", "vary(model='clip.wav')"], 1, "clip.wav"),
        (["-e", "vary(model='tiny.pt', scale=77)"], 2, "no scale of 77 Hz"),
    ],
)
def test_errors_are_one_line_and_nothing_is_left(
    arguments: list[str],
    code: int,
    message: str,
    clip: Path,
    tiny_model_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.wav").write_bytes(clip.read_bytes())
    (tmp_path / "tiny.pt").write_bytes(tiny_model_path.read_bytes())
    (tmp_path / "chain.toml").write_text("[[chain]]\neffect = 'Gain'\n")
    before = contents(tmp_path)
    result = run("clip.wav", "out.wav", *arguments, "--quiet")
    assert result.exit_code == code, result.stderr
    assert message in result.stderr and len(result.stderr.splitlines()) == 1
    assert contents(tmp_path) == before


@pytest.mark.parametrize("gain", ["1e400", "1e5"])
def test_an_effect_that_makes_infinity_is_named(gain: str, clip: Path, tmp_path: Path) -> None:
    result = run(clip, tmp_path / "out.wav", "-e", "Compressor", "-e", f"Gain(gain_db={gain})", "-e", "Reverb")
    assert result.exit_code == 1
    assert f"cannot process {clip}: Gain made samples of it that are NaN or infinite" in result.stderr
    assert not list(tmp_path.iterdir())


def test_what_a_file_itself_is_does_not_blame_the_chain(tmp_path: Path) -> None:
    sf.write(tmp_path / "nan.wav", np.array([0.5, np.nan]), 16_000, subtype="FLOAT")
    arguments = ["process", str(tmp_path / "nan.wav"), str(tmp_path / "out.wav"), "-e", "Gain"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"caw: error: {tmp_path / 'nan.wav'} has NaN") and "chain" not in result.stderr


def test_a_model_at_another_rate_is_a_clear_error(speech_path: Path, tiny_model_path: Path, tmp_path: Path) -> None:
    result = run(speech_path, tmp_path / "out.wav", "-e", f"vary(model='{tiny_model_path}')")
    assert result.exit_code == 1
    assert "resampled_to(4000)" in result.stderr
    assert not list(tmp_path.iterdir())


def test_the_list_shows_everything() -> None:
    result = run("--list")
    assert result.exit_code == 0
    for name in native_effects():
        assert f"\n  {name}(" in result.stdout
    host = get_host()
    for name in host.items("processor"):
        assert f"\n  {name}: " in result.stdout
        for parameter in host.processor(name).parameters:  # type: ignore[attr-defined]
            assert f"\n      {parameter}" in result.stdout
    assert "Compressor(threshold_db=0, ratio=1, attack_ms=1.0, release_ms=100)" in result.stdout


def test_help_and_list_import_no_torch() -> None:
    for option in ("--help", "--list"):
        code = (
            "import sys; from caw_toolkit.cli import main\n"
            f"try: main(['process', '{option}'])\nexcept SystemExit: assert 'torch' not in sys.modules"
        )
        done = run_python("-c", code)
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Twenty minutes of stereo are 230 MB as float32, and pass through a process of less."""
    with sf.SoundFile(tmp_path / "long.flac", "w", 24_000, 2) as target:
        second = np.random.default_rng(0).integers(-9999, 9999, (24_000, 2)).astype(np.int16)
        for _ in range(20 * 60):
            target.write(second)
    code = (
        "import sys; from caw_toolkit.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: print(end.code)\n"
        "print(*[line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')])"
    )
    arguments = ["process", str(tmp_path / "long.flac"), str(tmp_path / "out.wav"), "-e", "Gain", "-e", "Limiter"]
    done = run_python("-c", code, *arguments)
    exit_code, peak_kib = done.stdout.split()
    assert exit_code == "0", done.stderr
    assert int(peak_kib) < 200_000
    assert sf.info(tmp_path / "out.wav").frames == 20 * 60 * 24_000
