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

    The first sample comes out after `block + context` samples have gone in; no more than `block + 2 * context` samples
    and one chunk are kept.

    Args:
        process: called with a stretch of the signal, `(channels, samples)`, and the position of its first sample, which
            is a multiple of the greatest common divisor of `block` and `context`. Returns as many samples.
        channels: of the signal.
        block: samples that each call adds to the result.
        context: samples that a call is given before and after them, less at the ends of the signal.
        fade: samples over which a block is crossfaded into the next; at most `context`.

    Example:
        >>> stream = BlockStream(lambda audio, first: 2 * audio, channels=1, block=4, context=2, fade=1)
        >>> stream.push(np.ones((1, 7), np.float32)).shape  # one block, with context after it
        (1, 4)
        >>> stream.flush()
        array([[2., 2., 2.]], dtype=float32)
    """

    def __init__(
        self, process: Callable[[Array, int], Array], channels: int, *, block: int, context: int, fade: int
    ) -> None:
        self._process = process
        self._block = block
        self._context = context
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
        while self._received >= self._start + self._block + self._context:
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
        end = min(self._received, self._start + self._block + self._context)
        made = self._process(signal[:, : end - self._origin], self._origin)
        own = made[:, self._start - self._origin :][:, : self._block + self._fade]
        ready = self._joiner.join(own, keep=self._block)
        self._start += self._block
        first_needed = max(0, self._start - self._context)
        self._chunks = [signal[:, first_needed - self._origin :]]
        self._origin = first_needed
        return ready
