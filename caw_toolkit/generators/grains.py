"""Grains: short segments of a texture, in an order of their own.

Any moment of a texture, such as rain or applause, is as good as any other, but longer runs of the recording would be
heard as copies. So it is cut into grains of a sixth of a second, which are shuffled within about a second, as in
granular synthesis and in the sound quilts of Overath et al., "The cortical analysis of speech-specific temporal
structure revealed by responses to sound quilts", 2015. What changes more slowly goes on changing. Every grain comes
once before any comes again, and those that follow each other in the recording do not in a take:

    recording   |  0  |  1  |  2  |  3  |  4  |
    take        |  3  |  1  |  4  |  0  |  2  |      grains overlap by a hop, and keep their power there
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from caw_toolkit.seeds import derived_seed

#: Length of a grain in hops, one more or less, and how many are shuffled with each other
#: (docs/decisions.md#textures-without-copies).
GRAIN_HOPS, SHUFFLED = 5, 6
#: A take moves through stretches of the recording of about this length, in an order of its own.
STRETCH_SECONDS = 8.0

#: Numbers of samples, or of grains.
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scattering:
    """Which moments of a recording a take is made of: a function of the seed and the time.

    Attributes:
        seed: of the take.
        seconds: length of the recording.
    """

    seed: int
    seconds: float

    def offsets(self, rate: int, hop: int, first: int, count: int) -> Numbers:
        """Samples of the recording that frames of a take are to be segments around.

        Args:
            rate: of the scale, Hz.
            hop: samples from frame to frame.
            first: number of the first frame; may be negative.
            count: of frames.

        Example:
            >>> offsets = Scattering(seed=1, seconds=18.0).offsets(1000, 25, first=0, count=720)
            >>> len(np.unique(offsets // 25)) > 600  # of 720: nearly all of the recording comes once
            True
        """
        frames = first + np.arange(count)
        grains = np.floor_divide(frames, GRAIN_HOPS)
        numbers = range(int(grains[0]) - 1, int(grains[-1]) + 1)
        sources, late = (dict(zip(numbers, values, strict=True)) for values in self._grains(numbers, rate, hop))
        # A grain may begin a hop late, and the one before goes on until then.
        grains -= frames - GRAIN_HOPS * grains < np.array([late[grain] for grain in grains.tolist()])
        begins = np.array([sources[grain] for grain in grains.tolist()])
        return np.asarray(begins + (frames - GRAIN_HOPS * grains) * hop)

    def _grains(self, numbers: range, rate: int, hop: int) -> tuple[list[int], list[int]]:
        """Where in the recording grains of a take begin, in samples, and how many hops late."""
        sources, late = [], []
        length = GRAIN_HOPS * hop
        for number in numbers:
            group, position = divmod(number, SHUFFLED)
            draws = np.random.default_rng(derived_seed(self.seed, "grains", group))
            order = draws.permutation(SHUFFLED)
            while np.any(np.diff(order) == 1):
                order = draws.permutation(SHUFFLED)
            # Not quite where the group before ends: grains of both would lie in the take as they do in the recording.
            moved = draws.uniform(-length, length) / rate
            place = round(self._place(group, SHUFFLED * length / rate, moved) * rate)
            sources.append(place + int(order[position]) * length)
            late.append(int(draws.integers(2, size=SHUFFLED)[position]))
        return sources, late

    def _place(self, group: int, group_seconds: float, moved: float) -> float:
        """The second of the recording at which a group of grains begins; all of it lies within the recording.

        Each round has groups from every part of the recording (stratified sampling): stretches of successive ones, in
        an order of its own.
        """
        span = max(0.0, self.seconds - group_seconds)
        count = math.ceil(self.seconds / group_seconds)
        stretches = max(1, round(self.seconds / STRETCH_SECONDS))
        round_number, position = divmod(group, count)
        draws = np.random.default_rng(derived_seed(self.seed, "texture", round_number))
        parts = np.array_split(np.roll(np.arange(count), draws.integers(count)), stretches)
        order = np.concatenate([parts[part] for part in draws.permutation(stretches)])
        begin = int(order[position]) * span / max(1, count - 1)
        return min(max(0.0, begin + moved), span)


def nearest_usable(offsets: Numbers, usable: npt.NDArray[np.bool_]) -> Numbers:
    """Offsets, and in place of those that must not be used the nearest that may.

    Example:
        >>> nearest_usable(np.array([0, 3, 5]), np.array([False, True, True, True, False, False])).tolist()
        [1, 3, 3]
    """
    allowed = np.flatnonzero(usable)
    after = np.searchsorted(allowed, offsets)
    before = allowed[np.maximum(after - 1, 0)]
    after = allowed[np.minimum(after, len(allowed) - 1)]
    return np.where(np.abs(before - offsets) < np.abs(after - offsets), before, after)


def join_gains(before: Tensor, after: Tensor, rise: Tensor) -> Tensor:
    """What crossfades are to be multiplied by for the power to stay as it is, however alike both sides are.

    Args:
        before: what is left, `(..., samples)`.
        after: what is entered, the same shape.
        rise: weight of `after`; that of `before` is what is missing to 1; `(samples,)`.

    Example:
        >>> import torch
        >>> tone = torch.ones(1, 3)
        >>> join_gains(tone, tone, torch.tensor([0.0, 0.5, 1.0])).tolist()
        [[1.0, 1.0, 1.0]]
    """
    norms = before.norm(dim=-1, keepdim=True) * after.norm(dim=-1, keepdim=True)
    likeness = ((before * after).sum(-1, keepdim=True) / (norms + 1e-9)).clamp(0, 1)
    gains: Tensor = (rise**2 + (1 - rise) ** 2 + 2 * likeness * rise * (1 - rise)).rsqrt()
    return gains
