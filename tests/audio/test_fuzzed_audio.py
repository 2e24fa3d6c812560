"""Damaged audio files are read, or refused in a line; with their metadata, nothing else happens."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

import fuzzing
import tagged_files
from caw_toolkit.audio.reading import read_audio
from caw_toolkit.audio.writing import write_audio

SAMPLES = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 2000)).astype(np.float32)


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("good")
    tagged_files.write_wav(folder / "tagged.wav", SAMPLES)
    tagged_files.write_flac(folder / "tagged.flac", SAMPLES)
    found = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    for kind, subtype, rate in [
        ("WAV", "PCM_24", 16_000), ("RF64", "FLOAT", 16_000), ("W64", "PCM_16", 16_000), ("AIFF", "PCM_16", 16_000),
        ("CAF", "PCM_16", 16_000), ("AU", "PCM_16", 16_000), ("OGG", "VORBIS", 16_000), ("OGG", "OPUS", 16_000),
        ("MP3", "MPEG_LAYER_III", 16_000), ("FLAC", "PCM_16", 16_000),
    ]:  # fmt: skip
        stream = io.BytesIO()
        sf.write(stream, SAMPLES.T, rate, format=kind, subtype=subtype)
        found[f"{subtype}.{kind.lower()}"] = stream.getvalue()
    return found


def test_damaged_files_are_read_or_refused(
    contents: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caw_toolkit.audio.decoding.ffmpeg_path", lambda: None)  # half a second each time
    for name, seed, content in fuzzing.cases(contents):
        path = tmp_path / name
        path.write_bytes(content)
        fuzzing.assert_only_errors_of_ours(lambda path=path: _copied(path), f"{name}, seed {seed}")  # type: ignore[misc]


def _copied(path: Path) -> None:
    """Read a file, and write another that says the same."""
    clip = read_audio(path, longest_seconds=600)
    assert np.isfinite(clip.samples).all() and clip.source is not None
    for suffix in (".wav", ".flac"):
        metadata = clip.source.metadata
        write_audio(path.with_name(f"copy{suffix}"), clip.samples, 16_000, overwrite=True, metadata=metadata.embed)
