"""Where a container says that its audio is, and how much of it; headers that are wrong, put right for the decoder.

Recorders that crash, programs that write to pipes and tools that cut files leave headers that state more or less than
there is. libsndfile believes some of them, and reads what is there of others without a word.
"""

from __future__ import annotations

import logging
import math
import os
import shlex
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias

from caw_toolkit.audio.container_chunks import W64_TAIL
from caw_toolkit.audio.riff_chunks import WAVE_FORMS, positions
from caw_toolkit.audio.views import Piece, View, id3_end
from caw_toolkit.errors import CawError

__all__ = ["audio_begins", "with_true_length"]

logger = logging.getLogger(__name__)

#: What files begin with that hold audio, and that an ID3 tag may precede.
_MAGIC = (*WAVE_FORMS, b"FORM", b"fLaC", b"OggS", b"caff", b".snd", b"dns.", b"riff")
_PCM_TAGS = (1, 3, 0xFFFE)
_AU_BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}
_HUGE = 0x60000000
#: The headers of chunks, and what their beginnings are multiples of where that is not 2.
_W64_CHUNK, _CAF_CHUNK = "<16sQ", ">4sq"
_ALIGNMENT = {_W64_CHUNK: 8, _CAF_CHUNK: 1}

#: Offset, how many bytes are replaced there, and by which.
Patch: TypeAlias = tuple[int, int, bytes]


def audio_begins(stream: BinaryIO) -> int | None:
    """Where a container begins, behind ID3 tags; None if none that is known here does."""
    start = id3_end(stream, 0)
    stream.seek(start)
    return start if stream.read(4) in _MAGIC else None


@dataclass(frozen=True)
class _Stated:
    """What a header says of its audio.

    Attributes:
        start: where the audio begins.
        audio: its bytes; negative if the header marks them as unknown.
        end: where the file ends; None if the header does not say so.
        frame: bytes that belong together.
        per_second: bytes.
        patches: what makes the header state so many bytes of audio.
        chunk: the layout of a chunk's header, as `_is_chain` takes it.
    """

    start: int
    audio: int
    end: int | None
    frame: int
    per_second: float
    patches: Callable[[int], list[Patch]]
    chunk: str | None = None


def with_true_length(stream: BinaryIO, name: str, start: int) -> View | None:
    """A container as it is, or with a header that states what is there.

    Args:
        stream: seekable.
        name: for messages.
        start: where the container begins.

    Returns:
        None if its header is right, or of no kind whose length is known here.

    Raises:
        CawError: the file is cut: its header says that there was more.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(start)
    magic = stream.read(4)
    try:
        stated = _READERS[magic](stream, start, magic) if magic in _READERS else None
    except (struct.error, OSError, ValueError, OverflowError):
        return None  # it ends within its header, or that leads nowhere: the decoder says so
    if stated is None or stated.start > size:
        return None
    present = size - stated.start
    audio = _true_audio(stream, name, stated, present, size)
    _tell_of_more_audio(stream, name, stated, stated.start + audio)
    if audio != stated.audio:
        audio -= audio % stated.frame  # a frame that is not whole
    elif magic != b"BW64" and not _has_more_than_audio(magic, stated, size):
        return None
    pieces: list[Piece] = []
    at = start
    patches = [*stated.patches(audio), *([(start, 4, b"RF64")] if magic == b"BW64" else [])]
    for offset, removed, replacement in sorted(patches):
        pieces += [(at, offset), replacement]
        at = offset + removed
    # Chunks behind the audio stay where the header was right about them.
    is_cut = audio != stated.audio or _has_more_than_audio(magic, stated, size)
    return View(stream, [*pieces, (at, stated.start + audio if is_cut else size)])


def _tell_of_more_audio(stream: BinaryIO, name: str, stated: _Stated, end: int) -> None:
    """Say so where another file follows, or a WAV has several chunks of audio, as joining files gives.

    Args:
        stream: seekable.
        name: for messages.
        stated: what the header says.
        end: of the audio.
    """
    has_more = [chunk for chunk, _, _ in positions(stream)].count(b"data") > 1
    for place in {end, end + -end % _ALIGNMENT.get(stated.chunk or "", 2), stated.end or end}:
        stream.seek(place)
        has_more |= stream.read(4) in _MAGIC
    if has_more:
        logger.warning("%s holds more audio behind its first, as of files that were joined: that is not read", name)


def _has_more_than_audio(magic: bytes, stated: _Stated, size: int) -> bool:
    """Whether a file is a W64 with something behind its audio, which libsndfile would play."""
    return magic == b"riff" and stated.start + stated.audio < size


def _true_audio(stream: BinaryIO, name: str, stated: _Stated, present: int, size: int) -> int:
    """How many bytes of audio there are."""
    if stated.audio <= 0 or _is_placeholder(stated.audio):
        end = stated.start + stated.audio
        end += -end % _ALIGNMENT.get(stated.chunk or "", 2)
        whole = 0 <= stated.audio <= present and stated.chunk and _is_chain(stream, end, size, stated.chunk)
        return stated.audio if whole else present
    if stated.audio <= present:
        return stated.audio
    absurd = stated.audio >= _HUGE and present < 0.01 * stated.audio
    whole_is_absurd = stated.end is None or _is_placeholder(stated.end) or stated.end >= _HUGE or stated.end <= size
    if (stated.end is not None and stated.end <= size) or (absurd and whole_is_absurd):
        logger.warning(
            "%s: its header overstates: it states %.2f s and holds %.2f s",
            name,
            stated.audio / stated.per_second,
            present / stated.per_second,
        )
        return present
    share = math.floor(1000 * present / stated.audio) / 10  # 99.96 % is not all of it
    file = "FILE" if name == "standard input" else shlex.quote(name)
    raise CawError(
        f"{name} is truncated: only {share:.1f} % of the audio that its header states is there; "
        f"to use what is there: ffmpeg -i {file} whole.wav"
    )


def _is_placeholder(size: int) -> bool:
    """Whether a size is what programs write that do not know it yet: the largest, less a header perhaps."""
    return 0x7FFF0000 <= size <= 0x7FFFFFFF or 0xFFFF0000 <= size <= 0xFFFFFFFF or size >= 1 << 62


def _is_chain(stream: BinaryIO, position: int, size: int, chunk: str) -> bool:
    """Whether chunks follow one another from a position to the end of the file."""
    header = struct.calcsize(chunk)
    while position + header <= size:
        stream.seek(position)
        identity, length = struct.unpack(chunk, stream.read(header))
        if length < 0 or not all(32 <= letter < 127 for letter in identity[:4]):
            return False
        position += length if chunk == _W64_CHUNK else header + length
        position += -position % _ALIGNMENT.get(chunk, 2)
        if chunk == _W64_CHUNK and length < 24:
            return False
    return size <= position <= size + 1


def _unpack(stream: BinaryIO, layout: str) -> tuple[Any, ...]:
    return struct.unpack(layout, stream.read(struct.calcsize(layout)))


def _wave_format(stream: BinaryIO, order: str) -> tuple[int, float]:
    """The bytes of a frame and of a second."""
    tag, _, rate, per_second, frame = _unpack(stream, order + "HHIIH")
    frame = max(1, frame)
    return frame, max(1, rate * frame if tag in _PCM_TAGS else per_second)


def _riff(stream: BinaryIO, start: int, magic: bytes) -> _Stated | None:
    order = ">" if magic == b"RIFX" else "<"
    outer, form = _unpack(stream, order + "I4s")
    if form != b"WAVE":
        return None
    position, frame, per_second = start + 12, 1, 1.0
    long_sizes, ds64 = None, 0  # in RF64
    while True:
        stream.seek(position)
        identity, length = _unpack(stream, order + "4sI")
        if identity == b"ds64":
            ds64, long_sizes = position + 8, _unpack(stream, "<QQ")
        elif identity == b"fmt ":
            frame, per_second = _wave_format(stream, order)
        elif identity == b"data":
            break
        position += 8 + length + length % 2
    audio = position + 8
    if long_sizes is not None and length == 0xFFFFFFFF:
        outer, length = long_sizes

    def patches(true: int) -> list[Patch]:
        whole = audio - start - 8 + true
        data = (position + 4, 4, b"\xff" * 4)
        if ds64:
            counts = struct.pack("<QQQ", whole, true, true // frame)
            return [(start + 4, 4, b"\xff" * 4), (ds64, 24, counts), data]
        if whole < 1 << 32 and magic in (b"RIFF", b"RIFX"):
            return [(start + 4, 4, struct.pack(order + "I", whole)), (position + 4, 4, struct.pack(order + "I", true))]
        ds64_chunk = struct.pack("<4sIQQQI", b"ds64", 28, whole + 36, true, true // frame, 0)
        return [(start, 12, b"RF64\xff\xff\xff\xffWAVE" + ds64_chunk), data]

    end = None if outer == 0 or _is_placeholder(outer) else start + 8 + outer
    return _Stated(audio, length, end, frame, per_second, patches, order + "4sI")


def _aiff(stream: BinaryIO, start: int, magic: bytes) -> _Stated | None:
    outer, form = _unpack(stream, ">I4s")
    if form not in (b"AIFF", b"AIFC"):
        return None
    position, found = start + 12, None
    frame, per_second, frames_at, of_pcm = 1, 1.0, 0, False
    while found is None or frames_at == 0:
        stream.seek(position)
        try:
            identity, length = _unpack(stream, ">4sI")
        except struct.error:
            break
        if identity == b"COMM":
            channels, _, bits, exponent, mantissa = _unpack(stream, ">hIhHQ")
            kind = stream.read(4) if form == b"AIFC" else b"NONE"
            of_pcm = kind in (b"NONE", b"sowt", b"twos", b"raw ", b"in24", b"in32", b"fl32", b"FL32", b"fl64", b"FL64")
            packet = {b"ima4": 34}.get(kind, max(1, bits + 7 >> 3) if of_pcm else 1)
            frame = max(1, channels) * packet
            rate = mantissa * 2.0 ** ((exponent & 0x7FFF) - 16446)
            frames_at, per_second = position + 10, max(1.0, frame * rate / (64 if kind == b"ima4" else 1))
        elif identity == b"SSND" and found is None:
            found = position, length, _unpack(stream, ">I")[0]
        position += 8 + length + length % 2
    if found is None:
        return None
    position, length, offset = found
    audio = position + 16 + offset

    def patches(true: int) -> list[Patch]:
        sizes = [
            (start + 4, 4, struct.pack(">I", min(0xFFFFFFFF, audio - start - 8 + true))),
            (position + 4, 4, struct.pack(">I", min(0xFFFFFFFF, 8 + offset + true))),
        ]
        count = struct.pack(">I", min(0xFFFFFFFF, true // frame))
        return [*sizes, (frames_at, 4, count)] if of_pcm and 0 < frames_at < audio else sizes

    end = None if outer == 0 or _is_placeholder(outer) else start + 8 + outer
    return _Stated(audio, max(0, length - 8 - offset), end, frame, per_second, patches, ">4sI")


def _w64(stream: BinaryIO, start: int, magic: bytes) -> _Stated | None:
    stream.seek(start + 16)
    outer, form = _unpack(stream, "<Q4s")
    if form != b"wave":
        return None
    position, frame, per_second = start + 40, 1, 1.0
    while True:
        stream.seek(position)
        identity, tail, length = _unpack(stream, "<4s12sQ")
        if identity == b"fmt " and tail == W64_TAIL:
            frame, per_second = _wave_format(stream, "<")
        elif identity == b"data" and tail == W64_TAIL:
            break
        position += max(24, -(-length // 8) * 8)
    audio = position + 24

    def patches(true: int) -> list[Patch]:
        sizes = (start + 16, audio - start + true), (position + 16, 24 + true)
        return [(offset, 8, struct.pack("<Q", size)) for offset, size in sizes]

    end = None if outer == 0 or _is_placeholder(outer) else start + outer
    stated = length if _is_placeholder(length) else max(0, length - 24)
    return _Stated(audio, stated, end, frame, per_second, patches, _W64_CHUNK)


def _caf(stream: BinaryIO, start: int, magic: bytes) -> _Stated | None:
    position, frame, per_second = start + 8, 1, 1.0
    while True:
        stream.seek(position)
        identity, length = _unpack(stream, ">4sq")
        if identity == b"desc":
            rate, _, _, packet, in_packet = _unpack(stream, ">d4sIII")
            frame = max(1, packet)
            per_second = max(1.0, rate * packet / max(1, in_packet))
        elif identity == b"data":
            break
        if length < 0:
            return None
        position += 12 + length
    size = position + 4
    # Before the audio stand four bytes that count edits.
    audio = length if length < 0 else max(0, length - 4)
    return _Stated(
        position + 16, audio, None, frame, per_second, lambda true: [(size, 8, struct.pack(">q", true + 4))], _CAF_CHUNK
    )


def _au(stream: BinaryIO, start: int, magic: bytes) -> _Stated | None:
    order = ">" if magic == b".snd" else "<"
    offset, length, encoding, rate, channels = _unpack(stream, order + "IIIII")
    frame = max(1, channels) * _AU_BYTES.get(encoding, 1)
    length = 0 if length == 0xFFFFFFFF else length

    def patches(true: int) -> list[Patch]:
        return [(start + 8, 4, struct.pack(order + "I", min(0xFFFFFFFF, true)))]

    return _Stated(start + offset, length, None, frame, max(1.0, float(rate * frame)), patches)


_READERS: dict[bytes, Callable[[BinaryIO, int, bytes], _Stated | None]] = {
    **dict.fromkeys(WAVE_FORMS, _riff),
    **dict.fromkeys((b".snd", b"dns."), _au),
    b"FORM": _aiff,
    b"riff": _w64,
    b"caff": _caf,
}
