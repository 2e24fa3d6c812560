"""Samples on their way, in a temporary file: what is longer than memory, and needed twice."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import FloatArray
from caw_toolkit.audio.writing import BLOCK_SAMPLES
from caw_toolkit.errors import CawError

__all__ = ["SampleSpool"]


class SampleSpool:
    """Samples that were appended block by block, to be read from the beginning.

    They keep the precision of the first block: float32 or float64.

    Args:
        channels: of every block.
        beside: the file that they are for; they are kept in its folder, where there will be room for it.

    Example:
        >>> with SampleSpool(1) as spool:
        ...     spool.append(np.array([[1, 2, 3]], np.float32))
        ...     spool.rewind()
        ...     [spool.read(2), spool.read(2)]
        [array([[1., 2.]], dtype=float32), array([[3.]], dtype=float32)]

    .. versionadded:: 0.1
    """

    def __init__(self, channels: int, beside: Path | None = None) -> None:
        has_folder = beside is not None and str(beside) != "-" and beside.parent.is_dir()
        self._file = tempfile.TemporaryFile(dir=beside.parent if beside and has_folder else None)  # noqa: SIM115
        self._name = beside or "samples"
        self._channels = channels
        self._dtype: npt.DTypeLike | None = None
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
        self._dtype = self._dtype or block.dtype
        try:
            self._file.write(np.ascontiguousarray(block.T, dtype=self._dtype).tobytes())
        except OSError as error:
            raise CawError(f"cannot write {self._name}: no room for its samples ({error.strerror})") from error
        self.samples += block.shape[1]

    def rewind(self) -> None:
        """Read from the beginning next."""
        self._file.seek(0)

    def read(self, samples: int) -> FloatArray:
        """The next samples, `(channels, samples)`; fewer at the end.

        Args:
            samples: how many at most.
        """
        data = self._file.read(samples * self._channels * np.dtype(self._dtype).itemsize)
        block: FloatArray = np.frombuffer(data, self._dtype).reshape(-1, self._channels).T
        return block

    def blocks(self) -> Iterator[FloatArray]:
        """All samples from the beginning, in blocks."""
        self.rewind()
        while (block := self.read(BLOCK_SAMPLES)).shape[1]:
            yield block
