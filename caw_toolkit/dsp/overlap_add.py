"""Overlap-add: joining blocks that share some samples with their neighbours.

        block 0   ──────────────╲
        block 1               ╱──────────────╲
        block 2                            ╱──────────────

Over the samples that two blocks share, the later one rises from 0 to 1 while the earlier one falls from 1 to 0. Whoever
makes the blocks gives each of them enough context that both are about the same there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import Array

if TYPE_CHECKING:
    from torch import Tensor

    Frames = TypeVar("Frames", npt.NDArray[Any], Tensor)

#: For plugins; what else is here belongs to the engine.
__all__ = ["BlockJoiner", "crossfade"]


def crossfade(before: Array, after: Array, rise: Array) -> Array:
    """Lead from one signal to another. Where both are the same, that is what comes out, to the last bit.

    Args:
        before: what is left.
        after: what is entered.
        rise: weight of `after`, from 0 to 1; that of `before` is what is missing to 1.

    Shape:
        before, after and the result: `(channels, samples)`; rise: `(samples,)`

    Example:
        >>> crossfade(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32), np.array([0, 0.5, 1], np.float32))
        array([[0. , 0.5, 1. ]], dtype=float32)
    """
    led: Array = np.where(before == after, after, before * (1 - rise) + after * rise)  # the sum alone would be rounded
    return led


class BlockJoiner:
    """Joins successive blocks of a signal.

    Args:
        rise: how a block comes in over the samples that it shares with the one before; the most that they may share.

    Example:
        >>> joiner = BlockJoiner(np.array([0.25, 0.75], np.float32))
        >>> joiner.join(np.ones((1, 4), np.float32), keep=2)
        array([[1., 1.]], dtype=float32)
        >>> joiner.join(np.zeros((1, 3), np.float32), keep=3)
        array([[0.75, 0.25, 0.  ]], dtype=float32)
    """

    def __init__(self, rise: Array) -> None:
        self._rise = rise
        self._held: Array | None = None

    def join(self, block: Array, *, keep: int) -> Array:
        """Take the next block, which begins with what the one before has held back.

        Args:
            block: `(channels, samples)`.
            keep: samples that this block is the last to change; the rest is shared with the next.

        Returns:
            `(channels, keep)`, fewer if the block is shorter.
        """
        joined = np.array(block)
        if self._held is not None:
            shared = min(self._held.shape[1], joined.shape[1])
            joined[:, :shared] = crossfade(self._held[:, :shared], joined[:, :shared], self._rise[:shared])
        self._held = joined[:, keep:]
        return joined[:, :keep]


def add_halves(frames: Frames) -> Frames:
    """Add windowed frames, each of which begins in the middle of the one before.

    The first half of the first frame and the second half of the last stand alone and are left out.

    Args:
        frames: NumPy array or torch tensor.

    Shape:
        `(..., frames, 2 * hop) -> (..., (frames - 1) * hop)`
    """
    hop = frames.shape[-1] // 2
    added = frames[..., :-1, hop:] + frames[..., 1:, :hop]
    joined: Frames = added.reshape(*added.shape[:-2], -1)
    return joined
