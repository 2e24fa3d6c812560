"""Variations of given audio: how far a strength goes, and what guides the scales.

What of the recording they must not use is found by `own_places`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from caw_toolkit.generators.guide import FRAMES_A_SECOND, Guide
from caw_toolkit.pyramid.kept_lows import kept_below
from caw_toolkit.pyramid.noise import pad_slice

#: Strength at which all detail is new; beyond, less is kept.
ALL_NEW = 0.5
#: How far the coarsest scale is led back towards noise there: nearer, its flow changes next to nothing.
REVISION = 0.6


@dataclass(frozen=True)
class Extent:
    """How far a variation goes.

    Attributes:
        new_share: of the seconds, those whose detail has to be new.
        revision: how far the coarsest scale is led back towards noise, 0 to 1.
        kept: weight of the audio's harmony and level, and share that is kept of the power of the lows.
    """

    new_share: float
    revision: float
    kept: float

    @classmethod
    def of(cls, strength: float) -> Extent:
        """New detail comes first, in a growing share of the seconds; then less and less is kept.

        >>> Extent.of(0.25)
        Extent(new_share=0.5, revision=0.3, kept=1.0)
        >>> Extent.of(1.0)
        Extent(new_share=1.0, revision=1.0, kept=0.0)
        """
        beyond = max(0.0, (strength - ALL_NEW) / (1 - ALL_NEW))
        until = min(1.0, strength / ALL_NEW)
        return cls(until, REVISION * until + (1 - REVISION) * beyond, 1 - beyond)

    def keep_below(self, signal: Tensor, rate: int) -> float | Tensor:
        """The frequency in Hz below which audio is kept, at each moment (`kept_below`) or at all of them.

        Args:
            signal: `(channels, samples)`.
            rate: Hz.
        """
        return kept_below(signal, rate, self.kept) if self.kept else 0.0


@dataclass(frozen=True)
class Guidance:
    """What guides the scales of a variation.

    Attributes:
        signals: the audio at the rate and level of every scale, `(channels, samples)`.
        rates: of the scales, Hz.
        taken: which frames of the recording must not be used, `(frames, frames of the recording)`.
        weight: of harmony and level, from 0 to 1.
    """

    signals: Sequence[Tensor]
    rates: Sequence[int]
    taken: Tensor
    weight: float

    def at(self, scale: int, start: int, stop: int) -> Guide:
        """The guide of a scale between two samples."""
        rate = self.rates[scale]
        first = start * FRAMES_A_SECOND // rate
        frames = torch.arange(first, stop * FRAMES_A_SECOND // rate + 2).clamp(0, len(self.taken) - 1)
        return Guide(pad_slice(self.signals[scale], start, stop), rate, self.taken[frames], self.weight)
