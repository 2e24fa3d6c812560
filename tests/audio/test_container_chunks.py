"""What AIFF, CAF and W64 files, and those that only ffmpeg reads, say beside their audio: carried over, or named."""

from __future__ import annotations

import shutil
import struct
import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

import tagged_files
from caw_toolkit import read_audio, write_audio
from caw_toolkit.audio.container_chunks import fit_chunk
from caw_toolkit.audio.metadata import Metadata, read_metadata
from caw_toolkit.audio.riff_chunks import Chunk
from tagged_files import AIFF_CHUNKS, CAF_CHUNKS, RATE, chunks_of, container_chunks_of, marker, tags_of

SAMPLES = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 3001)).astype(np.float32)
NEEDS_FFMPEG = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")


def write(path: Path, metadata: Metadata, *, ratio: float = 1.0, bit_depth: str = "16") -> tuple[str, ...]:
    def embed(stream: BytesIO, format_name: str) -> list[str]:
        return metadata.embed(stream, format_name, ratio=ratio, coding_history="A=PCM")

    return write_audio(path, SAMPLES, RATE, bit_depth=bit_depth, metadata=embed).lost_metadata  # type: ignore[arg-type]


def source(folder: Path, suffix: str, *, before_audio: bool = False) -> Metadata:
    path = folder / f"source{suffix}"
    tagged_files.write_container(path, SAMPLES, before_audio=before_audio)
    clip = read_audio(path)
    assert clip.samples.shape == SAMPLES.shape  # nothing of the chunks is taken for audio
    np.testing.assert_allclose(clip.samples, SAMPLES, atol=2**-15)
    assert clip.source is not None
    return clip.source.metadata


@pytest.mark.parametrize("before_audio", [True, False])
def test_an_aiff_gives_all_it_has_to_an_aiff(tmp_path: Path, before_audio: bool) -> None:
    metadata = source(tmp_path, ".aiff", before_audio=before_audio)
    assert write(tmp_path / "b.aiff", metadata, ratio=2) == ()
    made = container_chunks_of(tmp_path / "b.aiff")
    marks = struct.pack(">HHIB3sHIB2sx", 2, 1, 2000, 3, b"one", 2, 4000, 2, b"to")
    assert {name: made[name] for name in AIFF_CHUNKS} == {**AIFF_CHUNKS, b"MARK": marks}
    assert tags_of(tmp_path / "b.aiff")["title"] == ["Naïve tune"]
    np.testing.assert_allclose(sf.read(tmp_path / "b.aiff")[0], SAMPLES[0], atol=2**-15)


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".mp3", ".wav", ".w64", ".caf"])
def test_the_texts_of_an_aiff_are_tags_elsewhere(tmp_path: Path, suffix: str) -> None:
    assert write(tmp_path / f"b{suffix}", source(tmp_path, ".aiff")) == ("MARK", "INST", "COMT")
    clip = read_audio(tmp_path / f"b{suffix}")
    assert clip.source is not None
    texts = {"title": "Naïve tune", "artist": "Somebody", "copyright": "1999 them", "comment": "one, two"}
    tags = clip.source.metadata.tagging.tags
    assert {name: tags[name] for name in texts} == {name: (text,) for name, text in texts.items()}


@pytest.mark.parametrize("before_audio", [True, False])
def test_a_caf_gives_all_it_has_to_a_caf(tmp_path: Path, before_audio: bool) -> None:
    metadata = source(tmp_path, ".caf", before_audio=before_audio)
    assert write(tmp_path / "b.caf", metadata, ratio=2) == ()
    made = container_chunks_of(tmp_path / "b.caf")
    assert made[b"mark"] == struct.pack(">II", 0, 2) + marker(1, 2001.0) + marker(2, 4000.0)
    assert made[b"regn"] == CAF_CHUNKS[b"regn"][:20] + marker(3, 20.0) + marker(4, 40.0)
    assert made[b"strg"] == CAF_CHUNKS[b"strg"]
    texts = made[b"info"][4:].decode().split("\0")
    assert texts == ["title", "Naïve tune", "artist", "Somebody", "comments", "one, two", ""]
    np.testing.assert_allclose(sf.read(tmp_path / "b.caf")[0], SAMPLES[0], atol=2**-15)


def test_the_strings_of_a_caf_are_tags_elsewhere(tmp_path: Path) -> None:
    assert write(tmp_path / "b.flac", source(tmp_path, ".caf")) == ("mark", "regn", "strg")
    assert tags_of(tmp_path / "b.flac") == {
        "title": ["Naïve tune"], "artist": ["Somebody"], "comment": ["one, two"], "pictures": ["0"],
    }  # fmt: skip


@pytest.mark.parametrize("before_audio", [True, False])
def test_the_chunks_of_a_w64_are_those_of_a_wav(tmp_path: Path, before_audio: bool) -> None:
    metadata = source(tmp_path, ".w64", before_audio=before_audio)
    assert write(tmp_path / "b.wav", metadata) == ("marker",)
    assert chunks_of(tmp_path / "b.wav")[b"bext"].endswith(b"A=PCM\r\n")
    assert tags_of(tmp_path / "b.wav")["artist"] == ["Somebody"]
    assert write(tmp_path / "b.w64", metadata) == ("marker",)
    made = container_chunks_of(tmp_path / "b.w64")
    assert made[b"bext" + tagged_files.W64_TAIL] == chunks_of(tmp_path / "b.wav")[b"bext"]
    np.testing.assert_allclose(sf.read(tmp_path / "b.w64")[0], SAMPLES[0], atol=2**-15)


@pytest.mark.parametrize("suffix", [".caf", ".w64", ".aiff"])
@pytest.mark.parametrize("bit_depth", ["8", "16", "24", "float"])
def test_no_sample_moves(tmp_path: Path, suffix: str, bit_depth: str) -> None:
    tagged_files.write_wav(tmp_path / "a.wav", SAMPLES)
    with open(tmp_path / "a.wav", "rb") as stream:
        write(tmp_path / f"b{suffix}", read_metadata(stream), bit_depth=bit_depth)
    write(tmp_path / f"plain{suffix}", Metadata(), bit_depth=bit_depth)
    plain = sf.read(tmp_path / f"plain{suffix}")[0]
    np.testing.assert_array_equal(sf.read(tmp_path / f"b{suffix}")[0], plain)
    np.testing.assert_array_equal(read_audio(tmp_path / f"b{suffix}").samples[0], plain.astype(np.float32))


@pytest.mark.parametrize("suffix", [".aiff", ".caf", ".w64"])
def test_damaged_files_say_what_they_can(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    tagged_files.write_container(path, SAMPLES, before_audio=True)
    whole, random = path.read_bytes(), np.random.default_rng(0)
    for _ in range(200):
        head = bytearray(whole[:1200])
        head[random.integers(4, len(head))] = random.integers(256)
        metadata = read_metadata(BytesIO(bytes(head) + whole[1200 : random.integers(1200, len(whole))]))
        for chunk in metadata.chunks:
            assert len(fit_chunk(chunk, 0.5).data) == len(chunk.data)


@pytest.mark.parametrize("name", [b"MARK", b"mark", b"regn"])
def test_chunks_that_end_early_are_left_as_long_as_they_are(name: bytes) -> None:
    whole = {**AIFF_CHUNKS, **CAF_CHUNKS}[name]
    for size in range(len(whole)):
        assert len(fit_chunk(Chunk(name, whole[:size]), 2.0).data) == size


@NEEDS_FFMPEG
@pytest.mark.parametrize("suffix", [".webm", ".mka", ".wma", ".m4a", ".tta", ".wv"])
def test_tags_of_what_only_ffmpeg_reads_are_carried(tmp_path: Path, suffix: str) -> None:
    title = "a=b; c#d \\ e\nf [g]" if suffix != ".m4a" else "a=b; c#d \\ e"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=440:d=0.3", "-metadata", f"title={title}"]
    tags = ["-metadata", "artist=Somebody", "-metadata", "track=3/12"]
    subprocess.run([*command, *tags, tmp_path / f"a{suffix}"], check=True)
    clip = read_audio(tmp_path / f"a{suffix}")
    assert clip.source is not None
    assert write(tmp_path / "b.flac", clip.source.metadata) == ()
    held = clip.source.metadata.tagging.tags
    assert held == {"title": (title,), "artist": ("Somebody",), "tracknumber": ("3/12",)}
    assert tags_of(tmp_path / "b.flac")["title"] == [title]


@NEEDS_FFMPEG
def test_chapters_and_pictures_that_only_ffmpeg_sees_are_named(tmp_path: Path) -> None:
    (tmp_path / "chapters").write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=100\ntitle=one\n")
    command: list[str | Path] = [
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "sine=440:d=0.3",
        "-i",
        tmp_path / "chapters",
    ]
    picture = ["-f", "lavfi", "-i", "color=red:s=16x16:d=0.04", "-frames:v", "1"]
    subprocess.run(["ffmpeg", "-v", "error", *picture, tmp_path / "art.png"], check=True)
    attached: list[str | Path] = ["-attach", tmp_path / "art.png", "-metadata:s:t", "mimetype=image/png"]
    subprocess.run([*command, "-map_chapters", "1", *attached, tmp_path / "a.mka"], check=True)
    clip = read_audio(tmp_path / "a.mka")
    assert clip.source is not None
    assert write(tmp_path / "b.flac", clip.source.metadata) == ("chapters", "picture")
