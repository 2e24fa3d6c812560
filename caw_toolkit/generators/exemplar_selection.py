"""Unit selection: which segment of the recording is played in each frame, given the one before.

What fits is weighed against what joins well (target cost and concatenation cost: Hunt and Black, "Unit selection in a
concatenative speech synthesis system", 1996). The search is greedy, frame by frame. All that does not depend on the
segment before is computed for all frames at once; the loop runs on the CPU.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from caw_toolkit.arrays import Array, FloatArray
from caw_toolkit.generators.exemplar_search import Matches, SegmentIndex
from caw_toolkit.generators.timing import Timing

#: Weight of a smooth concatenation beside the similarity to the coarser signal
#: (docs/decisions.md#the-coarsest-scale-of-music-in-a-minute).
CONCATENATION_WEIGHT = 0.5
#: What a unit of a guide's distance costs: of going on, too, or a segment would play past what it was chosen for.
GUIDE_COST = 0.03
#: Segments that have played for no more hops than these are short (docs/decisions.md#joins-in-speech).
SHORT_SEGMENT_HOPS = 3

#: Numbers of samples, or of frames.
Numbers = npt.NDArray[np.int64]


class PlaceCosts:
    """What segments cost for where in the recording they are, beside how they sound: being unlike a guide, or off beat.

    Args:
        hop: samples from frame to frame.
        distances: of a guide, `(frames, hops of the recording)`; None where there is none.
        timing: of the frames; None where no beat is kept to.

    Example:
        >>> costs = PlaceCosts(hop=100, distances=torch.tensor([[0.0, 100.0]]))
        >>> costs.of(np.array([0, 0]), np.array([50, 150])).round(2).tolist()
        [0.0, 3.0]
    """

    def __init__(self, hop: int, *, distances: Tensor | None = None, timing: Timing | None = None) -> None:
        self._hop = hop
        self._guide = None if distances is None else GUIDE_COST * distances.cpu().numpy()
        self._timing = timing

    def of(self, frames: Numbers, offsets: Numbers) -> FloatArray | float:
        """The costs of segments around `offsets` of the recording in frames; their shapes are broadcast."""
        costs: FloatArray | float = 0.0
        if self._guide is not None:
            costs = self._guide[frames, np.minimum(offsets // self._hop, self._guide.shape[1] - 1)]
        if self._timing is not None:
            costs = costs + self._timing.off_beat(offsets, self._timing.phase(frames, self._hop))
        return costs


class UnitSelector:
    """Selects one segment for each frame.

    It holds copies of its own: the memory of tensors may be moved.

    Args:
        index: of the recording's coarser version.
        mono: the recording, channels summed, `(samples,)`.
    """

    def __init__(self, index: SegmentIndex, mono: Tensor) -> None:
        self.index = index
        self._mono = np.array(functional.pad(mono, (index.margin, index.margin)).cpu().numpy())
        self._half_norms = _norms(self._mono, index.hop)
        self._coarse, self._norms, self._usable = (
            np.array(tensor.cpu().numpy())
            for tensor in (index.coarse, index.norms, functional.pad(index.usable, (0, index.hop)))
        )

    def select(
        self, matches: Matches, scores: Tensor, bonuses: Tensor, costs: PlaceCosts, *, short_segment_cost: float = 0.0
    ) -> Tensor:
        """Follow the best score frame by frame, a smooth concatenation included.

        Args:
            matches: the candidates.
            scores: of candidates without their concatenation, `(frames, candidates, shifts)`.
            bonuses: for going on with the segment before, `(frames,)`, beside its similarity and perfect concatenation.
            costs: of candidates, and of going on.
            short_segment_cost: a bonus for going on with a segment that is short, beside the others.

        Returns:
            samples of the recording that segments are centred on, `(frames,)`.
        """
        offsets, targets, alone, extra = (
            tensor.cpu().numpy() for tensor in (matches.offsets, matches.targets, scores, bonuses)
        )
        frames = np.arange(len(offsets))
        alone = alone - costs.of(frames[:, None, None], offsets)
        heads, weights = self._heads(offsets)
        best_alone = alone.max(axis=(1, 2))
        path = [int(offsets[0].flat[alone[0].argmax()])]
        played = 0  # hops that the segment has played for
        for frame in range(1, len(offsets)):
            offset = path[-1] + self.index.hop
            going_on = -np.inf
            if self._usable[offset]:
                going_on = self._similarity(offset, targets[frame]) + CONCATENATION_WEIGHT + extra[frame]
                going_on -= float(costs.of(frames[frame], np.array(offset)))
                if played < SHORT_SEGMENT_HOPS:
                    going_on += short_segment_cost
            # Concatenations are the costly part: most frames go on, and no concatenation could make up for that.
            if going_on < best_alone[frame] + CONCATENATION_WEIGHT:
                total = alone[frame] + np.einsum("ijk,k->ij", heads[frame], self._tail(offset)) * weights[frame]
                best = total.argmax()
                if total.flat[best] > going_on:
                    offset = int(offsets[frame].flat[best])
            played = played + 1 if offset == path[-1] + self.index.hop else 0
            path.append(offset)
        return torch.tensor(path, device=matches.offsets.device)

    def _similarity(self, offset: int, target: Array) -> float:
        """Cosine of the coarser recording around an offset and a target."""
        centre = offset + self.index.margin
        around = self._coarse[centre - self.index.hop : centre + self.index.hop]
        return float(around @ target / (self._norms[centre] + 1e-6))

    def _tail(self, offset: int) -> Array:
        """The half of the segment before that the one at `offset` would replace, of unit norm."""
        start = offset + self.index.margin - self.index.hop
        tail: Array = self._mono[start : start + self.index.hop] / (self._half_norms[start] + 1e-6)
        return tail

    def _heads(self, offsets: Numbers) -> tuple[Array, Array]:
        """First halves of segments, `(frames, candidates, shifts, hop)`, a view, and what to weigh them with."""
        hop, shifts = self.index.hop, offsets.shape[2]
        starts = offsets + self.index.margin - hop
        # Shifts are neighbouring samples: one window holds the halves of all of them.
        spans = np.lib.stride_tricks.sliding_window_view(self._mono, hop + shifts - 1)[starts[:, :, 0]]
        heads = np.lib.stride_tricks.sliding_window_view(spans, hop, axis=2)
        return heads, CONCATENATION_WEIGHT / (self._half_norms[starts] + 1e-6)


def _norms(signal: Array, length: int) -> Array:
    """Norm of the stretch of `length` samples that begins at each sample, as long as there is a whole one."""
    energy = np.cumsum(np.pad(signal.astype(np.float64) ** 2, (1, 0)))
    return np.sqrt(energy[length:] - energy[:-length]).astype(np.float32)
