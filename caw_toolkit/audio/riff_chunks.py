"""The chunks of a WAV file beside its audio: read, fitted to another sample rate, put into another WAV.

Layouts: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" (1991; `cue `, `smpl`, `LIST`), and
EBU Tech 3285 (`bext`) and 3306 (RF64).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Container, Iterable, Iterator
from typing import BinaryIO, NamedTuple

#: What WAV files begin with; BW64 is another name of RF64.
WAVE_FORMS = (b"RIFF", b"RIFX", b"RF64", b"BW64")
#: Chunks that say how the audio is stored, or nothing: they are the writer's own. A file that follows is audio, too.
OF_THE_AUDIO = frozenset(
    {b"fmt ", b"data", b"fact", b"PEAK", b"ds64", b"JUNK", b"junk", b"PAD ", b"FLLR", b"levl", *WAVE_FORMS}
)
#: Chunks larger than this are not carried: nothing but audio is that large.
LARGEST_BYTES = 1 << 26
#: Chunks that are looked at in a file, at most.
MOST_CHUNKS = 10_000

_TIME_REFERENCE, _CODING_HISTORY = 338, 602  # in bext


class Chunk(NamedTuple):
    """A chunk of a WAV file, or of another that has such.

    Attributes:
        name: four bytes; others have those that no WAV can hold.
        data: what it holds, without padding.
    """

    name: bytes
    data: bytes

    @property
    def label(self) -> str:
        """What it is called in messages."""
        kind = self.data[:4] if self.name == b"LIST" else b""
        return (self.name + b" " + kind).decode("latin-1").strip()

    @property
    def packed(self) -> bytes:
        """Its bytes in a WAV."""
        return self.name + struct.pack("<I", len(self.data)) + self.data + b"\0" * (len(self.data) % 2)


class FoundChunks(NamedTuple):
    """The chunks of a file, beside its audio.

    Attributes:
        whole: those that can be carried.
        damaged: names of those that do not end within the file.
        too_large: names of those that nothing but audio is as large as.
    """

    whole: list[Chunk]
    damaged: list[str]
    too_large: list[str]


def positions(stream: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and size of every chunk of a WAV (RIFF, RIFX, RF64), as far as its headers lead."""
    end = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    form = stream.read(12)[:4]
    if form not in WAVE_FORMS:
        return
    order, audio_bytes = (">" if form == b"RIFX" else "<"), None
    for _ in range(MOST_CHUNKS):
        header = stream.read(8)
        if len(header) < 8:
            return
        name, (size,) = header[:4], struct.unpack(f"{order}I", header[4:])
        first = stream.tell()
        if name == b"ds64":
            audio_bytes = struct.unpack("<8xQ", stream.read(16).ljust(16, b"\0"))[0]
        if name == b"data" and size == 0xFFFFFFFF and audio_bytes is not None:
            size = audio_bytes
        yield name, first, size
        if first + size > end:
            return
        stream.seek(first + size + size % 2)


def read_chunks(stream: BinaryIO) -> FoundChunks:
    """The chunks of a WAV file that say more than how its audio is stored; none of another file."""
    return chunks_at(stream, positions(stream), OF_THE_AUDIO)


def chunks_at(
    stream: BinaryIO, places: Iterable[tuple[bytes, int, int]], of_the_audio: Container[bytes]
) -> FoundChunks:
    """The chunks of a file that are worth carrying, as many as fit into `LARGEST_BYTES`.

    Args:
        stream: the file.
        places: name, first byte and size of each chunk, to the first that does not end within it.
        of_the_audio: names of those that say how the audio is stored.
    """
    found = FoundChunks([], [], [])
    end, total = stream.seek(0, os.SEEK_END), 0
    for name, first, size in places:
        if name in of_the_audio:
            continue
        if not any(name):  # zeros, with which some programs fill files up
            break
        label = name.decode("ascii").strip() if name.isascii() and name.decode().isprintable() else "unreadable chunk"
        if not 0 <= size <= end - first:
            found.damaged.append(label)
            break
        if total + size > LARGEST_BYTES:
            found.too_large.append(label)
            continue
        total += size
        stream.seek(first)
        found.whole.append(Chunk(name, stream.read(size)))
    return found


def fit_chunk(chunk: Chunk, ratio: float, coding_history: str) -> Chunk:
    """A chunk for a file that was made of its own.

    Args:
        chunk: of the source.
        ratio: sample rate of the result over that of the source; positions in samples follow it.
        coding_history: line that bext gains.
    """
    data = bytearray(chunk.data)
    if chunk.name == b"bext":
        _update_broadcast_extension(data, ratio, coding_history)
    elif chunk.name == b"cue ":
        _scale_cue_points(data, ratio)
    elif chunk.name == b"smpl":
        _scale_loops(data, ratio)
    elif chunk.name == b"LIST" and data[:4] == b"adtl":
        _scale_labelled_texts(data, ratio)
    return Chunk(chunk.name, bytes(data))


def _update_broadcast_extension(data: bytearray, ratio: float, coding_history: str) -> None:
    """The time reference, samples since midnight, and the coding history, the text at the end (EBU Tech 3285)."""
    if len(data) < _CODING_HISTORY:
        return
    (samples,) = struct.unpack_from("<Q", data, _TIME_REFERENCE)
    struct.pack_into("<Q", data, _TIME_REFERENCE, min(2**64 - 1, round(samples * ratio)))
    history = bytes(data[_CODING_HISTORY:]).rstrip(b"\0")
    separator = b"\r\n" if history and not history.endswith(b"\n") else b""
    line = coding_history.encode("ascii", "replace") + b"\r\n"
    data[_CODING_HISTORY:] = history + separator + line


def _scale_cue_points(data: bytearray, ratio: float) -> None:
    """A count, then 24 bytes for each point, with its position in the playlist and in the audio."""
    for point in range(4, len(data) - 23, 24):
        _scale(data, (point + 4, point + 20), ratio)


def _scale_loops(data: bytearray, ratio: float) -> None:
    """36 bytes about the sampler, the nanoseconds of a sample among them, then 24 for each loop, its start and end."""
    if len(data) < 36:
        return
    _scale(data, (8,), 1 / ratio)
    for loop in range(36, len(data) - 23, 24):
        _scale(data, (loop + 8, loop + 12), ratio)


def _scale_labelled_texts(data: bytearray, ratio: float) -> None:
    """Chunks within the chunk, of which `ltxt` has the length of what it is about."""
    position = 4
    while position + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, position + 4)
        if data[position : position + 4] == b"ltxt" and position + 16 <= len(data):
            _scale(data, (position + 12,), ratio)
        position += 8 + size + size % 2


def _scale(data: bytearray, offsets: Iterable[int], ratio: float) -> None:
    for offset in offsets:
        (value,) = struct.unpack_from("<I", data, offset)
        struct.pack_into("<I", data, offset, min(2**32 - 1, round(value * ratio)))


def insert_chunks(stream: BinaryIO, chunks: Iterable[Chunk]) -> None:
    """Put chunks before the audio of a WAV file, RIFF or RF64, where all programs look for them.

    Args:
        stream: the whole file; readable, writable, seekable.
        chunks: in their order.

    Raises:
        ValueError: it is no such file, or would become too large for its header.
    """
    stream.seek(0)
    is_rf64 = stream.read(4) == b"RF64"
    if is_rf64:  # libsndfile loses its way there after a chunk of odd length
        chunks = [Chunk(chunk.name, chunk.data + b"\0" * (len(chunk.data) % 2)) for chunk in chunks]
    packed = b"".join(chunk.packed for chunk in chunks)
    place = next((first - 8 for name, first, _ in positions(stream) if name == b"data"), None)
    if place is None:
        raise ValueError("not a WAV file")
    end = stream.seek(0, os.SEEK_END)
    if is_rf64:
        _write_at(stream, 20, struct.pack("<Q", end + len(packed) - 8))
    elif end + len(packed) - 8 < 2**32:
        _write_at(stream, 4, struct.pack("<I", end + len(packed) - 8))
    else:
        raise ValueError("too large")
    insert_bytes(stream, place, packed)


def insert_bytes(stream: BinaryIO, place: int, inserted: bytes) -> None:
    """Put bytes into a file, whatever its length.

    Args:
        stream: the whole file; readable, writable, seekable.
        place: where they begin.
        inserted: the bytes.
    """
    end = stream.seek(0, os.SEEK_END)
    for stop in range(end, place, -LARGEST_BYTES):  # from behind: each block moves to where nothing is needed any more
        start = max(place, stop - LARGEST_BYTES)
        stream.seek(start)
        block = stream.read(stop - start)
        _write_at(stream, start + len(inserted), block)
    _write_at(stream, place, inserted)


def text(raw: bytes) -> str:
    """What the bytes of a text say, which may be of this century or the last."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _write_at(stream: BinaryIO, position: int, data: bytes) -> None:
    stream.seek(position)
    stream.write(data)
