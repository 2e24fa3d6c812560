"""MP3 and layer II as they come: joined, without a length, with tags, zeros and halves of frames in the way."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from caw_toolkit import CawError, read_audio
from caw_toolkit.audio import decoding
from caw_toolkit.audio.blocks import open_audio
from caw_toolkit.audio.mpeg import mpeg_segments

RATE = 16000
ID3 = b"ID3\3\0\0\0\0\x10\0" + bytes(2048)
ID3V1 = b"TAG" + b"title".ljust(125)
APE_SIZE = 300
APE = b"APETAGEX" + (2000).to_bytes(4, "little") + APE_SIZE.to_bytes(4, "little") + bytes(16) + b"\xff\xfbcover" * 43


@pytest.fixture(autouse=True)
def without_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ffmpeg reads is no proof."""
    monkeypatch.setattr(decoding, "ffmpeg_path", lambda: None)


def encoded(folder: Path, samples: np.ndarray[Any, Any], rate: int = RATE, mode: str = "VARIABLE") -> bytes:
    path = folder / "source.mp3"
    options: dict[str, Any] = {"bitrate_mode": mode, "compression_level": 0.4}
    soundfile.write(path, samples, rate, format="MP3", subtype="MPEG_LAYER_III", **options)
    return path.read_bytes()


@pytest.fixture
def mp3(tmp_path: Path) -> bytes:
    """Of variable bit rate: 3 s of noise, 3 s of a quiet tone."""
    noise = 0.3 * np.random.default_rng(0).standard_normal(3 * RATE)
    return encoded(tmp_path, np.concatenate([noise, 0.05 * np.sin(0.1 * np.arange(3 * RATE))]))


def without_tag(mp3: bytes) -> bytes:
    name = max(mp3.find(b"Xing"), mp3.find(b"Info"))
    return mp3[mp3.index(mp3[:2], name) :]


def read(folder: Path, data: bytes) -> np.ndarray[Any, Any]:
    """Samples `(channels, samples)`, whole, which equal those by blocks and those of a part."""
    path = folder / "a.mp3"
    path.write_bytes(data)
    clip = read_audio(path)
    with open_audio(path) as audio:
        np.testing.assert_array_equal(np.concatenate(list(audio), axis=1), clip.samples)
    part = read_audio(path, start_seconds=clip.seconds - 0.25, longest_seconds=0.26).samples
    np.testing.assert_array_equal(part, clip.samples[:, -part.shape[1] :])
    assert abs(part.shape[1] - clip.sample_rate / 4) <= 1
    return clip.samples


def test_the_length_is_counted_where_it_is_not_stated(tmp_path: Path, mp3: bytes) -> None:
    counted = read(tmp_path, without_tag(mp3))
    assert counted.shape == (1, 97344)
    delay = 1105
    np.testing.assert_allclose(counted[:, delay : delay + 96000], read(tmp_path, mp3), atol=1e-6)


def test_a_count_that_is_wrong(tmp_path: Path, mp3: bytes) -> None:
    at = mp3.index(b"Xing") + 8
    whole = read(tmp_path, mp3)
    for stated in (20, 168):
        found = read(tmp_path, mp3[:at] + stated.to_bytes(4, "big") + mp3[at + 4 :])
        np.testing.assert_allclose(found[:, :96000], whole, atol=1e-6)


@pytest.mark.parametrize("between", [b"", ID3V1, ID3V1 + ID3, APE, bytes(3000)], ids=["", "v1", "v1v2", "ape", "zeros"])
def test_joined(tmp_path: Path, mp3: bytes, between: bytes) -> None:
    one = read(tmp_path, mp3)
    assert one.shape == (1, 96000)
    np.testing.assert_array_equal(read(tmp_path, mp3 + between + mp3), np.concatenate([one, one], axis=1))
    three = read(tmp_path, ID3 + mp3 + between + mp3 + between + mp3 + ID3V1)
    assert three.shape == (1, 288000)


def test_joined_without_a_count(tmp_path: Path, mp3: bytes) -> None:
    raw = without_tag(mp3)
    assert read(tmp_path, raw + raw).shape == (1, 2 * 97344)
    assert read(tmp_path, mp3 + raw).shape == (1, 97344 - 1105 + 97344)
    assert read(tmp_path, raw + mp3).shape == (1, 97344 + 96000)


def test_what_stands_before_the_first_frame(tmp_path: Path, mp3: bytes) -> None:
    one = read(tmp_path, mp3)
    for before in (bytes(1024), bytes(3 << 20), ID3, ID3 + bytes(777), ID3 + ID3, b"\r\n\xff\xff\xff junk"):
        np.testing.assert_array_equal(read(tmp_path, before + mp3), one)


def test_a_recording_of_the_radio_begins_inside_a_frame(tmp_path: Path, mp3: bytes) -> None:
    raw = without_tag(mp3)
    counted = read(tmp_path, raw)
    for cut in (100, 5000):
        found = read(tmp_path, raw[cut:])
        assert found.shape[1] % 576 == 0
        # The first frames lack what was cut; the rest is the same.
        known = slice(6 * 576 - found.shape[1], None)
        np.testing.assert_allclose(found[:, known], counted[:, known], atol=1e-6)


@pytest.mark.parametrize("rate", [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_rates(tmp_path: Path, rate: int, channels: int, mode: str) -> None:
    samples = np.cumsum(0.01 * np.random.default_rng(0).standard_normal((rate // 2, channels)), axis=0).clip(-0.9, 0.9)
    data = encoded(tmp_path, samples, rate, mode)
    one = read(tmp_path, data)
    assert one.shape == (channels, rate // 2)
    assert np.sqrt(np.mean((one.T - samples) ** 2)) < 0.05
    frame = 1152 if rate >= 32000 else 576
    raw = read(tmp_path, without_tag(data) + ID3V1)
    assert raw.shape[1] % frame == 0 and 0 <= raw.shape[1] - rate // 2 - 1105 < 2 * frame
    np.testing.assert_allclose(raw[:, 1105 : 1105 + rate // 2], one, atol=1e-5)


def test_parts_of_different_kinds(tmp_path: Path, mp3: bytes) -> None:
    stereo = encoded(tmp_path, 0.1 * np.random.default_rng(0).standard_normal((RATE, 2)))
    faster = encoded(tmp_path, 0.1 * np.random.default_rng(0).standard_normal(24000), 24000)
    for other, words in ((stereo, "16000 Hz mono, 16000 Hz stereo"), (faster, "16000 Hz mono, 24000 Hz mono")):
        with pytest.raises(CawError, match=words):
            read(tmp_path, mp3 + other)


def test_a_file_that_is_cut_warns(tmp_path: Path, mp3: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = read(tmp_path, mp3[: len(mp3) // 2])
    assert 0 < found.shape[1] < 96000
    assert "truncated" in caplog.text


def test_the_length_is_exact_before_anything_is_decoded(tmp_path: Path, mp3: bytes) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(without_tag(mp3))
    assert read_audio(path, longest_seconds=97344 / RATE).seconds == 97344 / RATE
    with pytest.raises(CawError, match=r"is 6\.1 s long, more than the 6 s"):
        read_audio(path, longest_seconds=6)


def test_an_hour_is_counted_at_once(tmp_path: Path) -> None:
    minute = encoded(tmp_path, 0.1 * np.random.default_rng(0).standard_normal(44100 * 10), 44100)
    path = tmp_path / "hour.mp3"
    path.write_bytes(without_tag(minute) * 360)
    begin = time.perf_counter()
    with path.open("rb") as stream:
        segments = mpeg_segments(stream, "hour")
    assert time.perf_counter() - begin < 5
    assert len(segments) == 1
    assert segments[0].samples >= 3600 * 44100
