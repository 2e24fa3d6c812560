"""Re-chunking: samples come in chunks of one size and are taken in another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from caw_toolkit.arrays import Array, FloatArray

__all__ = ["SampleQueue", "in_step", "rechunked"]


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
        self._chunks = [np.zeros((channels, 0), np.float32)]

    def __len__(self) -> int:
        """Samples that are waiting."""
        return sum(chunk.shape[1] for chunk in self._chunks)

    def push(self, chunk: Array) -> None:
        """Add a copy of samples at the end, `(channels, samples)`."""
        self._chunks.append(np.array(chunk))

    def pop(self, samples: int) -> Array:
        """Take samples from the beginning, `(channels, samples)`; fewer if fewer are waiting."""
        # Joined only here, and once: each push would copy all that is waiting.
        waiting = self._chunks[0] if len(self._chunks) == 1 else np.concatenate(self._chunks, axis=1)
        self._chunks = [waiting[:, samples:]]
        return waiting[:, :samples]


def rechunked(chunks: Iterable[Array], size: int) -> Iterator[Array]:
    """A signal in chunks of one size, the last of which may be shorter.

    >>> [chunk.shape[1] for chunk in rechunked([np.zeros((1, 3), np.float32), np.zeros((1, 4), np.float32)], 5)]
    [5, 2]
    """
    waiting: list[Array] = []
    samples = 0
    for chunk in chunks:
        waiting.append(chunk)
        samples += chunk.shape[1]
        while samples >= size:
            joined = np.concatenate(waiting, axis=1)
            yield joined[:, :size]
            waiting = [joined[:, size:].copy()]
            samples -= size
    if samples:
        yield np.concatenate(waiting, axis=1)


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
