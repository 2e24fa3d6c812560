"""Files with tags, pictures and chunks, for tests of what is carried over."""

from __future__ import annotations

import struct
from pathlib import Path

import mutagen
import numpy as np
import soundfile as sf
from mutagen import id3
from mutagen.flac import FLAC, Picture
from mutagen.wave import WAVE

RATE = 16_000
#: A PNG of one pixel.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000002000100 05fe02fea7566a6d0000000049454e44ae426082".replace(" ", "")
)


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def bext(time_reference: int, history: bytes) -> bytes:
    head = b"An interview".ljust(256, b"\0") + b"Archive".ljust(32, b"\0") + b"REF1".ljust(32, b"\0")
    head += b"1999-12-31" + b"23:59:59" + struct.pack("<QH", time_reference, 1)
    return head.ljust(602, b"\0") + history


def cue(*samples: int) -> bytes:
    points = b"".join(
        struct.pack("<II4sIII", number, sample, b"data", 0, 0, sample) for number, sample in enumerate(samples, 1)
    )
    return struct.pack("<I", len(samples)) + points


def smpl(start: int, end: int) -> bytes:
    return struct.pack("<9I", 0, 0, 10**9 // RATE, 60, 0, 0, 0, 1, 0) + struct.pack("<6I", 1, 0, start, end, 0, 0)


def adtl(samples: int) -> bytes:
    label = chunk(b"labl", struct.pack("<I", 1) + b"verse\0")
    return b"adtl" + label + chunk(b"ltxt", struct.pack("<II4s4H", 1, samples, b"rgn ", 0, 0, 0, 0))


def info(**entries: str) -> bytes:
    return b"INFO" + b"".join(chunk(name.encode(), text.encode() + b"\0") for name, text in entries.items())


def write_wav(path: Path, samples: np.ndarray, *, subtype: str = "PCM_16", before_audio: bool = True) -> None:
    """A broadcast WAV with all that the toolkit is to carry: chunks, an INFO list, ID3 with a picture."""
    sf.write(path, samples.T, RATE, subtype=subtype)
    data = path.read_bytes()
    place = data.index(b"data") if before_audio else len(data)
    extra = b"".join(
        chunk(name, content)
        for name, content in [
            (b"bext", bext(48_000, b"A=ANALOGUE,M=mono,T=Studer\r\n")),
            (b"iXML", b"<BWFXML><SCENE>12</SCENE></BWFXML>"),
            (b"cue ", cue(1000, 2000)),
            (b"smpl", smpl(100, 900)),
            (b"LIST", adtl(500)),
            (b"LIST", info(INAM="Naïve tune", IART="Somebody", ICMT="one, two")),
        ]
    )
    data = data[:place] + extra + data[place:]
    path.write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    file = WAVE(path)
    file.add_tags()
    file.tags.add(id3.TIT2(encoding=3, text="Naïve tune"))
    file.tags.add(id3.APIC(encoding=3, mime="image/png", type=3, desc="cover", data=PIXEL))
    file.tags.add(id3.PRIV(owner="studio", data=b"\1\2"))
    file.save()


def write_flac(path: Path, samples: np.ndarray) -> None:
    """A FLAC with two artists and a cover."""
    sf.write(path, samples.T, RATE)
    file = FLAC(path)
    file["title"], file["artist"], file["musicbrainz_trackid"] = "Naïve tune", ["One", "Two"], "abc"
    cover = Picture()
    cover.data, cover.mime, cover.type, cover.desc = PIXEL, "image/png", 3, "cover"
    file.add_picture(cover)
    file.save()


def chunks_of(path: Path) -> dict[bytes, bytes]:
    """Chunks of a WAV by name, with the kind of a LIST; a parser of its own, for RIFF and RF64."""
    data = path.read_bytes()
    assert data[:4] == b"RF64" or struct.unpack("<I", data[4:8])[0] == len(data) - 8
    found: dict[bytes, bytes] = {}
    position = 12
    while position + 8 <= len(data):
        name, size = data[position : position + 4], struct.unpack("<I", data[position + 4 : position + 8])[0]
        if size == 0xFFFFFFFF:
            size = struct.unpack_from("<8xQ", found[b"ds64"])[0]
        content = data[position + 8 : position + 8 + size]
        assert len(content) == size
        found[name + (content[:4] if name == b"LIST" else b"")] = content
        position += 8 + size + size % 2
    return found


def tags_of(path: Path) -> dict[str, list[str]]:
    """Title, artists and comment as mutagen reads them, and how many pictures there are."""
    file = mutagen.File(path)
    tags = file.tags or {}
    if hasattr(tags, "getall"):
        names = {"title": "TIT2", "artist": "TPE1", "comment": "COMM"}
        found = {name: [str(text) for frame in tags.getall(key) for text in frame.text] for name, key in names.items()}
        pictures = len(tags.getall("APIC"))
    else:
        found = {name: list(tags.get(name, [])) for name in ("title", "artist", "comment")}
        pictures = len(getattr(file, "pictures", [])) or len(tags.get("metadata_block_picture", []))
    return {**{name: texts for name, texts in found.items() if texts}, "pictures": [str(pictures)]}
