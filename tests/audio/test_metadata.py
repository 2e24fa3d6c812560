"""What a file says beside its audio goes to the files that are made of it."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from mutagen.apev2 import BINARY, APEv2, APEValue
from mutagen.id3 import ID3, TIT2, TPE1

import tagged_files
from caw_toolkit.audio.decoding import opened
from caw_toolkit.audio.metadata import Metadata, read_metadata
from caw_toolkit.audio.riff_chunks import Chunk, fit_chunk, insert_chunks
from caw_toolkit.audio.tags import tagging_of_atoms
from caw_toolkit.audio.writing import write_audio
from tagged_files import PIXEL, RATE, chunks_of, tags_of

SAMPLES = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 3000)).astype(np.float32)


def metadata_of(path: Path) -> Metadata:
    with open(path, "rb") as stream:
        return read_metadata(stream)


def write(path: Path, metadata: Metadata) -> tuple[str, ...]:
    def embed(stream: BytesIO, format_name: str) -> list[str]:
        return metadata.embed(stream, format_name, coding_history="A=PCM,T=caw")

    return write_audio(path, SAMPLES, RATE, metadata=embed).lost_metadata  # type: ignore[arg-type]


@pytest.mark.parametrize("before_audio", [True, False])
def test_a_wav_gives_all_it_has_to_a_wav(tmp_path: Path, before_audio: bool) -> None:
    source, target = tmp_path / "a.wav", tmp_path / "b.wav"
    tagged_files.write_wav(source, SAMPLES, before_audio=before_audio)
    assert write(target, metadata_of(source)) == ()
    read, made = chunks_of(source), chunks_of(target)
    assert {name: made[name] for name in (b"iXML", b"cue ", b"smpl", b"LISTadtl")} == {
        name: read[name] for name in (b"iXML", b"cue ", b"smpl", b"LISTadtl")
    }
    assert made[b"bext"][:602] == read[b"bext"][:602]
    assert made[b"bext"][602:].rstrip(b"\0") == b"A=ANALOGUE,M=mono,T=Studer\r\nA=PCM,T=caw\r\n"
    assert b"IART" in made[b"LISTINFO"] and "Naïve tune".encode() in made[b"LISTINFO"]
    assert tags_of(target) == {
        "title": ["Naïve tune"], "artist": ["Somebody"], "comment": ["one, two"], "pictures": ["1"],
    }  # fmt: skip
    assert b"PRIV" in made[b"id3 "]
    assert list(made).index(b"bext") < list(made).index(b"data")
    np.testing.assert_array_equal(sf.read(target)[0], np.rint(SAMPLES[0] * 2**23) / 2**23)


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".mp3", ".aiff"])
@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_tags_and_pictures_go_to_every_format_that_has_them(tmp_path: Path, suffix: str, kind: str) -> None:
    source, target = tmp_path / f"a.{kind}", tmp_path / f"b{suffix}"
    getattr(tagged_files, f"write_{kind}")(source, SAMPLES)
    lost = write(target, metadata_of(source))
    made = tags_of(target)
    assert made["title"] == ["Naïve tune"] and made["pictures"] == ["1"]
    assert made["artist"] == (["Somebody"] if kind == "wav" else ["One", "Two"])
    chunks = ["bext", "iXML", "cue", "smpl", "LIST adtl"] if kind == "wav" else []
    frames = ["PRIV"] if kind == "wav" and suffix in (".flac", ".ogg") else []
    assert list(lost) == chunks + frames
    assert sf.info(target).frames >= SAMPLES.shape[1]
    again = metadata_of(target)
    assert again.tagging.pictures[0].data == PIXEL
    if kind == "flac":
        assert again.tagging.tags["musicbrainz_trackid"] == ("abc",)


def test_ape_tags_of_an_mp3_are_carried_where_id3_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    sf.write(path, SAMPLES.T, RATE)
    id3 = ID3()
    id3.add(TIT2(text=["By ID3"]))
    id3.save(path)
    ape = APEv2()
    ape["Title"], ape["Year"] = "By APE", "1904"
    ape["Cover Art (Front)"] = APEValue(b"c.png\0" + PIXEL, BINARY)
    ape["Blob"] = APEValue(b"\1\2", BINARY)
    ape.save(path)
    assert write(tmp_path / "b.flac", metadata_of(path)) == ("APE Blob",)
    made = metadata_of(tmp_path / "b.flac").tagging
    assert made.tags == {"title": ("By ID3",), "date": ("1904",)} and made.pictures[0].data == PIXEL


def test_an_aiff_of_an_odd_number_of_bytes_has_as_many_samples_as_were_written(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.aiff", SAMPLES[:, :1001], RATE, bit_depth="8")
    assert sf.info(tmp_path / "a.aiff").frames == 1001


@pytest.mark.parametrize("order", [">", "<"])
def test_the_annotation_of_an_au_is_a_comment(tmp_path: Path, order: str) -> None:
    said = "Naïve tune\0\0\0".encode()
    magic = b".snd" if order == ">" else b"dns."
    header = magic + struct.pack(f"{order}5I", 24 + len(said), 6000, 3, RATE, 1)
    (tmp_path / "a.au").write_bytes(header + said + bytes(6000))
    write(tmp_path / "b.flac", metadata_of(tmp_path / "a.au"))
    assert tags_of(tmp_path / "b.flac")["comment"] == ["Naïve tune"]
    (tmp_path / "a.au").write_bytes(magic + struct.pack(f"{order}5I", 24, 6000, 3, RATE, 1) + bytes(6000))
    assert not metadata_of(tmp_path / "a.au")


def test_atoms_of_an_mp4_are_carried_or_named() -> None:
    atoms = {
        "\xa9nam": ["Naïve tune"], "trkn": [(2, 9)], "tmpo": [120], "covr": [PIXEL], "\xa9too": ["encoder"],
        "----:com.apple.iTunes:MOOD": [b"calm"], "pgap": True,
    }  # fmt: skip
    tagging = tagging_of_atoms(atoms)
    assert tagging.tags == {"title": ("Naïve tune",), "tracknumber": ("2/9",), "bpm": ("120",), "mood": ("calm",)}
    assert tagging.pictures[0].data == PIXEL and tagging.others == ("MP4 pgap",)


def test_what_a_format_cannot_hold_is_named(tmp_path: Path) -> None:
    tagged_files.write_wav(tmp_path / "a.wav", SAMPLES)
    lost = write(tmp_path / "b.caf", metadata_of(tmp_path / "a.wav"))
    assert lost == ("bext", "iXML", "cue", "smpl", "LIST adtl", "picture", "PRIV")
    assert metadata_of(tmp_path / "b.caf").tagging.tags == metadata_of(tmp_path / "a.wav").tagging.tags


def test_positions_follow_the_sample_rate() -> None:
    doubled = {
        name: fit_chunk(Chunk(name, data), 2.0, "A=PCM").data
        for name, data in [
            (b"bext", tagged_files.bext(48_000, b"")),
            (b"cue ", tagged_files.cue(1000, 2000)),
            (b"smpl", tagged_files.smpl(100, 900)),
            (b"LIST", tagged_files.adtl(500)),
        ]
    }
    assert struct.unpack_from("<Q", doubled[b"bext"], 338) == (96_000,)
    assert doubled[b"cue "] == tagged_files.cue(2000, 4000)
    assert struct.unpack_from("<I", doubled[b"smpl"], 8) == (10**9 // RATE // 2,)
    assert struct.unpack_from("<II", doubled[b"smpl"], 44) == (200, 1800)
    assert doubled[b"LIST"] == tagged_files.adtl(1000)


@pytest.mark.parametrize("size", [0, 3, 7])
def test_damaged_chunks_are_left_as_they_are(size: int) -> None:
    for name, data in [(b"bext", b"x"), (b"cue ", tagged_files.cue(1)), (b"smpl", b"y"), (b"LIST", b"adtlltxt")]:
        assert len(fit_chunk(Chunk(name, data[:size]), 2.0, "A=PCM").data) >= min(size, len(data))


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"ID3\x03\0\0\x7f\x7f\x7f\x7f", b"fLaC\x84", b"OggS"]
)
def test_what_is_no_metadata_is_none(content: bytes) -> None:
    stream = BytesIO(content)
    stream.seek(len(content) // 2)
    assert not read_metadata(stream)
    assert stream.tell() == len(content) // 2


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_chunks_behind_the_audio_of_an_rf64_are_found(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "a.wav"
    sf.write(path, SAMPLES.T, RATE, format="RF64", subtype=subtype)
    path.write_bytes(path.read_bytes() + tagged_files.chunk(b"iXML", b"<SCENE/>"))
    assert metadata_of(path).chunks == (Chunk(b"iXML", b"<SCENE/>"),)


def test_a_long_file_makes_room_for_chunks_block_by_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caw_toolkit.audio.riff_chunks.LARGEST_BYTES", 1000)
    sf.write(tmp_path / "a.wav", SAMPLES.T, RATE, format="RF64")
    before, _ = sf.read(tmp_path / "a.wav")
    with open(tmp_path / "a.wav", "r+b") as stream:
        insert_chunks(stream, [Chunk(b"iXML", b"<x/>"), Chunk(b"note", b"odd")])
    assert chunks_of(tmp_path / "a.wav")[b"note"] == b"odd\0"
    np.testing.assert_array_equal(sf.read(tmp_path / "a.wav")[0], before)


def edited(path: Path, before: bytes, after: bytes) -> Path:
    """Write other bytes over the first that are found."""
    data = path.read_bytes()
    place = data.index(before)
    path.write_bytes(data[:place] + after + data[place + len(after) :])
    return path


@pytest.mark.parametrize(
    ("before", "after", "damaged", "title", "others"),
    [
        (b"Naive tune", b"\xff", ("ID3 TIT2",), None, ()),  # no UTF-8
        (b"TPE1\0\0\0", b"TPE1\x7f\x7f\x7f", ("ID3 unreadable frame",), "Naive tune", ()),  # goes on behind the tag
        (b"TPE1", b"\1\2\xff\xfe", ("ID3 unreadable frame",), "Naive tune", ()),
        (b"TPE1", b"ZZZZ", (), "Naive tune", ("ID3 ZZZZ",)),
        (b"ID3\4", b"ID3\x09", ("ID3 unreadable frame",), None, ()),
        (b"ID3\4\0\0\0", b"ID3\4\0\0\x80", ("ID3",), None, ()),
    ],
)
def test_damaged_frames_of_id3_are_named(
    tmp_path: Path, before: bytes, after: bytes, damaged: tuple[str, ...], title: str | None, others: tuple[str, ...]
) -> None:
    path = tmp_path / "a.mp3"
    sf.write(path, SAMPLES.T, RATE)
    tag = ID3()
    tag.add(TIT2(encoding=3, text=["Naive tune"]))
    tag.add(TPE1(encoding=3, text=["Somebody"]))
    tag.save(path)
    assert metadata_of(path).damaged == ()
    read = metadata_of(edited(path, before, after))
    assert (read.damaged, read.tagging.others) == (damaged, others)
    assert read.tagging.tags.get("title") == (title and (title,))


def test_damaged_ape_tags_cost_no_id3(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    sf.write(path, SAMPLES.T, RATE)
    ape = APEv2()
    ape["Catalog"] = "1"
    ape.save(path)
    tag = ID3()
    tag.add(TIT2(encoding=3, text=["Naive tune"]))
    tag.save(path)
    edited(path, b"\0\0\0\0Catalog", b"\1\0\0\0\xff")
    assert metadata_of(path).damaged == ("APE",) and metadata_of(path).tagging.tags["title"] == ("Naive tune",)


@pytest.mark.parametrize(
    ("suffix", "before", "damaged"),
    [
        ("wav", b"iXML", "iXML"), ("wav", b"INAM", "LIST INFO"), ("aiff", b"MARK", "MARK"),
        ("caf", b"mark\0\0\0\0", "mark"),
        ("flac", struct.pack("<I", len("title=Naïve tune".encode())), "tags"),
    ],
)  # fmt: skip
def test_damaged_chunks_and_comments_are_named(tmp_path: Path, suffix: str, before: bytes, damaged: str) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix in ("wav", "flac"):
        getattr(tagged_files, f"write_{suffix}")(path, SAMPLES)
    else:
        tagged_files.write_container(path, SAMPLES)
    assert metadata_of(path).damaged == ()
    size = b"\xff\xff\xff\x0f" if suffix in ("wav", "flac") else b"\x0f\xff\xff\xff"
    edited(path, before, size if suffix == "flac" else before + size)
    assert metadata_of(path).damaged == (damaged,)


def test_tags_before_a_wav_are_carried_and_chunks_that_are_too_large_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, tag, head = tmp_path / "a.wav", ID3(), BytesIO()
    sf.write(path, SAMPLES.T, RATE)
    tag.add(TIT2(encoding=3, text=["Naive tune"]))
    tag.save(head)
    path.write_bytes(head.getvalue() + path.read_bytes())
    with opened(path) as recording:
        assert recording.source.metadata.tagging.tags == {"title": ("Naive tune",)}
    monkeypatch.setattr("caw_toolkit.audio.riff_chunks.LARGEST_BYTES", 100)
    tagged_files.write_wav(path, SAMPLES)
    assert "bext" in metadata_of(path).others and "cue " not in metadata_of(path).others
