"""The same from a path, a named pipe, a substituted process and standard input; and what ffmpeg has to read."""

from __future__ import annotations

import errno
import io
import os
import shlex
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from caw_toolkit import AudioClip, CawError, read_audio
from caw_toolkit.audio import decoding, ffmpeg
from caw_toolkit.audio.blocks import open_audio

RATE = 16000
NEEDS_FFMPEG = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
NEEDS_PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
FORMATS = [
    *(("WAV", "PCM_16"), ("WAV", "DOUBLE"), ("AIFF", "PCM_24"), ("CAF", "ALAC_16"), ("AU", "PCM_32"), ("W64", "FLOAT")),
    *(("RF64", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")),
]


class _StandardInput:
    def __init__(self, stream: Any) -> None:
        self.buffer = stream

    def isatty(self) -> bool:
        return False


def by_pipe(path: Path) -> AudioClip:
    pipe = path.with_name("pipe")
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(path.read_bytes()))
    writer.start()
    clip = read_audio(pipe)
    writer.join()
    pipe.unlink()
    return clip


def by_descriptor(path: Path) -> AudioClip:
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        return read_audio(f"/dev/fd/{process.stdout.fileno()}")


def by_standard_input(path: Path, monkeypatch: pytest.MonkeyPatch) -> AudioClip:
    with path.open("rb") as stream:
        monkeypatch.setattr(sys, "stdin", _StandardInput(stream))
        return read_audio("-")


def assert_equal(one: AudioClip, other: AudioClip) -> None:
    np.testing.assert_array_equal(one.samples, other.samples)
    assert (one.exact is None) == (other.exact is None)
    if one.exact is not None and other.exact is not None:
        np.testing.assert_array_equal(one.exact, other.exact)
    assert one.source is not None and other.source is not None
    assert (one.source.container, one.source.subtype) == (other.source.container, other.source.subtype)


@NEEDS_PIPES
@pytest.mark.parametrize(("format_name", "subtype"), FORMATS)
def test_every_way_in_gives_the_same(
    tmp_path: Path, format_name: str, subtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "ffmpeg_path", lambda: None)
    path = tmp_path / "a.bin"
    samples = 0.1 * np.random.default_rng(0).standard_normal((RATE, 2))
    soundfile.write(path, samples, RATE, format=format_name, subtype=subtype)
    clip = read_audio(path)
    assert clip.samples.shape == (2, RATE)
    assert clip.source is not None
    assert (clip.source.container, clip.source.subtype) == (format_name, subtype)
    with open_audio(path) as audio:
        assert audio.source == clip.source
        np.testing.assert_array_equal(np.concatenate(list(audio), axis=1), clip.samples)
    assert_equal(by_pipe(path), clip)
    assert_equal(by_standard_input(path, monkeypatch), clip)
    if sys.platform == "linux":
        assert_equal(by_descriptor(path), clip)


class _FailingDisk(io.BytesIO):
    """What can be read up to a place."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() >= 20_000:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(size)


def test_a_disk_that_fails_is_no_truncated_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(10 * RATE), RATE)
    disk = _FailingDisk((tmp_path / "a.wav").read_bytes())
    monkeypatch.setattr(decoding, "open_source", lambda *_: disk)
    with pytest.raises(CawError, match=r"cannot read .*a\.wav: Input/output error"):
        read_audio(tmp_path / "a.wav")


def test_a_wav_that_is_called_raw_is_a_wav(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    soundfile.write(path, np.full(RATE, 0.5), RATE, format="WAV")
    assert read_audio(path).seconds == 1


class TestWithoutFfmpeg:
    @pytest.fixture(autouse=True)
    def without(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")

    def test_it_says_what_is_read_and_what_to_do(self, tmp_path: Path) -> None:
        path = tmp_path / "a song.m4a"
        path.write_bytes(b"\0\0\0\x20ftypM4A " + bytes(4000))
        with pytest.raises(CawError) as caught:
            read_audio(path)
        said, quoted = str(caught.value), shlex.quote(str(path))
        assert said.startswith(f"{path} cannot be read as audio (")
        assert "read are WAV, AIFF, CAF, AU, FLAC, OGG, Opus and MP3, and what ffmpeg reads if it is installed" in said
        assert said.endswith(f"for example with: ffmpeg -i {quoted} {quoted}.wav")
        assert "\n" not in said

    def test_headerless(self, tmp_path: Path) -> None:
        (tmp_path / "x.raw").write_bytes(bytes(range(256)) * 64)
        with pytest.raises(CawError, match=r"x\.raw has no header .* ffmpeg -f s16le -ar 44100 -ac 1 -i"):
            read_audio(tmp_path / "x.raw")


@NEEDS_FFMPEG
class TestWithFfmpeg:
    @pytest.fixture
    def song(self, tmp_path: Path) -> Path:
        path = tmp_path / "song.wav"
        soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal((2 * RATE, 2)), RATE, subtype="PCM_16")
        return path

    def test_what_ffmpeg_leaves_out_is_said(self, song: Path, caplog: pytest.LogCaptureFixture) -> None:
        two = song.with_name("two.mka")
        maps = ["-map", "0", "-map", "0", "-c:a", "flac"]
        subprocess.run(["ffmpeg", "-v", "error", "-i", song, *maps, two], check=True)
        assert read_audio(two).samples.shape == (2, 2 * RATE)
        assert f"{two} holds 2 audio streams: the first is taken" in caplog.text
        cut = song.with_name("cut.mka")
        cut.write_bytes(two.read_bytes()[:60_000])
        assert read_audio(cut).samples.shape[1] < 2 * RATE
        assert f"{cut} is damaged or truncated: what ffmpeg made of it may lack parts" in caplog.text

    def test_mp3_in_a_wav_is_whole(self, song: Path, caplog: pytest.LogCaptureFixture) -> None:
        path = song.with_name("mp3.wav")
        subprocess.run(["ffmpeg", "-v", "error", "-i", song, "-c:a", "libmp3lame", path], check=True)
        assert read_audio(path).seconds == pytest.approx(2, abs=0.15) and not caplog.records

    def converted(self, song: Path, name: str) -> Path:
        path = song.with_name(name)
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", song, path], check=True)
        return path

    @pytest.mark.parametrize(
        ("name", "container", "codec"),
        [("a.m4a", "mov", "aac"), ("a.mka", "matroska", "vorbis"), ("a.tta", "tta", "tta")],
    )
    def test_it_is_read(
        self, song: Path, name: str, container: str, codec: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = self.converted(song, name)
        clip = read_audio(path)
        assert clip.source is not None and (clip.source.container, clip.source.subtype) == (container, codec)
        assert clip.channels == 2 and 2 * RATE <= clip.samples.shape[1] < 2 * RATE + 2500
        if name == "a.tta":
            np.testing.assert_array_equal(clip.samples, read_audio(song).samples)
        assert_equal(by_standard_input(path, monkeypatch), clip)
        part = read_audio(path, start_seconds=0.5, duration_seconds=0.5).samples
        np.testing.assert_array_equal(part, clip.samples[:, RATE // 2 : RATE])
        with pytest.raises(CawError, match=r"more than the 0\.5 s that fit here"):
            read_audio(path, longest_seconds=0.5)

    @pytest.mark.parametrize("name", ["-i.m4a", "a:b.m4a", "a b'\".m4a"])
    def test_names_are_no_options(self, song: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(song.parent)
        self.converted(song, "good.m4a").rename(name)
        assert read_audio(name).channels == 2

    def test_playlists_open_no_other_files(self, song: Path) -> None:
        for name, text in (
            ("a.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{song}\n#EXT-X-ENDLIST\n"),
            ("a.ffconcat", f"ffconcat version 1.0\nfile {song.name}\n"),
        ):
            song.with_name(name).write_text(text)
            with pytest.raises(CawError, match=r"cannot be read as audio \(ffmpeg: [^\n]+\)$"):
                read_audio(song.with_name(name))

    def test_its_reason_is_one_line(self, tmp_path: Path) -> None:
        (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(4000))
        with pytest.raises(CawError, match=r"a\.m4a cannot be read as audio \(ffmpeg: [^\n]+\)$"):
            read_audio(tmp_path / "a.m4a")


def test_a_program_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ffmpeg"
    program.write_bytes(b"")
    for module in (decoding, ffmpeg):
        monkeypatch.setattr(module, "ffmpeg_path", lambda: str(program))
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(4000))
    with pytest.raises(CawError, match="does not start"):
        read_audio(tmp_path / "a.m4a")
