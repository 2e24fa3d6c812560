"""Depth, level, metadata and the record of the run, the same for every command that makes audio."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner, Result

import tagged_files
from caw_toolkit.cli import main
from tagged_files import chunks_of, tags_of

RATE = tagged_files.RATE


def caw(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def hiss(samples: int, level: float = 0.05, seed: int = 0) -> np.ndarray:
    time = np.arange(samples) / RATE
    noise = np.random.default_rng(seed).normal(0, level, samples)
    return (0.3 * np.sin(2 * np.pi * 440 * time) * (np.sin(2 * np.pi * time) > 0) + noise)[None].astype(np.float64)


def narrow(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise below 900 Hz at 4000 Hz: what the tiny model can extend."""
    samples = round(4000 * seconds)
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(0, 0.1, samples))
    spectrum[round(900 * seconds) :] = 0
    return np.fft.irfft(spectrum, samples)


@pytest.fixture
def noisy() -> np.ndarray:
    return hiss(2 * RATE)


@pytest.mark.parametrize(
    ("subtype", "suffix"),
    [
        ("PCM_U8", ".wav"), ("PCM_16", ".wav"), ("PCM_24", ".wav"), ("PCM_32", ".wav"), ("FLOAT", ".wav"),
        ("DOUBLE", ".wav"), ("PCM_S8", ".flac"), ("PCM_16", ".flac"), ("PCM_24", ".flac"), ("PCM_16", ".aiff"),
        ("PCM_S8", ".aiff"), ("FLOAT", ".caf"), ("PCM_16", ".w64"),
    ],
)  # fmt: skip
def test_depth_and_container_are_those_of_the_source(
    subtype: str, suffix: str, noisy: np.ndarray, tmp_path: Path
) -> None:
    source = tmp_path / f"a{suffix}"
    sf.write(source, noisy.T, RATE, subtype=subtype)
    for command, target in [
        (("denoise", source), tmp_path / f"a.denoised{suffix}"),
        (("process", source, tmp_path / f"b{suffix}", "-e", "Gain(gain_db=-3)"), tmp_path / f"b{suffix}"),
    ]:
        assert caw(*command).exit_code == 0
        assert sf.info(target).subtype == subtype


@pytest.mark.parametrize(
    ("subtype", "step"), [("PCM_16", 2.0**-15), ("PCM_24", 2.0**-23), ("PCM_32", 2.0**-31), ("DOUBLE", 0.0)]
)
def test_result_and_residual_add_up(subtype: str, step: float, noisy: np.ndarray, tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", noisy.T, RATE, subtype=subtype)
    assert caw("denoise", tmp_path / "a.wav", "--residual", tmp_path / "r.wav").exit_code == 0
    source, result, residual = (sf.read(tmp_path / name)[0] for name in ("a.wav", "a.denoised.wav", "r.wav"))
    assert np.abs(residual).max() > 0.01
    np.testing.assert_allclose(result + residual, source, rtol=0, atol=1e-15)
    if step:
        assert not (residual % step).any()


@pytest.mark.parametrize("subtype", ["PCM_32", "DOUBLE"])
def test_strength_zero_changes_no_bit(subtype: str, noisy: np.ndarray, tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", noisy.T, RATE, subtype=subtype)
    assert caw("denoise", tmp_path / "a.wav", "--strength", "0").exit_code == 0
    read = [sf.read(tmp_path / name, dtype="float64")[0] for name in ("a.wav", "a.denoised.wav")]
    np.testing.assert_array_equal(*read)
    assert (read[0] != read[0].astype(np.float32)).any()


@pytest.mark.parametrize("subtype", ["PCM_32", "DOUBLE", "PCM_16"])
def test_inpainting_changes_no_bit_outside_the_hole(subtype: str, tiny_model_path: Path, tmp_path: Path) -> None:
    source = np.random.default_rng(0).uniform(-0.3, 0.3, 20_000)
    sf.write(tmp_path / "a.wav", source, 4000, subtype=subtype)
    made = caw("inpaint", tmp_path / "a.wav", "--gap", 1, 1.2, "-m", tiny_model_path, "--seed", 1)
    assert made.exit_code == 0, made.stderr
    before, after = (sf.read(tmp_path / name, dtype="float64")[0] for name in ("a.wav", "a.inpainted.wav"))
    changed = np.flatnonzero(before != after)
    assert len(changed) and changed.min() >= 4000 and changed.max() < 4800


def test_a_level_above_full_scale_is_kept_in_floating_point(noisy: np.ndarray, tmp_path: Path) -> None:
    noisy[0, 100] = 2.0
    sf.write(tmp_path / "hot.wav", noisy.T, RATE, subtype="FLOAT")
    made = caw("denoise", tmp_path / "hot.wav", "--strength", "0")
    assert made.exit_code == 0 and "clipped" not in made.stderr
    np.testing.assert_array_equal(sf.read(tmp_path / "hot.wav")[0], sf.read(tmp_path / "hot.denoised.wav")[0])


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_what_is_clipped_is_said(quiet: tuple[str, ...], noisy: np.ndarray, tmp_path: Path) -> None:
    noisy[0, 100:110] = 2.0
    sf.write(tmp_path / "hot.wav", noisy.T, RATE, subtype="FLOAT")
    arguments = ("denoise", tmp_path / "hot.wav", "--strength", "0", "--bit-depth", "16", *quiet)
    made = subprocess.run([sys.executable, "-m", "caw_toolkit", *map(str, arguments)], capture_output=True, text=True)
    assert made.returncode == 0 and "10 samples clipped" in made.stderr
    scaled = caw(*arguments, "-f", "--clipping", "scale")
    assert scaled.exit_code == 0
    assert np.abs(sf.read(tmp_path / "hot.denoised.wav")[0]).max() == pytest.approx(1, abs=1e-4)
    assert caw(*arguments, "-f", "--clipping", "error").exit_code == 1


def test_metadata_goes_through_every_command(tiny_model_path: Path, tmp_path: Path) -> None:
    source = tmp_path / "a.wav"
    tagged_files.write_wav(source, hiss(2 * RATE).astype(np.float32))
    small = tmp_path / "small.wav"
    sf.write(small, narrow(2), 4000)
    small.write_bytes(_with_chunks_of(source, small))
    commands = [
        (("denoise", source), "a.denoised.wav", 1),
        (("process", source, tmp_path / "p.wav", "-e", "Gain(gain_db=-3)"), "p.wav", 1),
        (("bwe", small, "-m", tiny_model_path, "--seed", 1), "small.bwe.wav", 1),
        (("vary", small, "-m", tiny_model_path, "--seed", 1), "small.varied1.wav", 1),
    ]
    for command, name, ratio in commands:
        made = caw(*command)
        assert made.exit_code == 0, made.stderr
        chunks = chunks_of(tmp_path / name)
        assert chunks[b"cue "] == tagged_files.cue(1000 * ratio, 2000 * ratio)
        assert chunks[b"iXML"] == chunks_of(source)[b"iXML"]
        assert f" {command[0]}\r\n".encode() in chunks[b"bext"]
        assert tags_of(tmp_path / name)["title"] == ["Naïve tune"]
    plain = caw("denoise", source, "-f", "--no-metadata")
    assert plain.exit_code == 0 and b"bext" not in chunks_of(tmp_path / "a.denoised.wav")


def _with_chunks_of(source: Path, target: Path) -> bytes:
    data, held = target.read_bytes(), chunks_of(source)
    place = data.index(b"data")
    names = [name for name in held if name not in (b"fmt ", b"data")]
    extra = b"".join(tagged_files.chunk(name[:4], held[name]) for name in names)
    data = data[:place] + extra + data[place:]
    return data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:]


def test_what_a_format_cannot_hold_is_named(tmp_path: Path) -> None:
    tagged_files.write_wav(tmp_path / "a.wav", hiss(RATE).astype(np.float32))
    arguments = ["denoise", tmp_path / "a.wav", "-o", tmp_path / "a.flac"]
    made = subprocess.run([sys.executable, "-m", "caw_toolkit", *map(str, arguments)], capture_output=True, text=True)
    assert made.returncode == 0
    assert "a.flac cannot hold what its source says beside the audio: bext, iXML, cue, smpl, LIST adtl" in made.stderr
    assert tags_of(tmp_path / "a.flac")["artist"] == ["Somebody"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("denoise", "a.wav", "-o", "s.wav", "--residual", "./s.wav"),
        ("denoise", "a.wav", "-o", "s.wav", "--residual", "a.wav"),
        ("denoise", "a.wav", "-o", "link.wav"),
        ("denoise", "a.wav", "-o", "hard.wav"),
        ("denoise", "a.wav", "-o", "-", "--residual", "-"),
        ("denoise", "a.wav", "--log", "a.wav"),
        ("process", "a.wav", "a.wav", "-e", "Gain()"),
        ("process", "a.wav", "missing/../a.wav", "-e", "Gain()"),
        ("train", "a.wav", "-o", "a.wav"),
        ("train", "a.wav", "-o", "pipe.wav"),
        ("train", "a.wav", "-o", "pipe.wav", "--resume"),
        ("train", "a.wav", "-o", "model.wav"),
        ("train", "a.wav", "-o", "model.pt", "--preview", "pipe.wav"),
        ("inpaint", "a.wav", "--find", "--dry-run", "--write-labels", "pipe.wav"),
        ("report", "pipe.wav", "a.wav"),
        ("process", "a.wav", "b.wav", "-e", "Gain()", "--log", "hard.wav"),
        ("process", "a.wav", "b.wav", "-e", "Gain()", "--log", "notes.txt"),
        ("denoise", "a.wav", "-o", "pipe.wav"),
        ("denoise", "a.wav", "-o", "device.wav"),
        ("denoise", "a.wav", "-o", "x" * 245 + ".denoised.wav"),
        ("denoise", "a.wav", "-o", "loop.wav"),
    ],
)
def test_no_input_no_device_and_no_pipe_is_overwritten(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sf.write("a.wav", hiss(RATE).T, RATE)
    os.symlink("a.wav", "link.wav")
    os.link("a.wav", "hard.wav")
    os.symlink("/dev/null", "device.wav")
    os.symlink("loop.wav", "loop.wav")
    os.mkfifo("pipe.wav")
    Path("notes.txt").write_text("not to be lost")
    before = Path("a.wav").read_bytes()
    names = sorted(os.listdir())
    made = caw(*arguments, "--force")
    assert made.exit_code == 2, made.stderr
    assert Path("a.wav").read_bytes() == before and sorted(os.listdir()) == names
    assert Path("notes.txt").read_text() == "not to be lost"


def test_a_file_keeps_its_mode(noisy: np.ndarray, tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", noisy.T, RATE)
    target = tmp_path / "private.wav"
    target.touch(0o600)
    assert caw("denoise", tmp_path / "a.wav", "-o", target, "-f").exit_code == 0
    assert target.stat().st_mode & 0o777 == 0o600 and target.stat().st_size > 1000


def test_files_after_a_broken_one_are_done(tiny_model_path: Path, tmp_path: Path) -> None:
    for name in ("a.wav", "c.wav"):
        sf.write(tmp_path / name, narrow(1), 4000)
    (tmp_path / "broken.wav").write_bytes(b"RIFF\0\0\0\0WAVEjunk")
    files = [tmp_path / name for name in ("a.wav", "broken.wav", "c.wav")]
    made = caw("bwe", *files, "-m", tiny_model_path, "--seed", 1)
    assert made.exit_code == 1
    assert (tmp_path / "c.bwe.wav").exists() and (tmp_path / "a.bwe.wav").exists()
    assert isinstance(made.exception, SystemExit) and "1 of 3 files failed" in made.stderr


def test_a_stereo_recording_is_extended_channel_by_channel(tiny_model_path: Path, tmp_path: Path) -> None:
    left, right = narrow(2, seed=1), narrow(2, seed=2)
    sf.write(tmp_path / "stereo.wav", np.stack([left, right], 1), 4000)
    sf.write(tmp_path / "right.wav", right, 4000)
    for name in ("stereo.wav", "right.wav"):
        assert caw("bwe", tmp_path / name, "-m", tiny_model_path, "--seed", 1).exit_code == 0
    stereo, alone = (sf.read(tmp_path / name)[0] for name in ("stereo.bwe.wav", "right.bwe.wav"))
    assert stereo.shape == (8000, 2)
    np.testing.assert_allclose(stereo[:, 1], alone, atol=0.05)


@pytest.mark.parametrize("samples", [1, 2, 17, 100])
def test_a_few_samples_are_enough_or_too_short(samples: int, tiny_model_path: Path, tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.full(samples, 0.3), 4000)
    for command in ("vary", "bwe", "denoise"):
        model = ["-m", tiny_model_path] if command != "denoise" else []
        seed = ["--seed", 1] if command != "denoise" else []
        made = caw(command, tmp_path / "a.wav", *model, *seed, "-f")
        assert made.exit_code in (0, 1, 2), made.stderr
        assert "unexpected error" not in made.stderr and "Kernel size" not in made.stderr


@pytest.mark.parametrize(("seconds", "code"), [("0.00001", 2), ("1e9", 1), ("1e30", 2)])
def test_lengths_that_make_no_file_are_refused_before_the_work(
    seconds: str, code: int, tiny_model_path: Path, tmp_path: Path
) -> None:
    made = caw("generate", "-m", tiny_model_path, "-o", tmp_path / "x.wav", "--duration", seconds, "--seed", 1)
    assert made.exit_code == code and not (tmp_path / "x.wav").exists(), made.stderr


@pytest.fixture
def logged(tiny_model_path: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A log of a filled gap, and the result."""
    sf.write(tmp_path / "a.wav", np.random.default_rng(0).uniform(-0.3, 0.3, 20_000), 4000, subtype="PCM_24")
    log = tmp_path / "log.jsonl"
    command = ["inpaint", tmp_path / "a.wav", "--gap", 1, 1.2, "-m", tiny_model_path, "--seed", 7, "--log", log]
    made = caw(*command)
    assert made.exit_code == 0, made.stderr
    return log, tmp_path / "a.inpainted.wav"


def test_the_log_says_what_was_done(logged: tuple[Path, Path]) -> None:
    log, result = logged
    (line,) = log.read_text().splitlines()
    record = json.loads(line)
    assert record["command"] == "inpaint" and record["options"]["seed"] == 7
    assert record["inputs"][0]["path"] == "a.wav" and len(record["inputs"][0]["sha256"]) == 64
    assert record["output"]["path"] == result.name and record["output"]["bit_depth"] == "24"
    assert record["generated"] == [[4000, 4800]] and len(record["model"]["sha256"]) == 64
    assert caw("verify", log).exit_code == 0


@pytest.mark.parametrize(("sample", "inside"), [(0, False), (3999, False), (4400, True), (19_999, False)])
def test_verify_finds_a_single_changed_sample(logged: tuple[Path, Path], sample: int, inside: bool) -> None:
    log, result = logged
    audio, rate = sf.read(result, dtype="int32")
    audio[sample] += 256
    sf.write(result, audio, rate, subtype="PCM_24")
    record = json.loads(log.read_text())
    found = caw("verify", log)
    assert found.exit_code == 1 and "a.inpainted.wav is not what it was" in found.output
    # Even where somebody has written the new hash into the log.
    from caw_toolkit.cli.run_log import sha256_of

    record["output"]["sha256"] = sha256_of(result)
    log.write_text(json.dumps(record) + "\n")
    found = caw("verify", log)
    assert found.exit_code == (0 if inside else 1)
    assert inside or f"differs from its input in 1 samples that were not generated, the first {sample}" in found.output


def test_a_log_that_ends_within_a_record_loses_no_other(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    log = tmp_path / "log"
    for number in range(2):
        made = caw("process", tmp_path / "a.wav", tmp_path / f"b{number}.wav", "-e", "Gain", "--log", log)
        assert made.exit_code == 0, made.stderr
        log.write_text(log.read_text().rstrip("\n"))
    assert [json.loads(line)["output"]["path"] for line in log.read_text().splitlines()] == ["b0.wav", "b1.wav"]


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_log_proves_nothing(content: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(content)
    found = caw("verify", tmp_path / "log")
    assert found.exit_code == 1 and "log holds no records" in found.stderr


@pytest.mark.parametrize("content", ["[]", "{}", "x", '{"output": 1, "inputs": []}', "[" * 100_000])
def test_what_is_no_log_is_said(content: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(content)
    found = caw("verify", tmp_path / "log")
    assert found.exit_code == 1 and "line 1: not a record of caw --log" in found.stderr


def test_every_command_that_makes_audio_keeps_a_log(tiny_model_path: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    sf.write(tmp_path / "a.wav", hiss(4000).T, 4000)
    sf.write(tmp_path / "low.wav", narrow(1), 4000)
    model = ("-m", tiny_model_path, "--seed", 1)
    for command in [
        ("denoise", tmp_path / "a.wav", "--residual", tmp_path / "r.wav"),
        ("process", tmp_path / "a.wav", tmp_path / "p.wav", "-e", "Gain()"),
        ("vary", tmp_path / "a.wav", *model),
        ("bwe", tmp_path / "low.wav", *model),
        ("generate", "-o", tmp_path / "g.wav", "--duration", 1, *model),
    ]:
        made = caw(*command, "--log", log)
        assert made.exit_code == 0, made.stderr
    assert [json.loads(line)["command"] for line in log.read_text().splitlines()] == [
        "denoise", "denoise", "process", "vary", "bwe", "generate",
    ]  # fmt: skip
    assert caw("verify", log).output.strip() == "6 of 6 records hold"
    (tmp_path / "p.wav").unlink()
    assert "p.wav is missing" in caw("verify", log).output


def test_a_suffix_that_costs_quality_is_said(noisy: np.ndarray, tmp_path: Path) -> None:
    sf.write(tmp_path / "a.mp3", noisy[0], 16_000, format="WAV")
    sf.write(tmp_path / "b.wav", noisy[0], 16_000)
    note = "is lossy as its name says, and its source is a WAV whatever its name says"
    for source, target, is_said in (("a.mp3", "out.mp3", True), ("b.wav", "other.mp3", False)):
        arguments = ["process", str(tmp_path / source), str(tmp_path / target), "-e", "Gain"]
        assert (note in CliRunner().invoke(main, arguments).stderr) == is_said


@pytest.mark.parametrize(
    ("subtype", "name", "options", "is_said"),
    [
        ("DOUBLE", "b.flac", [], True),
        ("PCM_32", "b.flac", [], True),
        ("PCM_32", "b.flac", ["--bit-depth", "24"], False),
        ("PCM_24", "b.flac", [], False),
        ("DOUBLE", "b.wav", [], False),
    ],
)
def test_bits_that_a_format_does_not_have_are_said(
    tmp_path: Path, subtype: str, name: str, options: list[str], is_said: bool
) -> None:
    sf.write(tmp_path / "a.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 4000), 16_000, subtype=subtype)
    arguments = ["process", str(tmp_path / "a.wav"), str(tmp_path / name), "-e", "Gain(gain_db=-1)", *options]
    said = CliRunner().invoke(main, arguments).stderr
    assert ("holds 24 bits of a sample, and its source has more" in said) == is_said
