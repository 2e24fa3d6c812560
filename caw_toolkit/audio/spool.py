"""Samples of any number in a temporary file: read from any place, as often as one likes, and never all in memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import FloatArray
from caw_toolkit.audio.decoding import opened
from caw_toolkit.audio.source_format import SourceFormat
from caw_toolkit.audio.writing import BLOCK_SAMPLES
from caw_toolkit.errors import CawError

__all__ = ["SpooledAudio", "spooled_audio"]


class Spool:
    """Samples in a temporary file.

    Args:
        stream: the file; empty, readable and writable.
        channels: of the samples.
        is_deep: keep float64 instead of float32.
    """

    def __init__(self, stream: BinaryIO, channels: int, *, is_deep: bool) -> None:
        self._stream, self._channels = stream, channels
        self._dtype: npt.DTypeLike = np.float64 if is_deep else np.float32
        self._frame_bytes = channels * (8 if is_deep else 4)
        self.samples = 0

    def append(self, block: FloatArray) -> None:
        """Add samples at the end, `(channels, samples)`.

        Raises:
            OSError: there is no room for them.
        """
        self._stream.seek(self.samples * self._frame_bytes)
        self._stream.write(np.ascontiguousarray(block.T, dtype=self._dtype).tobytes())
        self.samples += block.shape[1]

    def read(self, start: int, stop: int) -> FloatArray:
        """A stretch of the samples, `(channels, samples)`; only what lies within them."""
        start, stop = max(0, start), min(stop, self.samples)
        self._stream.seek(start * self._frame_bytes)
        data = self._stream.read(max(0, stop - start) * self._frame_bytes)
        samples: FloatArray = np.frombuffer(data, self._dtype).reshape(-1, self._channels).T
        return samples

    def blocks(self) -> Iterator[FloatArray]:
        """All samples, in blocks of `BLOCK_SAMPLES`."""
        return (self.read(start, start + BLOCK_SAMPLES) for start in range(0, self.samples, BLOCK_SAMPLES))


@dataclass(frozen=True)
class SpooledAudio:
    """A recording, decoded into a temporary file.

    Attributes:
        name: for messages.
        channels: 1 or 2.
        sample_rate: Hz.
        source: how it was stored.
        samples: per channel.

    .. versionadded:: 0.1
    """

    name: str
    channels: int
    sample_rate: int
    source: SourceFormat
    samples: int
    _spool: Spool

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return self.samples / self.sample_rate

    def read(self, start: int, stop: int) -> FloatArray:
        """A stretch of the recording, `(channels, samples)`.

        Args:
            start: first sample.
            stop: first sample after it. What lies beyond the recording is left out.

        Returns:
            float32; float64 of files of 32-bit integer and of double samples, which keep all their bits.
        """
        return self._spool.read(start, stop)

    def blocks(self) -> Iterator[FloatArray]:
        """The recording from its beginning, in blocks as `read` gives."""
        return self._spool.blocks()


@contextmanager
def spooled_audio(
    source: str | Path, *, beside: Path | None = None, on_progress: Callable[[float], None] | None = None
) -> Iterator[SpooledAudio]:
    """Decode a file once, to read it from any place: pipes, MP3 and what ffmpeg decodes included.

    Args:
        source: as for `read_audio`.
        beside: file in whose folder the temporary file goes, if that can be written to; default: where those go.
        on_progress: called with the share that is decoded, where the file says how long it is.

    Raises:
        CawUsageError: as for `read_audio`.
        CawError: as for `read_audio`, or there is no room for the samples.

    Example:
        >>> from caw_toolkit import write_audio
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "tone.wav")
        ...     written = write_audio(path, np.full((1, 8000), 0.5), 8000)
        ...     with spooled_audio(path) as audio:
        ...         audio.samples, audio.read(7998, 9000).tolist()
        (8000, [[0.5, 0.5]])

    .. versionadded:: 0.1
    """
    with opened(source) as recording, tempfile.TemporaryFile(dir=folder_for_spool(beside)) as stream:
        spool = Spool(stream, recording.channels, is_deep=recording.source.is_deep)
        for block in recording.blocks(is_deep=recording.source.is_deep):
            _append(spool, block, recording.name)
            if on_progress is not None and recording.samples:
                on_progress(min(1.0, spool.samples / recording.samples))
        yield SpooledAudio(
            recording.name, recording.channels, recording.sample_rate, recording.source, spool.samples, spool
        )


def folder_for_spool(beside: Path | None) -> Path | None:
    """The folder of a file, if temporary files can be there; None is where those go otherwise."""
    if beside is None or str(beside) == "-" or not os.access(beside.parent, os.W_OK | os.X_OK):
        return None
    return beside.parent


def _append(spool: Spool, block: FloatArray, name: str) -> None:
    try:
        spool.append(block)
    except OSError as error:
        raise CawError(f"cannot decode {name}: no room for its samples ({error.strerror})") from error


def in_step(one: Iterable[FloatArray], other: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Two signals in blocks, in blocks of the same lengths; where one of them ends first, an empty one and the rest.

    >>> [(a.shape[1], b.shape[1]) for a, b in in_step([np.zeros((1, 5))], [np.zeros((1, 2)), np.zeros((1, 9))])]
    [(2, 2), (3, 3), (0, 6)]
    """
    signals = [iter(one), iter(other)]
    blocks = [next(signal) for signal in signals]
    while all(block.shape[1] for block in blocks):
        count = min(block.shape[1] for block in blocks)
        yield blocks[0][:, :count], blocks[1][:, :count]
        rests = [block[:, count:] for block in blocks]
        blocks = [rest if rest.shape[1] else next(signal, rest) for rest, signal in zip(rests, signals, strict=True)]
    if any(block.shape[1] for block in blocks):
        yield blocks[0], blocks[1]
