"""Samples of any number in a temporary file: read from any place, as often as one likes, and never all in memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import FloatArray
from caw_toolkit.audio.decoding import opened
from caw_toolkit.audio.source_format import SourceFormat
from caw_toolkit.audio.writing import BLOCK_SAMPLES
from caw_toolkit.errors import CawError

__all__ = ["SampleSpool", "SpooledAudio", "spooled_audio"]


class SampleSpool:
    """Samples that were appended block by block, in a temporary file.

    They keep the precision of the first block: float32 or float64.

    Args:
        channels: of every block.
        beside: the file that they are for: they are kept in its folder if that can be written to, for there has to be
            room for it anyway.

    Example:
        >>> with SampleSpool(1) as spool:
        ...     spool.append(np.array([[1, 2, 3]], np.float32))
        ...     spool.samples, spool.read(1, 9).tolist()
        (3, [[2.0, 3.0]])

    .. versionadded:: 0.2
    """

    def __init__(self, channels: int, beside: Path | None = None) -> None:
        self._file = tempfile.TemporaryFile(dir=_folder_beside(beside))  # noqa: SIM115 (closed by __exit__)
        self._name = beside or "samples"
        self._channels = channels
        self._dtype: npt.DTypeLike = np.float32
        self.samples = 0

    def __enter__(self) -> SampleSpool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, block: FloatArray) -> None:
        """Add samples at the end.

        Args:
            block: `(channels, samples)`.

        Raises:
            CawError: there is no room.
        """
        if self.samples == 0:
            self._dtype = block.dtype
        try:
            self._file.seek(self.samples * self._frame_bytes)
            self._file.write(np.ascontiguousarray(block.T, dtype=self._dtype).tobytes())
        except OSError as error:
            raise CawError(f"cannot write {self._name}: no room for its samples ({error.strerror})") from error
        self.samples += block.shape[1]

    def read(self, start: int, stop: int) -> FloatArray:
        """A stretch of the samples, `(channels, samples)`.

        Args:
            start: first sample.
            stop: first sample after it. What lies beyond the samples is left out.
        """
        start, stop = max(0, start), min(stop, self.samples)
        self._file.seek(start * self._frame_bytes)
        data = self._file.read(max(0, stop - start) * self._frame_bytes)
        samples: FloatArray = np.frombuffer(data, self._dtype).reshape(-1, self._channels).T
        return samples

    def blocks(self) -> Iterator[FloatArray]:
        """All samples from the beginning, in blocks of `BLOCK_SAMPLES`."""
        return (self.read(start, start + BLOCK_SAMPLES) for start in range(0, self.samples, BLOCK_SAMPLES))

    @property
    def _frame_bytes(self) -> int:
        return self._channels * np.dtype(self._dtype).itemsize


@dataclass(frozen=True)
class SpooledAudio:
    """A recording, decoded into a temporary file.

    Attributes:
        name: for messages.
        channels: 1 or 2.
        sample_rate: Hz.
        source: how it was stored.
        samples: per channel.

    Example:
        >>> from caw_toolkit import write_audio
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = write_audio(Path(folder, "tone.wav"), np.full((2, 4000), 0.5), 8000).path
        ...     with spooled_audio(path) as audio:
        ...         audio.seconds, audio.read(3000, 3500).shape, audio.read(3900, 9000).shape
        (0.5, (2, 500), (2, 100))

    .. versionadded:: 0.2
    """

    name: str
    channels: int
    sample_rate: int
    source: SourceFormat
    samples: int
    _spool: SampleSpool

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

    .. versionadded:: 0.2
    """
    with opened(source) as recording, SampleSpool(recording.channels, beside) as spool:
        for block in recording.blocks(is_deep=recording.source.is_deep):
            spool.append(block)
            if on_progress is not None and recording.samples:
                on_progress(min(1.0, spool.samples / recording.samples))
        yield SpooledAudio(
            recording.name, recording.channels, recording.sample_rate, recording.source, spool.samples, spool
        )


def _folder_beside(file: Path | None) -> Path | None:
    """The folder of a file, if temporary files can be there; None is where those go otherwise."""
    if file is None or str(file) == "-" or not os.access(file.parent, os.W_OK | os.X_OK):
        return None
    return file.parent
