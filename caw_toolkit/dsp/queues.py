"""Re-chunking: samples come in chunks of one size and are taken in another."""

from __future__ import annotations

import numpy as np

from caw_toolkit.arrays import Array

__all__ = ["SampleQueue"]


class SampleQueue:
    """First in, first out.

    Args:
        channels: of the signal.

    Example:
        >>> queue = SampleQueue(channels=1)
        >>> queue.push(np.array([[1, 2, 3]], np.float32))
        >>> queue.pop(2)
        array([[1., 2.]], dtype=float32)
        >>> len(queue)
        1
    """

    def __init__(self, channels: int) -> None:
        self._samples = np.zeros((channels, 0), np.float32)

    def __len__(self) -> int:
        """Samples that are waiting."""
        return int(self._samples.shape[1])

    def push(self, chunk: Array) -> None:
        """Add samples at the end, `(channels, samples)`."""
        self._samples = np.concatenate([self._samples, chunk], axis=1)

    def pop(self, samples: int) -> Array:
        """Take samples from the beginning, `(channels, samples)`; fewer if fewer are waiting."""
        taken, self._samples = self._samples[:, :samples], self._samples[:, samples:]
        return taken
