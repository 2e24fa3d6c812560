"""Streaming in fixed blocks: the same blocks are processed whatever the chunks are that the signal arrives in.

Whole signals go through the same blocks, so that streamed and whole-file output agree by construction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

import numpy as np

from caw_toolkit.arrays import Array
from caw_toolkit.dsp.overlap_add import BlockJoiner

__all__ = ["FILE_BLOCK_SECONDS", "BlockStream", "minute_stream"]

#: Length of the blocks in which long files are processed.
FILE_BLOCK_SECONDS = 60
#: Context that each has on both sides.
FILE_CONTEXT_SECONDS = 2


class BlockStream:
    """Processes a signal block by block, each with context on both sides, crossfaded where they meet.

    The first sample comes out after `block + after` samples have gone in: what is before a block costs computing
    time, and only what is after it costs latency. No more than `before + grid + block + after` samples and one chunk
    are kept.

    Args:
        process: called with a stretch of the signal, `(channels, samples)`, and the position of its first sample, which
            is a multiple of `grid`. Returns as many samples, or `ratio` times as many.
        channels: of the signal.
        block: samples that each call adds to the result.
        before: samples that a call is given before them, and up to `grid` more; less at the start of the signal.
        after: samples that it is given after them; less at the end.
        fade: samples over which a block is crossfaded into the next; at most `after`.
        grid: stretches begin at multiples of it.
        ratio: samples of the result for one of the signal; the grid and the blocks have to hold whole ones of both.

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
        ratio: Fraction = Fraction(1),
    ) -> None:
        self._process = process
        self._block = block
        self._before = before
        self._after = after
        self._grid = grid
        self._ratio = ratio
        self._fade = round(fade * ratio)
        self._joiner = BlockJoiner(np.linspace(0, 1, self._fade, endpoint=False, dtype=np.float32))
        self._chunks = [np.zeros((channels, 0), np.float32)]
        self._origin = 0  # position of the first sample in `_chunks`
        self._received = 0  # samples that have gone in
        self._start = 0  # position of the next block

    def run(self, chunks: Iterable[Array]) -> Iterator[Array]:
        """The result of a whole signal, part after part.

        Args:
            chunks: of the signal, `(channels, samples)` each.
        """
        for chunk in chunks:
            yield self.push(chunk)
        yield self.flush()

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
        kept = round(self._block * self._ratio)
        own = made[:, round((self._start - self._origin) * self._ratio) :][:, : kept + self._fade]
        ready = self._joiner.join(own, keep=kept)
        self._start += self._block
        first_needed = max(0, self._start - self._before) // self._grid * self._grid
        self._chunks = [signal[:, first_needed - self._origin :]]
        self._origin = first_needed
        return ready


def minute_stream(
    process: Callable[[Array, int], Array], channels: int, *, sample_rate: int, made_rate: int
) -> BlockStream:
    """A stream for files of any length: those up to a minute are processed as a whole, longer ones in such blocks.

    Args:
        process: called with a stretch of the signal, `(channels, samples)`, and the second at which it begins, a whole
            one. Returns its result.
        channels: of the signal.
        sample_rate: of the signal, Hz.
        made_rate: of the result, Hz.

    Example:
        >>> stream = minute_stream(lambda audio, second: audio[:, ::2], 1, sample_rate=8000, made_rate=4000)
        >>> sum(part.shape[1] for part in stream.run([np.zeros((1, 8000 * 90), np.float32)])) / 4000
        90.0

    .. versionadded:: 0.2
    """
    return BlockStream(
        lambda audio, first: process(audio, first // sample_rate),
        channels,
        block=FILE_BLOCK_SECONDS * sample_rate,
        before=FILE_CONTEXT_SECONDS * sample_rate,
        after=FILE_CONTEXT_SECONDS * sample_rate,
        fade=sample_rate // 4,
        grid=sample_rate,
        ratio=Fraction(made_rate, sample_rate),
    )
