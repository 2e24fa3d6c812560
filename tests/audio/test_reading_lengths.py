"""Headers that are wrong about the length of a file, and what is in the way: read to the last sample, or refused."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from caw_toolkit import CawError, read_audio
from caw_toolkit.audio import decoding
from caw_toolkit.audio.blocks import open_audio

RATE = 16000
TOTAL = 48000
SAMPLES = (0.5 * np.sin(2 * np.pi * 440 * np.arange(TOTAL) / RATE) * 32768).round().astype(np.int16)


@pytest.fixture(autouse=True)
def without_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ffmpeg reads is no proof."""
    monkeypatch.setattr(decoding, "ffmpeg_path", lambda: None)


def stored(folder: Path, format_name: str, subtype: str = "PCM_16", **options: Any) -> bytes:
    path = folder / "source.bin"
    samples = SAMPLES / np.float32(32768) if subtype == "FLOAT" else SAMPLES
    soundfile.write(path, samples, RATE, format=format_name, subtype=subtype, **options)
    return path.read_bytes()


def read(folder: Path, data: bytes, name: str = "a.bin") -> np.ndarray[Any, Any]:
    """The samples as 16 bit integers, whole and by blocks."""
    path = folder / name
    path.write_bytes(data)
    samples = read_audio(path).samples
    with open_audio(path) as audio:
        np.testing.assert_array_equal(np.concatenate(list(audio), axis=1), samples)
    steps: np.ndarray[Any, Any] = np.rint(samples[0] * 32768).astype(np.int16)
    return steps


def put(data: bytes, offset: int, layout: str, *values: int) -> bytes:
    return data[:offset] + struct.pack(layout, *values) + data[offset + struct.calcsize(layout) :]


def wav_sizes(data: bytes, outer: int | None, audio: int, order: str = "<") -> bytes:
    if outer is not None:
        data = put(data, 4, order + "I", outer)
    return put(data, data.index(b"data") + 4, order + "I", audio)


class TestWav:
    @pytest.mark.parametrize("stated", [2000000000, 2 * TOTAL + 36, 1 << 31, 2 * TOTAL + 1])
    def test_data_that_is_overstated(self, tmp_path: Path, stated: int, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            found = read(tmp_path, wav_sizes(stored(tmp_path, "WAV"), None, stated))
        np.testing.assert_array_equal(found, SAMPLES)
        assert f"its header overstates: it states {stated / 2 / RATE:.2f} s and holds 3.00 s" in caplog.text

    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize(
        ("outer", "stated"),
        [
            (None, 0),
            (0, 0),
            (36, 0),
            (0xFFFFFFFF, 0xFFFFFFFF),
            (0xFFFFFFFF, 0xFFFFFFFF - 36),
            (0x7FFFFFFF, 0x7FFFFFDB),
            (0x7FFFF024, 0x7FFFF000),
            (0, 0x7FFFFFFF),
        ],
    )
    def test_placeholders_are_no_matter(
        self, tmp_path: Path, order: str, outer: int | None, stated: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        data = stored(tmp_path, "WAV", endian="LITTLE" if order == "<" else "BIG")
        with caplog.at_level(logging.WARNING):
            np.testing.assert_array_equal(read(tmp_path, wav_sizes(data, outer, stated, order)), SAMPLES)
        assert not caplog.text

    def test_a_huge_size_in_both_places(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        data = wav_sizes(stored(tmp_path, "WAV"), 0x70000024, 0x70000000)
        with caplog.at_level(logging.WARNING):
            np.testing.assert_array_equal(read(tmp_path, data), SAMPLES)
        assert "overstates" in caplog.text

    def test_no_audio_but_chunks_behind_it(self, tmp_path: Path) -> None:
        data = stored(tmp_path, "WAV")
        empty = wav_sizes(data[: data.index(b"data") + 8], None, 0)
        for behind in (b"", b"LIST" + struct.pack("<I", 4) + b"INFO", b"cue " + struct.pack("<II", 4, 0)):
            with pytest.raises(CawError, match="holds no audio"):
                read(tmp_path, empty + behind)

    def test_chunks_behind_the_audio_are_not_audio(self, tmp_path: Path) -> None:
        data = stored(tmp_path, "WAV") + b"LIST" + struct.pack("<I", 4) + b"INFO"
        np.testing.assert_array_equal(read(tmp_path, put(data, 4, "<I", len(data) - 8)), SAMPLES)

    def test_half_a_frame_at_the_end_is_dropped(self, tmp_path: Path) -> None:
        data = stored(tmp_path, "WAV") + b"\x55"
        np.testing.assert_array_equal(read(tmp_path, wav_sizes(data, 0xFFFFFFFF, 0xFFFFFFFF)), SAMPLES)

    def test_it_says_what_to_do_where_it_is_cut(self, tmp_path: Path) -> None:
        data = stored(tmp_path, "WAV")
        with pytest.raises(
            CawError, match=r"a b\.wav is truncated: only 99\.9 % .*: ffmpeg -i '.*a b\.wav' whole\.wav"
        ):
            read(tmp_path, data[:-4], "a b.wav")


class TestOthers:
    @pytest.mark.parametrize("share", [0.2, 0.9])
    @pytest.mark.parametrize("format_name", ["WAV", "WAVEX", "RF64", "W64", "CAF", "AU", "AIFF"])
    def test_cut(self, tmp_path: Path, format_name: str, share: float) -> None:
        data = stored(tmp_path, format_name)
        with pytest.raises(CawError, match=r"is truncated: only \d+\.\d % of the audio that its header states"):
            read(tmp_path, data[: int(share * len(data))])

    @pytest.mark.parametrize("size", [-1, 0])
    def test_caf(self, tmp_path: Path, size: int) -> None:
        data = stored(tmp_path, "CAF")
        np.testing.assert_array_equal(read(tmp_path, put(data, data.index(b"data") + 4, ">q", size)), SAMPLES)

    @pytest.mark.parametrize(("endian", "order"), [("BIG", ">"), ("LITTLE", "<")])
    @pytest.mark.parametrize("size", [0xFFFFFFFF, 0])
    def test_au(self, tmp_path: Path, size: int, endian: str, order: str) -> None:
        data = stored(tmp_path, "AU", endian=endian)
        np.testing.assert_array_equal(read(tmp_path, put(data, 8, order + "I", size)), SAMPLES)

    @pytest.mark.parametrize("size", [0, (1 << 63) - 1, (1 << 64) - 1])
    def test_w64(self, tmp_path: Path, size: int) -> None:
        data = stored(tmp_path, "W64")
        data = put(put(data, 16, "<Q", size), data.index(b"data") + 16, "<Q", size or 24)
        np.testing.assert_array_equal(read(tmp_path, data), SAMPLES)

    @pytest.mark.parametrize("size", [0, (1 << 64) - 1])
    def test_rf64(self, tmp_path: Path, size: int) -> None:
        data = stored(tmp_path, "RF64")
        np.testing.assert_array_equal(read(tmp_path, put(data, 20, "<QQQ", size, size, size)), SAMPLES)

    def test_bw64(self, tmp_path: Path) -> None:
        np.testing.assert_array_equal(read(tmp_path, b"BW64" + stored(tmp_path, "RF64")[4:]), SAMPLES)

    @pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
    @pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
    def test_aiff(self, tmp_path: Path, size: int, subtype: str) -> None:
        data = stored(tmp_path, "AIFF", subtype)
        at = data.index(b"SSND")
        data = put(put(data, 4, ">I", size), at + 4, ">I", size)
        data = put(data, data.index(b"COMM") + 10, ">I", 0 if size == 0 else TOTAL)
        np.testing.assert_array_equal(read(tmp_path, data), SAMPLES)

    @pytest.mark.parametrize("format_name", ["WAV", "RF64", "AIFF", "FLAC", "W64", "CAF", "AU"])
    @pytest.mark.parametrize("tags", [1, 2])
    def test_id3_before_it(self, tmp_path: Path, format_name: str, tags: int) -> None:
        size = 40000
        tag = b"ID3\3\0\0" + bytes([size >> shift & 127 for shift in (21, 14, 7, 0)]) + bytes(size)
        np.testing.assert_array_equal(read(tmp_path, tag * tags + stored(tmp_path, format_name)), SAMPLES)

    @pytest.mark.parametrize(("rate", "subtype"), [(RATE, "VORBIS"), (48000, "OPUS")])
    def test_ogg_cut(self, tmp_path: Path, rate: int, subtype: str, caplog: pytest.LogCaptureFixture) -> None:
        path = tmp_path / "whole.ogg"
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, 4 * rate)
        soundfile.write(path, noise, rate, format="OGG", subtype=subtype)
        whole = path.read_bytes()
        read_audio(path)
        assert not caplog.messages
        for end in (len(whole) // 2, whole.rindex(b"OggS")):
            path.write_bytes(whole[:end])
            read_audio(path)
            assert caplog.messages.pop().endswith("holds no end of its stream: it may be truncated")

    @pytest.mark.parametrize(("rate", "subtype"), [(RATE, "VORBIS"), (48000, "OPUS")])
    def test_ogg_joined(self, tmp_path: Path, rate: int, subtype: str) -> None:
        path = tmp_path / "one.ogg"
        soundfile.write(path, SAMPLES, rate, format="OGG", subtype=subtype)
        one = soundfile.read(path, dtype="float32")[0]
        (tmp_path / "two.ogg").write_bytes(2 * path.read_bytes())
        found = read_audio(tmp_path / "two.ogg").samples[0]
        np.testing.assert_allclose(found, np.concatenate([one, one]), atol=1e-6)
        part = read_audio(tmp_path / "two.ogg", start_seconds=0.75 * TOTAL / rate, duration_seconds=0.5).samples[0]
        np.testing.assert_array_equal(part, found[TOTAL * 3 // 4 :][: rate // 2])


class TestFlac:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """A stream that states no length."""
        data = stored(tmp_path, "FLAC")
        path = tmp_path / "a.flac"
        path.write_bytes(put(data[:21] + bytes([data[21] & 0xF0]) + data[22:], 22, ">I", 0))
        return path

    def test_unknown_length(self, path: Path) -> None:
        np.testing.assert_array_equal(read(path.parent, path.read_bytes()), SAMPLES)
        part = read_audio(path, start_seconds=1, duration_seconds=0.5).samples[0]
        np.testing.assert_array_equal(part, SAMPLES[RATE : RATE * 3 // 2] / np.float32(32768))
        assert read_audio(path, longest_seconds=3).seconds == 3
        with pytest.raises(CawError, match=r"more than the 2 s .* --start and --duration"):
            read_audio(path, longest_seconds=2)
        with pytest.raises(CawError, match="ends before 4 s"):
            read_audio(path, start_seconds=4)

    def test_a_seek_that_fails(self, tmp_path: Path) -> None:
        data = stored(tmp_path, "FLAC")
        path = tmp_path / "a.flac"
        path.write_bytes(data[: len(data) // 3])
        with pytest.raises(CawError, match=r"damaged or truncated|is truncated"):
            read_audio(path, start_seconds=2.5)


def test_deep_samples_are_kept(tmp_path: Path) -> None:
    steps = np.random.default_rng(0).integers(-(2**31), 2**31, size=(5000, 2), dtype=np.int32)
    values = np.random.default_rng(1).standard_normal((5000, 2)) * 0.1
    cases: list[tuple[str, str, np.ndarray[Any, Any], Callable[[np.ndarray[Any, Any]], Any]]] = [
        ("WAV", "PCM_32", steps, lambda x: x / 2.0**31),
        ("AIFF", "PCM_32", steps, lambda x: x / 2.0**31),
        ("CAF", "DOUBLE", values, lambda x: x),
        ("WAV", "DOUBLE", values, lambda x: x),
    ]
    for format_name, subtype, data, value in cases:
        soundfile.write(tmp_path / "a", data, RATE, format=format_name, subtype=subtype)
        clip = read_audio(tmp_path / "a")
        assert clip.exact is not None and clip.exact.dtype == np.float64 and clip.exact.flags.c_contiguous
        np.testing.assert_array_equal(clip.exact, value(data.T))
        np.testing.assert_array_equal(clip.samples, clip.exact.astype(np.float32))
        assert clip.source is not None and (clip.source.container, clip.source.subtype) == (format_name, subtype)
    soundfile.write(tmp_path / "a", values, RATE, format="WAV", subtype="FLOAT")
    assert read_audio(tmp_path / "a").exact is None
    soundfile.write(tmp_path / "a", values * 1e300, RATE, format="WAV", subtype="DOUBLE")
    with pytest.raises(CawError, match="beyond any level"):
        read_audio(tmp_path / "a")
