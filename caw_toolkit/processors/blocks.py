"""Streaming in fixed blocks: the same blocks are processed whatever the chunks are that the signal arrives in.

Whole signals go through the same blocks, so that streamed and whole-file output agree by construction.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from caw_toolkit.arrays import Array
from caw_toolkit.dsp.overlap_add import BlockJoiner

__all__ = ["BlockStream"]


class BlockStream:
    """Processes a signal block by block, each with context on both sides, crossfaded where they meet.

    The first sample comes out after `block + after` samples have gone in: what is before a block costs computing
    time, and only what is after it costs latency. No more than `before + grid + block + after` samples and one chunk
    are kept.

    Args:
        process: called with a stretch of the signal, `(channels, samples)`, and the position of its first sample, which
            is a multiple of `grid`. Returns as many samples.
        channels: of the signal.
        block: samples that each call adds to the result.
        before: samples that a call is given before them, and up to `grid` more; less at the start of the signal.
        after: samples that it is given after them; less at the end.
        fade: samples over which a block is crossfaded into the next; at most `after`.
        grid: stretches begin at multiples of it.

    Example:
        >>> stream = BlockStream(lambda audio, first: 2 * audio, channels=1, block=4, before=2, after=2, fade=1)
        >>> stream.push(np.ones((1, 7), np.float32)).shape  # one block, with context after it
        (1, 4)
        >>> stream.flush()
        array([[2., 2., 2.]], dtype=float32)
    """

    def __init__(
        self,
        process: Callable[[Array, int], Array],
        channels: int,
        *,
        block: int,
        before: int,
        after: int,
        fade: int,
        grid: int = 1,
    ) -> None:
        self._process = process
        self._block = block
        self._before = before
        self._after = after
        self._grid = grid
        self._fade = fade
        self._joiner = BlockJoiner(np.linspace(0, 1, fade, endpoint=False, dtype=np.float32))
        self._chunks = [np.zeros((channels, 0), np.float32)]
        self._origin = 0  # position of the first sample in `_chunks`
        self._received = 0  # samples that have gone in
        self._start = 0  # position of the next block

    def push(self, audio: Array) -> Array:
        """Take the next samples and return what is ready."""
        self._chunks.append(audio)
        self._received += audio.shape[1]
        ready = [self._chunks[0][:, :0]]
        while self._received >= self._start + self._block + self._after:
            ready.append(self._next_block())
        return np.concatenate(ready, axis=1)

    def flush(self) -> Array:
        """Process what is left, without context after it."""
        ready = [self._chunks[0][:, :0]]
        while self._start < self._received:
            ready.append(self._next_block())
        return np.concatenate(ready, axis=1)

    def _next_block(self) -> Array:
        signal = np.concatenate(self._chunks, axis=1)
        end = min(self._received, self._start + self._block + self._after)
        made = self._process(signal[:, : end - self._origin], self._origin)
        own = made[:, self._start - self._origin :][:, : self._block + self._fade]
        ready = self._joiner.join(own, keep=self._block)
        self._start += self._block
        first_needed = max(0, self._start - self._before) // self._grid * self._grid
        self._chunks = [signal[:, first_needed - self._origin :]]
        self._origin = first_needed
        return ready
