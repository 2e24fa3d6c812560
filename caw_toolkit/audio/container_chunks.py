"""The chunks of AIFF, CAF and W64 files beside their audio: read, fitted to another sample rate, put into another file.

Layouts: Apple, "Audio Interchange File Format" (1989) and "Core Audio Format Specification 1.0" (2011); Sony Pictures
Digital, "Sony Wave64" (2003), whose chunks are those of a WAV under longer names.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO, NamedTuple

from caw_toolkit.audio import riff_chunks
from caw_toolkit.audio.riff_chunks import MOST_CHUNKS, Chunk, FoundChunks

__all__ = [
    "W64_TAIL",
    "add_chunks",
    "fit_chunk",
    "holds_tags",
    "info_of_tags",
    "read_chunks",
    "state_samples",
    "tags_of_texts",
]


class _Layout(NamedTuple):
    """How the chunks of a container stand in it.

    Attributes:
        header: name and size of a chunk, as `struct` has it.
        first: where the first chunk is.
        alignment: what the beginnings of chunks are multiples of.
        size_has_header: whether the size of a chunk counts its header.
        of_the_audio: chunks that say how the audio is stored, or nothing, or what it looks like.
    """

    header: str
    first: int
    alignment: int
    size_has_header: bool
    of_the_audio: frozenset[bytes]


_LAYOUTS = {
    "AIFF": _Layout(">4sI", 12, 2, False, frozenset({b"COMM", b"SSND", b"FVER", b"PEAK", b"CHAN", b"FLLR", b"FORM"})),
    "CAF": _Layout(
        ">4sq",
        8,
        1,
        False,
        frozenset({b"desc", b"data", b"pakt", b"kuki", b"chan", b"free", b"peak", b"ovvw", b"caff"}),
    ),
    "W64": _Layout("<16sQ", 40, 8, True, riff_chunks.OF_THE_AUDIO),
}
#: What follows the four letters of RIFF in the names of W64's chunks; that of lists is another.
W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_W64_LIST = b"list" + bytes.fromhex("2f91cf11a5d628db04c10000")
_W64_NAMES = {
    bytes.fromhex("5662f7ab2d39d21186c700c04f8edb8a"): b"marker",
    bytes.fromhex("bc945f925a52d21186dc00c04f8edb8a"): b"summary list",
}

#: Text chunks of AIFF, and what tags call them.
_AIFF_TEXTS = {b"NAME": "title", b"AUTH": "artist", b"(c) ": "copyright", b"ANNO": "comment"}
#: Keys of CAF's `info` that tags call otherwise, and those that say how the audio was encoded.
_CAF_KEYS = {
    "comments": "comment", "track number": "tracknumber", "year": "date", "tempo": "bpm", "key signature": "initialkey",
}  # fmt: skip
_CAF_OF_THE_AUDIO = (
    "encoding application", "source encoder", "nominal bit rate", "channel layout",
    "approximate duration in seconds",
)  # fmt: skip


def read_chunks(stream: BinaryIO, format_name: str) -> FoundChunks:
    """The chunks of an AIFF, CAF or W64 file that say more than how its audio is stored, as far as its headers lead.

    Those of a W64 have the names that a WAV has for them.
    """
    layout = _LAYOUTS[format_name]
    places = _positions(stream, layout)
    if format_name == "W64":
        places = ((_name_in_wav(name), first, size) for name, first, size in places)
    return riff_chunks.chunks_at(stream, places, layout.of_the_audio)


def _positions(stream: BinaryIO, layout: _Layout) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and size of every chunk, to the first that does not end within the file."""
    length = struct.calcsize(layout.header)
    end = stream.seek(0, os.SEEK_END)
    position = layout.first
    for _ in range(MOST_CHUNKS):
        stream.seek(position)
        header = stream.read(length)
        if len(header) < length:
            return
        name, size = struct.unpack(layout.header, header)
        size -= length if layout.size_has_header else 0
        first = position + length
        yield name, first, size
        if size < 0 or first + size > end:
            return
        position = first + size
        position += -position % layout.alignment


def _name_in_wav(name: bytes) -> bytes:
    if name == _W64_LIST:
        return b"LIST"
    return name[:4] if name[4:] == W64_TAIL else _W64_NAMES.get(name, b"chunk " + name.hex().encode())


def fit_chunk(chunk: Chunk, ratio: float) -> Chunk:
    """A chunk of an AIFF or CAF for a file that was made of its own.

    Args:
        chunk: of the source.
        ratio: sample rate of the result over that of the source; positions of markers follow it.
    """
    data = bytearray(chunk.data)
    if chunk.name == b"MARK":
        _scale_named_markers(data, ratio)
    elif chunk.name == b"mark":
        _scale_markers(data, 8, ratio, len(data))
    elif chunk.name == b"regn":
        _scale_regions(data, ratio)
    return Chunk(chunk.name, bytes(data))


def _scale_named_markers(data: bytearray, ratio: float) -> None:
    """Of an AIFF: a count, then for each marker its number, its position, and its name with a byte for its length."""
    position = 2
    while position + 7 <= len(data):
        (sample,) = struct.unpack_from(">I", data, position + 2)
        struct.pack_into(">I", data, position + 2, min(2**32 - 1, round(sample * ratio)))
        text = data[position + 6] + 1
        position += 6 + text + text % 2


def _scale_regions(data: bytearray, ratio: float) -> None:
    """Of a CAF: 8 bytes, then for each region 12 bytes, the last four of which count its markers, and these."""
    position = 8
    while position + 12 <= len(data):
        (count,) = struct.unpack_from(">I", data, position + 8)
        _scale_markers(data, position + 12, ratio, position + 12 + 28 * count)
        position += 12 + 28 * count


def _scale_markers(data: bytearray, first: int, ratio: float, end: int) -> None:
    """Of a CAF: 28 bytes each, with a position as a floating-point number."""
    for marker in range(first, min(end, len(data)) - 27, 28):
        (sample,) = struct.unpack_from(">d", data, marker + 4)
        struct.pack_into(">d", data, marker + 4, sample * ratio)


def add_chunks(stream: BinaryIO, chunks: Iterable[Chunk], format_name: str) -> None:
    """Put chunks before the audio of an AIFF, CAF or W64 file that libsndfile wrote.

    Args:
        stream: the whole file; readable, writable, seekable.
        chunks: in their order; for a W64 those of a WAV.
        format_name: as libsndfile calls it.

    Raises:
        ValueError: it would become too large for its header.
    """
    layout = _LAYOUTS[format_name]
    length = struct.calcsize(layout.header)
    # Before the audio: libsndfile plays what is behind it in a W64, ffmpeg counts it in a CAF.
    place = next(first - length for name, first, _ in _positions(stream, layout) if name[:4] in (b"SSND", b"data"))
    end = stream.seek(0, os.SEEK_END)
    packed = bytearray()
    for chunk in chunks:
        name = chunk.name
        if format_name == "W64":
            name = _W64_LIST if name == b"LIST" else name + W64_TAIL
        size = len(chunk.data) + (length if layout.size_has_header else 0)
        packed += struct.pack(layout.header, name, size) + chunk.data
        packed += bytes(-len(packed) % layout.alignment)
    if format_name == "AIFF" and end + len(packed) - 8 >= 2**32:
        raise ValueError("too large")
    riff_chunks.insert_bytes(stream, place, bytes(packed))
    if format_name == "AIFF":
        stream.seek(4)
        stream.write(struct.pack(">I", end + len(packed) - 8))
    elif format_name == "W64":
        stream.seek(16)
        stream.write(struct.pack("<Q", end + len(packed)))


def state_samples(stream: BinaryIO, samples: int, frame_bytes: int) -> None:
    """Correct an AIFF of an odd number of bytes, whose padding libsndfile counts as audio.

    Args:
        stream: the whole file; writable, seekable.
        samples: per channel.
        frame_bytes: of a sample of all channels.
    """
    for name, first, _ in list(_positions(stream, _LAYOUTS["AIFF"])):
        if name == b"COMM":
            stream.seek(first + 2)
            stream.write(struct.pack(">I", samples))
        elif name == b"SSND":
            stream.seek(first - 4)
            stream.write(struct.pack(">I", 8 + samples * frame_bytes))


def holds_tags(chunk: Chunk) -> bool:
    """Whether `tags_of_texts` reads a chunk."""
    return chunk.name in _AIFF_TEXTS or chunk.name == b"info"


def info_of_tags(tags: Mapping[str, tuple[str, ...]]) -> Chunk:
    """The `info` of a CAF that holds tags."""
    keys = {name: key for key, name in _CAF_KEYS.items()}
    words = [word for name, values in tags.items() for word in (keys.get(name, name), "; ".join(values))]
    texts = b"".join(word.replace("\0", " ").encode() + b"\0" for word in words)
    return Chunk(b"info", struct.pack(">I", len(tags)) + texts)


def tags_of_texts(chunks: Iterable[Chunk]) -> dict[str, tuple[str, ...]]:
    """What the text chunks of an AIFF and the `info` of a CAF say, by the names of tags."""
    tags: dict[str, tuple[str, ...]] = {}
    for chunk in chunks:
        if chunk.name in _AIFF_TEXTS and chunk.data.strip(b"\0 "):
            name = _AIFF_TEXTS[chunk.name]
            tags[name] = (*tags.get(name, ()), riff_chunks.text(chunk.data.split(b"\0")[0]))
        elif chunk.name == b"info":
            words = [word.decode("utf-8", "replace") for word in chunk.data[4:].split(b"\0")]
            pairs = zip(words[0::2], words[1::2], strict=False)
            tags |= {_CAF_KEYS.get(key, key): (value,) for key, value in pairs if key and key not in _CAF_OF_THE_AUDIO}
    return tags
