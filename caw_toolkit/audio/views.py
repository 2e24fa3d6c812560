"""Streams made of pieces of another: what is in the way left out, what is wrong replaced, nothing copied."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, BinaryIO, TypeAlias

__all__ = ["Piece", "View", "id3_end", "id3_ranges"]

#: Bytes, or a range of a stream.
Piece: TypeAlias = bytes | tuple[int, int]


class View(io.RawIOBase):
    """Pieces of a stream, and bytes in between, as one file. Closing it leaves the stream open.

    Args:
        stream: seekable.
        pieces: in order; ranges are `(start, end)`.
        padded_size: zeros follow up to this number of bytes, if there are fewer.
    """

    def __init__(self, stream: BinaryIO, pieces: Sequence[Piece], *, padded_size: int = 0) -> None:
        self._stream = stream
        self._pieces = [piece for piece in pieces if _length(piece) > 0]
        self._ends = list(accumulate(_length(piece) for piece in self._pieces))
        self._size = max(padded_size, self._ends[-1] if self._ends else 0)
        self.failure: OSError | None = None  # no exception gets through the C code of libsndfile
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position}.get(whence, self._size)
        self._position = max(0, origin + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        index = bisect_right(self._ends, self._position)
        if index == len(self._pieces):
            zeros = min(len(buffer), max(0, self._size - self._position))
            buffer[:zeros] = bytes(zeros)
            self._position += zeros
            return zeros
        piece = self._pieces[index]
        inside = self._position - (self._ends[index] - _length(piece))
        if isinstance(piece, bytes):
            data = piece[inside : inside + len(buffer)]
        else:
            data = self._data_at(piece[0] + inside, min(len(buffer), piece[1] - piece[0] - inside))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _data_at(self, position: int, size: int) -> bytes:
        """What the stream holds there; nothing, as at its end, where it cannot be read."""
        try:
            self._stream.seek(position)
            return self._stream.read(size)
        except OSError as error:
            self.failure = error
            return b""


def _length(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]


def id3_end(stream: BinaryIO, start: int) -> int:
    """Where the ID3v2 tags end that begin at an offset; that offset if there are none."""
    ranges = id3_ranges(stream, start)
    return ranges[-1][1] if ranges else start


def id3_ranges(stream: BinaryIO, start: int) -> list[tuple[int, int]]:
    """Where each of the ID3v2 tags begins and ends that follow each other from an offset on."""
    ranges: list[tuple[int, int]] = []
    while True:
        stream.seek(start)
        head = stream.read(10)
        if len(head) < 10 or head[:3] != b"ID3" or max(head[6:]) > 127:
            return ranges
        has_footer = head[5] >> 4 & 1
        end = start + 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]) + 10 * has_footer
        ranges.append((start, end))
        start = end
