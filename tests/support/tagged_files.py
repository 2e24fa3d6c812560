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


def low_noise(seconds: float, sample_rate: int, *, cutoff_hz: float = 900.0) -> np.ndarray:
    """Noise `(1, samples)` below a frequency."""
    samples = round(seconds * sample_rate)
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(0, 0.1, samples))
    spectrum[round(cutoff_hz * seconds) :] = 0
    return np.fft.irfft(spectrum, samples)[None]


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


def write_wav(
    path: Path,
    samples: np.ndarray,
    *,
    subtype: str = "PCM_16",
    before_audio: bool = True,
    sample_rate: int = RATE,
) -> None:
    """A broadcast WAV with all that the toolkit is to carry: chunks, an INFO list, ID3 with a picture."""
    sf.write(path, samples.T, sample_rate, subtype=subtype)
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


def marker(number: int, sample: float) -> bytes:
    """A marker of a CAF."""
    return struct.pack(">IdI8sI", 0, sample, number, bytes(8), 0)


#: Chunks of an AIFF: texts, markers at two samples with names of odd and even length, and who uses them.
AIFF_CHUNKS = {
    b"NAME": "Naïve tune".encode(),
    b"AUTH": b"Somebody",
    b"(c) ": b"1999 them",
    b"ANNO": b"one, two",
    b"MARK": struct.pack(">HHIB3sHIB2sx", 2, 1, 1000, 3, b"one", 2, 2000, 2, b"to"),
    b"INST": struct.pack(">BbBBBBhHHHHHH", 60, 0, 0, 127, 1, 127, 0, 1, 1, 2, 0, 0, 0),
    b"COMT": struct.pack(">HIHH4s", 1, 0, 1, 4, b"note"),
}
#: Chunks of a CAF.
CAF_CHUNKS = {
    b"info": struct.pack(">I", 4)
    + "title\0Naïve tune\0artist\0Somebody\0comments\0one, two\0source encoder\0x\0".encode(),
    b"mark": struct.pack(">II", 0, 2) + marker(1, 1000.5) + marker(2, 2000.0),
    b"regn": struct.pack(">II", 0, 1) + struct.pack(">III", 1, 0, 2) + marker(3, 10.0) + marker(4, 20.0),
    b"strg": struct.pack(">IIq", 1, 1, 0) + b"verse\0",
}
W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
#: Chunks of a W64 by their long names.
W64_CHUNKS = {
    b"bext" + W64_TAIL: bext(48_000, b""),
    b"list" + bytes.fromhex("2f91cf11a5d628db04c10000"): info(INAM="Naïve tune", IART="Somebody"),
    bytes.fromhex("5662f7ab2d39d21186c700c04f8edb8a"): bytes(20),
}


def write_container(path: Path, samples: np.ndarray, *, before_audio: bool = False, subtype: str = "PCM_16") -> None:
    """An AIFF, CAF or W64, by its suffix, with chunks."""
    sf.write(path, samples.T, RATE, subtype=subtype)
    data = path.read_bytes()
    if path.suffix == ".aiff":
        extra = b"".join(
            name + struct.pack(">I", len(content)) + content + b"\0" * (len(content) % 2)
            for name, content in AIFF_CHUNKS.items()
        )
    elif path.suffix == ".caf":
        extra = b"".join(name + struct.pack(">q", len(content)) + content for name, content in CAF_CHUNKS.items())
    else:
        data += bytes(-len(data) % 8)
        extra = b"".join(
            name + struct.pack("<Q", 24 + len(content)) + content + bytes(-len(content) % 8)
            for name, content in W64_CHUNKS.items()
        )
    place = data.index(b"SSND" if path.suffix == ".aiff" else b"data") if before_audio else len(data)
    data = data[:place] + extra + data[place:]
    if path.suffix == ".aiff":
        data = data[:4] + struct.pack(">I", len(data) - 8) + data[8:]
    elif path.suffix == ".w64":
        data = data[:16] + struct.pack("<Q", len(data)) + data[24:]
    path.write_bytes(data)


def container_chunks_of(path: Path) -> dict[bytes, bytes]:
    """Chunks of an AIFF, CAF or W64 by name."""
    data = path.read_bytes()
    position = {".aiff": 12, ".caf": 8, ".w64": 40}[path.suffix]
    if path.suffix == ".aiff":
        assert struct.unpack(">I", data[4:8])[0] == len(data) - 8
    elif path.suffix == ".w64":
        assert struct.unpack("<Q", data[16:24])[0] == len(data)
    found: dict[bytes, bytes] = {}
    while position + 8 < len(data):
        if path.suffix == ".w64":
            name, size, first = data[position : position + 16], *struct.unpack_from("<Q", data, position + 16), 24
            size, alignment = size - 24, 8
        else:
            layout, alignment = (">I", 2) if path.suffix == ".aiff" else (">q", 1)
            name, (size,) = data[position : position + 4], struct.unpack_from(layout, data, position + 4)
            first = 4 + struct.calcsize(layout)
        found[name] = data[position + first : position + first + size]
        assert len(found[name]) == size
        position += first + size
        position += -position % alignment
    return found


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
