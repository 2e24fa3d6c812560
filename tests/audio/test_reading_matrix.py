"""Formats, encodings, byte orders, rates, channels, lengths, odd headers: every sample as it was, and as ffmpeg has it.

The files are written with libsndfile. Those that lose nothing are compared with what was written, the others with what
libsndfile reads. ffmpeg, where that is installed, reads the same of all whose decoding is defined to the bit.
"""

from __future__ import annotations

import itertools
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from caw_toolkit import read_audio
from caw_toolkit.audio import decoding
from caw_toolkit.audio.blocks import open_audio

FORMATS = ("WAV", "WAVEX", "AIFF", "AU", "CAF", "W64", "RF64", "FLAC", "OGG", "MP3")
SHAPES = [(8000, 1, 1600), (11025, 2, 577), (16000, 2, 1), (44100, 2, 8820), (48000, 1, 9601), (96000, 2, 19200)]
BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
BITS["ALAC_16"] = 16  # libsndfile 1.2 loses bits of deeper ones
FEWEST = 300
#: ffmpeg 5.1 takes the samples of a RIFX for little-endian if its `fmt ` is short, and knows no little-endian AU.
NOT_IN_FFMPEG = [("WAV", "BIG"), ("AU", "LITTLE")]


@dataclass(frozen=True)
class File:
    path: Path
    format_name: str
    subtype: str
    sample_rate: int
    written: np.ndarray[Any, Any]
    is_lossless: bool
    is_compared: bool


def samples_of(subtype: str, channels: int, total: int) -> np.ndarray[Any, Any]:
    """What is written: `(samples, channels)`, of the depth of the encoding."""
    random = np.random.default_rng(total)
    if subtype in BITS:
        bits = BITS[subtype]
        steps = random.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (total, channels))
        return (steps << (32 - bits)).astype(np.int32)
    wave = 0.3 * random.standard_normal((total, channels)).cumsum(axis=0) / max(1, total) ** 0.5
    samples: np.ndarray[Any, Any] = wave.astype(np.float64 if subtype == "DOUBLE" else np.float32)
    return samples


def files_of(format_name: str, folder: Path) -> Iterator[File]:
    for subtype in soundfile.available_subtypes(format_name):
        for endian, (rate, channels, total) in [
            *itertools.product(["FILE"], SHAPES),
            *itertools.product(["LITTLE", "BIG"], SHAPES[::2]),
        ]:
            if not soundfile.check_format(format_name, subtype, endian):
                continue
            if format_name == "AIFF" and BITS.get(subtype) == 8 and channels * total % 2:
                continue  # libsndfile writes one sample more, and states it
            samples = samples_of(subtype, channels, total)
            path = folder / f"{format_name}-{subtype}-{endian}-{rate}.bin"
            try:
                soundfile.write(path, samples, rate, format=format_name, subtype=subtype, endian=endian)
            except soundfile.LibsndfileError:  # not at this rate, or mono only
                path.unlink(missing_ok=True)
                continue
            lossless = subtype in BITS or subtype in ("FLOAT", "DOUBLE")
            values = samples / 2.0**31 if subtype in BITS else samples
            defined = lossless or subtype in ("ULAW", "ALAW")
            unknown = (format_name, endian) in NOT_IN_FFMPEG
            yield File(path, format_name, subtype, rate, values.T, lossless, defined and not unknown)


def by_ffmpeg(files: list[File]) -> list[np.ndarray[Any, Any] | None]:
    """What ffmpeg reads of each; None of what it does not."""
    if not files:
        return []
    if len(files) > 60:
        return by_ffmpeg(files[:60]) + by_ffmpeg(files[60:])
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y"]
    for file in files:
        command += ["-i", str(file.path)]
    outputs = [file.path.with_suffix(".f64") for file in files]
    for index, output in enumerate(outputs):
        command += ["-map", f"{index}:a", "-f", "f64le", "-c:a", "pcm_f64le", str(output)]
    if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0:
        shapes = [(-1, file.written.shape[0]) for file in files]
        return [np.fromfile(output, "<f8").reshape(shape).T for output, shape in zip(outputs, shapes, strict=True)]
    if len(files) == 1:  # ffmpeg lacks the decoder
        return [None]
    half = len(files) // 2
    return by_ffmpeg(files[:half]) + by_ffmpeg(files[half:])


def check(file: File) -> tuple[np.ndarray[Any, Any], str | None]:
    """The samples, and what is wrong with them, if anything."""
    clip = read_audio(file.path)
    samples = clip.samples if clip.exact is None else clip.exact
    with open_audio(file.path) as audio:
        if not np.array_equal(np.concatenate(list(audio), axis=1), clip.samples):
            return samples, "blocks differ"
    expected, tolerance = file.written, 0.0
    if not file.is_lossless:
        with soundfile.SoundFile(file.path) as decoder:
            decoder.seekable = lambda: False  # soundfile seeks after each read, which fails in some formats
            expected, tolerance = decoder.read(decoder.frames, always_2d=True, dtype="float32").T, 1e-6
    if clip.sample_rate != file.sample_rate or samples.shape != expected.shape:
        return samples, f"{samples.shape} at {clip.sample_rate} Hz, not {expected.shape} at {file.sample_rate} Hz"
    return samples, None if np.abs(samples - expected).max() <= tolerance else "samples differ"


def check_all(files: list[File]) -> None:
    wrong, read = [], []
    for file in files:
        samples, said = check(file)
        read.append(samples)
        wrong += [f"{file.path.name}: {said}"] if said else []
    if shutil.which("ffmpeg") is not None:
        known = [(file, samples) for file, samples in zip(files, read, strict=True) if file.is_compared]
        for (file, samples), theirs in zip(known, by_ffmpeg([file for file, _ in known]), strict=True):
            if theirs is not None and not np.array_equal(theirs, samples):
                wrong.append(f"{file.path.name}: ffmpeg reads {theirs.shape} otherwise")
    assert not wrong, "\n".join(wrong)
    if shutil.which("ffmpeg") is None:
        pytest.skip("every sample is as it was; needs ffmpeg to compare with what that reads")


@pytest.fixture(autouse=True)
def without_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ffmpeg reads is no proof."""
    monkeypatch.setattr(decoding, "ffmpeg_path", lambda: None)


def test_every_encoding(tmp_path: Path) -> None:
    files = [file for format_name in FORMATS for file in files_of(format_name, tmp_path)]
    assert len(files) >= FEWEST
    check_all(files)


def chunk(name: bytes, data: bytes, order: str) -> bytes:
    return name + struct.pack(order + "I", len(data)) + data + b"\0" * (len(data) % 2)


@pytest.mark.parametrize("magic", [b"RIFF", b"RIFX"])
def test_odd_wav_headers(tmp_path: Path, magic: bytes) -> None:
    """Chunks before, between and behind, odd lengths, long `fmt `, sizes of streams."""
    order = "<" if magic == b"RIFF" else ">"
    files: list[File] = []
    before = [b"", chunk(b"JUNK", bytes(27), order), chunk(b"bext", bytes(602), order) + chunk(b"LIST", b"INFO", order)]
    behind = [b"", chunk(b"id3 ", b"ID3\3" + bytes(101), order), chunk(b"LIST", b"INFO" + bytes(4), order)]
    extra, size_is_known, channels = (b"", b"\0\0"), (True, False), (1, 2)
    for case in itertools.product(before, behind, extra, size_is_known, channels, (1600, 577)):
        first, last, more, known, count, total = case
        steps = samples_of("PCM_16", count, total) >> 16
        audio = steps.astype(order + "i2").tobytes()
        form = chunk(b"fmt ", struct.pack(order + "HHIIHH", 1, count, 8000, 16000 * count, 2 * count, 16) + more, order)
        data = chunk(b"data", audio, order)
        if not known:
            data, last = b"data" + b"\xff" * 4 + audio, b""
        body = b"WAVE" + first + form + first + data + last
        path = tmp_path / f"{len(files)}.wav"
        path.write_bytes(magic + (struct.pack(order + "I", len(body)) if known else b"\xff" * 4) + body)
        files.append(File(path, "WAV", "PCM_16", 8000, steps.T / 2.0**15, True, magic == b"RIFF"))
    check_all(files)
