"""Files block by block: the same audio, checks and policies as whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from caw_toolkit import CawError, CawUsageError, read_audio, write_audio
from caw_toolkit.audio.blocks import open_audio, write_audio_blocks
from caw_toolkit.audio.formats import BitDepth
from caw_toolkit.audio.spool import spooled_audio

RATE = 8000


def noise(seconds: float, channels: int = 2, level: float = 0.1) -> np.ndarray:
    return (np.random.default_rng(0).standard_normal((channels, round(seconds * RATE))) * level).astype(np.float32)


def pieces(samples: np.ndarray, size: int = 4321) -> Iterator[np.ndarray]:
    return (samples[:, start : start + size] for start in range(0, samples.shape[1], size))


def read_blocks(path: Path) -> np.ndarray:
    with open_audio(path) as audio:
        assert (audio.channels, audio.sample_rate) == (2, RATE)
        return np.concatenate(list(audio), axis=1)


@pytest.mark.parametrize(
    ("suffix", "bit_depth"),
    [(".wav", "16"), (".wav", "24"), (".wav", "float"), (".flac", "16"), (".ogg", "24")],
)
def test_it_writes_and_reads_what_whole_files_do(tmp_path: Path, suffix: str, bit_depth: BitDepth) -> None:
    samples = noise(20, level=0.5)
    whole, blocks = tmp_path / f"whole{suffix}", tmp_path / f"blocks{suffix}"
    expected = write_audio(whole, samples, RATE, bit_depth=bit_depth)
    written = write_audio_blocks(blocks, pieces(samples), RATE, channels=2, bit_depth=bit_depth)
    assert written.gain == expected.gain
    np.testing.assert_array_equal(read_blocks(blocks), read_audio(whole).samples)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([whole.name, blocks.name])


def test_mp3_is_read_right_at_a_rate_where_libsndfile_cannot_seek(tmp_path: Path) -> None:
    rate = 22050
    path = tmp_path / "a.mp3"
    write_audio(path, np.cumsum(noise(25 * rate / RATE, level=1e-3), axis=1), rate)
    expected = sf.read(path, dtype="float32", always_2d=True)[0].T  # in one read
    with open_audio(path) as audio:
        np.testing.assert_allclose(np.concatenate(list(audio), axis=1), expected, atol=1e-6)
    part = read_audio(path, start_seconds=21, duration_seconds=1).samples
    np.testing.assert_allclose(part, expected[:, 21 * rate : 22 * rate], atol=1e-6)


def test_clipping_policies_are_the_same(tmp_path: Path) -> None:
    samples = noise(1, level=1.0)
    cut = write_audio_blocks(tmp_path / "cut.wav", pieces(samples), RATE, channels=2, clipping="clip")
    assert cut.clipped_samples == np.sum(np.abs(samples) > 1)
    with pytest.raises(CawError, match="above full scale"):
        write_audio_blocks(tmp_path / "loud.wav", pieces(samples), RATE, channels=2, clipping="error")
    assert not (tmp_path / "loud.wav").exists()


def test_what_write_audio_refuses_is_refused(tmp_path: Path) -> None:
    samples = np.zeros((3, RATE), np.float32)
    unknown: Any = "clp"
    with pytest.raises(CawUsageError, match="unknown clipping 'clp': did you mean 'clip'"):
        write_audio_blocks(tmp_path / "a.wav", pieces(samples), RATE, channels=2, clipping=unknown)
    with pytest.raises(ValueError, match="expected 1 or 2 channels, got 3"):
        write_audio_blocks(tmp_path / "a.wav", pieces(samples), RATE, channels=3)
    assert not list(tmp_path.iterdir())


def test_a_failure_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    def failing() -> Iterator[np.ndarray]:
        yield noise(1)
        raise CawError("the chain failed")

    old = tmp_path / "old.wav"
    old.write_bytes(b"old")
    with pytest.raises(CawError, match="the chain failed"):
        write_audio_blocks(old, failing(), RATE, channels=2, overwrite=True)
    with pytest.raises(CawError, match="NaN"):
        write_audio_blocks(old, [np.full((2, 10), np.nan, np.float32)], RATE, channels=2, overwrite=True)
    assert old.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [old]
    with pytest.raises(CawUsageError, match="--force"):
        write_audio_blocks(old, [noise(1)], RATE, channels=2)


def test_what_cannot_be_read_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CawUsageError, match="does not exist"):
        read_blocks(tmp_path / "missing.wav")
    (tmp_path / "text.wav").write_text("no audio")
    with pytest.raises(CawError, match="cannot be read as audio"):
        read_blocks(tmp_path / "text.wav")
    samples = noise(20)
    samples[0, -5] = np.inf
    sf.write(tmp_path / "infinite.wav", samples.T, RATE, subtype="FLOAT")
    with pytest.raises(CawError, match=r"NaN or infinite samples, the first at 19\.999 s"):
        read_blocks(tmp_path / "infinite.wav")
    sf.write(tmp_path / "empty.wav", np.zeros((0, 2)), RATE)
    with pytest.raises(CawError, match="holds no audio"):
        read_blocks(tmp_path / "empty.wav")
    sf.write(tmp_path / "whole.flac", noise(20).T, RATE)
    data = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "half.flac").write_bytes(data[: len(data) // 2])
    with pytest.raises(CawError, match="truncated"):
        read_blocks(tmp_path / "half.flac")


@pytest.mark.parametrize("bit_depth", ["32", "double"])
def test_blocks_of_more_bits_than_float32_keep_them(tmp_path: Path, bit_depth: BitDepth) -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, (2, 100_000))
    write_audio_blocks(tmp_path / "a.wav", pieces(samples), RATE, channels=2, bit_depth=bit_depth)
    write_audio(tmp_path / "b.wav", samples, RATE, bit_depth=bit_depth)
    read = [sf.read(tmp_path / name)[0] for name in ("a.wav", "b.wav")]
    np.testing.assert_array_equal(*read)
    with spooled_audio(tmp_path / "a.wav", beside=tmp_path / "c.wav") as audio:
        assert (audio.samples, audio.channels, audio.sample_rate) == (100_000, 2, RATE)
        np.testing.assert_array_equal(audio.read(70_000, 100_500).T, read[0][70_000:])
        np.testing.assert_array_equal(np.concatenate(list(audio.blocks()), axis=1).T, read[0])
