"""MPEG audio (MP3, and layers I and II): its frames found and counted, so that it is decoded to the last sample.

libsndfile believes the number of frames in the Xing or Info frame at the beginning, and guesses it where there is none.
Both are wrong for joined files and for streams.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, repeat
from typing import BinaryIO

from caw_toolkit.audio.views import Piece, View, id3_end
from caw_toolkit.errors import CawError

__all__ = ["MpegSegment", "begins_with_mpeg", "mpeg_segments"]

_BLOCK = 1 << 20
_DECODER_DELAY = 529  # samples that libsndfile takes off with the encoder's
_FRAMES_IN_A_ROW = 3  # that agree, to be taken for frames
_LONGEST_FRAME = 4608  # bytes; layers I to III
_SEARCHED_BYTES = 1 << 16  # behind tags and zeros, for the first frame
_XING = (b"Xing", b"Info")
_HEAD = 44  # bytes of a frame in which its header and the name of a Xing, Info or VBRI frame lie
#: Bits of the second and third byte of a header that stay the same: version and layer, sample rate.
_KEPT = 0x1E, 0x0C
#: kbit/s by index, of layers I to III of MPEG 1 and then of MPEG 2 and 2.5; 0 is another or none.
_KBPS = {
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}


@dataclass(frozen=True)
class _Header:
    """What the four bytes before a frame say.

    Attributes:
        data: these bytes.
        length: of the frame, in bytes.
    """

    data: bytes
    version_1: bool
    layer: int
    sample_rate: int
    length: int

    @property
    def channels(self) -> int:
        return 1 if self.data[3] >= 0xC0 else 2

    @property
    def samples(self) -> int:
        """In a frame, per channel."""
        return 384 if self.layer == 1 else 1152 if self.layer == 2 or self.version_1 else 576

    @property
    def side_bytes(self) -> int:
        """Of the frame, before its audio or the name of a Xing frame."""
        return 4 + (32, 17)[self.channels == 1] if self.version_1 else 4 + (17, 9)[self.channels == 1]


def _header(data: bytes, at: int = 0) -> _Header | None:
    """None if a frame of known length does not begin there."""
    if len(data) < at + 4 or data[at] != 0xFF or data[at + 1] < 0xE0 or data[at + 3] & 3 == 2:
        return None
    version, layer = data[at + 1] >> 3 & 3, 4 - (data[at + 1] >> 1 & 3)
    rate_index = data[at + 2] >> 2 & 3
    if version == 1 or layer == 4 or rate_index == 3:
        return None
    kbps = _KBPS[version == 3, layer][data[at + 2] >> 4]
    if kbps == 0:
        return None
    rate = (44100, 48000, 32000)[rate_index] >> {3: 0, 2: 1, 0: 2}[version]
    padding = data[at + 2] >> 1 & 1
    if layer == 1:
        length = (12000 * kbps // rate + padding) * 4
    else:
        length = (144000 if layer == 2 or version == 3 else 72000) * kbps // rate + padding
    return _Header(data[at : at + 4], version == 3, layer, rate, length)


@lru_cache(maxsize=8)
def _lengths(second: int, third: int) -> list[int]:
    """The lengths of the frames that agree with a header, by its second and third byte; 0 for others."""
    lengths = [0] * 65536
    for low in (0, 1):
        for high in range(256):
            if high & _KEPT[1] == third & _KEPT[1]:
                byte = second & 0xFE | low
                header = _header(bytes((0xFF, byte, high, 0)))
                lengths[byte << 8 | high] = header.length if header else 0
    return lengths


@dataclass
class MpegSegment:
    """Frames that were encoded together: what stands between two files that were joined.

    Attributes:
        header: of its first frame.
        frames: counted, without one that only describes them.
        stated: how many its Xing or Info frame states; None without.
        is_cut: whether it states clearly more frames than there are.
    """

    header: _Header
    tag: bytes = b""
    stated: int | None = None
    frames: int = 0
    ranges: list[tuple[int, int]] = field(default_factory=list)

    @property
    def is_cut(self) -> bool:
        return self.stated is not None and self.stated > self.frames + 1

    @property
    def samples(self) -> int:
        """Per channel, with the encoder's delay and padding."""
        return self.frames * self.header.samples

    @property
    def samples_there(self) -> int:
        """Per channel, without the delay if that is stated: all there are if it is cut, more if it is not."""
        at = self._delay_at
        stated = None if at is None else int.from_bytes(self.tag[at : at + 2], "big") >> 4
        return self.samples - (0 if stated is None else stated + _DECODER_DELAY)

    @property
    def _delay_at(self) -> int | None:
        """Where the describing frame states the encoder's delay and padding, in three bytes."""
        at = self.header.side_bytes + 8
        if self.stated is None:
            return None
        flags = self.tag[at - 1]
        at += 4 + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1) + 21
        return at if len(self.tag) >= at + 3 else None

    def view(self, stream: BinaryIO) -> View:
        """What the decoder is given: the frames, and zeros behind them if they say nothing of their number."""
        if self.stated is None:
            # libsndfile divides the size by that of the first frames, and stops there. A large one takes it to the end.
            return View(stream, self.ranges, padded_size=self.frames * _LONGEST_FRAME)
        pieces: list[Piece] = [self._corrected_tag(self.stated), *self.ranges]
        return View(stream, pieces)

    def _corrected_tag(self, stated: int) -> bytes:
        """The same with the counted numbers of frames and bytes. If there are more frames, none of them is padding."""
        at = self.header.side_bytes
        tag, flags = bytearray(self.tag), self.tag[at + 7]
        if not self.is_cut:
            struct.pack_into(">I", tag, at + 8, self.frames)
        if flags & 2 and len(tag) >= at + 16:
            size = len(tag) + sum(end - start for start, end in self.ranges)
            struct.pack_into(">I", tag, at + 12, min(size, 0xFFFFFFFF))
        if self.frames > stated and self._delay_at is not None:
            tag[self._delay_at + 1] &= 0xF0
            tag[self._delay_at + 2] = 0
        return bytes(tag)


def begins_with_mpeg(stream: BinaryIO) -> bool:
    """Whether frames stand at the beginning, behind ID3 tags or zeros at most."""
    start = _behind_zeros(stream, id3_end(stream, 0))
    return start is not None and _next_run(stream, start, start + 1, None) == start


def mpeg_segments(stream: BinaryIO, name: str) -> list[MpegSegment]:
    """The frames of a file, counted.

    Args:
        stream: seekable.
        name: for messages.

    Returns:
        Empty if no frames are found.

    Raises:
        CawError: parts differ in their sample rate or channels.
    """
    size = stream.seek(0, os.SEEK_END)
    begin = _behind_zeros(stream, id3_end(stream, 0))
    position = None if begin is None else _next_run(stream, begin, begin + _SEARCHED_BYTES, None)
    segments: list[MpegSegment] = []
    while position is not None:
        stream.seek(position)
        head = stream.read(_LONGEST_FRAME)
        header = _header(head)
        if header is None:
            break
        tagged = _stated_frames(head, header)
        if tagged is not None or not segments or not _same(segments[-1].header, header):
            segments.append(MpegSegment(header))
        segment = segments[-1]
        _refuse_another(segments[0].header, header, name)
        start = position
        if tagged is not None:
            start += header.length
            segment.stated = tagged or None  # a frame that does not say how many is replaced
            segment.tag = head[: header.length] if tagged else b""
        end, frames, at_tag = _run(stream, start, size, header)
        if frames:
            segment.frames += frames
            segment.ranges.append((start, end))
        if end == position:  # the last frame is not whole
            break
        position = end if at_tag else _next_run(stream, id3_end(stream, end), size, header)
    return [segment for segment in segments if segment.frames]


def _same(one: _Header, other: _Header) -> bool:
    kept = (one.data[1] ^ other.data[1]) & _KEPT[0] | (one.data[2] ^ other.data[2]) & _KEPT[1]
    return kept == 0 and one.channels == other.channels


def _refuse_another(first: _Header, other: _Header, name: str) -> None:
    if (first.sample_rate, first.channels) != (other.sample_rate, other.channels):
        parts = (f"{part.sample_rate} Hz {'mono' if part.channels == 1 else 'stereo'}" for part in (first, other))
        raise CawError(
            f"{name} is joined of recordings of different kinds ({', '.join(parts)}): convert each by itself"
        )


def _stated_frames(frame: bytes, header: _Header) -> int | None:
    """How many a describing frame states, 0 if it does not say; None if it holds audio."""
    if header.layer != 3:
        return None
    if frame[36:40] == b"VBRI":  # says nothing of the encoder's delay, so that a frame that is made here is as good
        return 0
    at = header.side_bytes
    if frame[at : at + 4] not in _XING:
        return None
    return int.from_bytes(frame[at + 8 : at + 12], "big") if frame[at + 7] & 1 and at + 12 <= header.length else 0


def _run(stream: BinaryIO, start: int, size: int, header: _Header) -> tuple[int, int, bool]:
    """Frames that follow one another and agree with a header.

    Returns:
        Where they end, their number, and whether a frame follows that describes others.
    """
    lengths, is_mono = _lengths(header.data[1], header.data[2]), header.channels == 1
    side, has_tags = header.side_bytes, header.layer == 3
    position, frames = start, 0
    while True:
        stream.seek(position)
        block = stream.read(_BLOCK)
        left = size - position
        last = len(block) - (4 if len(block) == left else _HEAD)
        at = 0
        while at <= last:
            length = lengths[block[at + 1] << 8 | block[at + 2]]
            if not length or block[at] != 0xFF or (block[at + 3] >= 0xC0) != is_mono or at + length > left:
                return position + at, frames, False
            if has_tags and (
                block[at + side : at + side + 4] in (b"Xing", b"Info") or block[at + 36 : at + 40] == b"VBRI"
            ):
                return position + at, frames, True
            at += length
            frames += 1
        position += at
        if len(block) == left:
            return position, frames, False


def _next_run(stream: BinaryIO, start: int, stop: int, header: _Header | None) -> int | None:
    """Where frames begin, between two offsets. One that agrees with a header may be the last of the file."""
    size = stream.seek(0, os.SEEK_END)
    while start < min(stop, size - 4):
        stream.seek(start)
        block = stream.read(_BLOCK)
        is_last = start + len(block) >= size
        whole = len(block) if is_last else len(block) - (_FRAMES_IN_A_ROW + 1) * _LONGEST_FRAME
        at = block.find(b"\xff")
        while 0 <= at < min(whole, stop - start):
            if _begins_run(block, at, header):
                return start + at
            at = block.find(b"\xff", at + 1)
        start += whole
        if is_last:
            break
    return None


def _begins_run(block: bytes, at: int, known: _Header | None) -> bool:
    first = _header(block, at)
    if first is None:
        return False
    position = at
    for count in range(_FRAMES_IN_A_ROW):
        header = _header(block, position)
        if position == len(block):
            return count >= 2 or (known is not None and _same(known, first))
        if header is None or not _same(first, header):
            return False
        position += header.length
        if position > len(block):
            return False
    return True


def _behind_zeros(stream: BinaryIO, start: int) -> int | None:
    """The offset of the first byte that is not zero; None if there is none."""
    stream.seek(start)
    for base in chain([start], repeat(None)):
        start = base if base is not None else start + _BLOCK
        block = stream.read(_BLOCK)
        if not block:
            return None
        if rest := block.lstrip(b"\0"):
            return start + len(block) - len(rest)
    return None
