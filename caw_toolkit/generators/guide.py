"""What a variation follows beside the coarser signal: audio that it is to resemble, and places that it must not copy.

Patch methods that would find a signal in itself exclude the identity. So does a variation of the recording: segments
come from elsewhere, the nearest in harmony (chroma: Fujishima, 1999) and level of the octaves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

#: Frames in which places of the recording are given; a divisor of no rate in particular.
FRAMES_A_SECOND = 32
#: Windows in which harmony is compared.
CHROMA_SECONDS = 0.25
#: Frequencies in Hz between which it is compared.
CHROMA_RANGE = (80.0, 2000.0)
#: Levels are compared by octaves, from this frequency in Hz on.
LOWEST_OCTAVE = 250.0
#: Power beside the mean below which levels are alike.
LEAST_LEVEL = 1e-3
#: What a unit of harmony counts for beside the distance of the coarser spectra
#: (docs/decisions.md#variations-that-vary).
CHROMA_WEIGHT = 6.0
#: The same of a unit of level.
LEVEL_WEIGHT = 2.0
#: Distance of what must not be taken.
FAR = 1e6


@dataclass(frozen=True)
class Guide:
    """What a variation is to resemble and what it must not take, for one stretch of one scale.

    Attributes:
        signal: the audio that is varied, `(channels, samples)`.
        rate: of the scale, Hz.
        taken: which frames of the recording must not be used for which frames of the stretch,
            `(frames, frames of the recording)`, with `FRAMES_A_SECOND`.
        weight: of being unlike the audio, from 0 (it does not matter) to 1.

    Example:
        >>> noise = torch.randn(1, 4000, generator=torch.Generator().manual_seed(0))
        >>> itself = torch.eye(2 * FRAMES_A_SECOND, dtype=torch.bool)  # no moment may stand for itself
        >>> guide = Guide(noise, rate=2000, taken=itself)
        >>> distances = guide.distances(noise, hop=62, frames=64, hops=64)
        >>> bool((distances.diagonal() == FAR).all()), bool((distances < FAR).any(1).all())
        (True, True)
    """

    signal: Tensor
    rate: int
    taken: Tensor
    weight: float = 1.0

    def _taken_hops(self, hop: int, frames: int, hops: int) -> Tensor:
        """`taken` for frames and for segments of the recording that lie `hop` samples apart, `(frames, hops)`."""
        rows, columns = (
            (torch.arange(count) * hop * FRAMES_A_SECOND / self.rate).round().long().clamp_max(size - 1)
            for count, size in zip((frames, hops), self.taken.shape, strict=True)
        )
        return self.taken[rows][:, columns].to(self.signal.device)

    def distances(self, recording: Tensor, hop: int, frames: int, hops: int) -> Tensor:
        """How unlike frames of the signal and segments of the recording are, `(frames, hops)`; far where taken.

        Args:
            recording: of the scale, `(channels, samples)`.
            hop: samples from frame to frame, and from segment to segment.
            frames: of the signal.
            hops: of the recording.
        """
        given = _features(self.signal.sum(0), self.rate, hop, frames)
        unlike = torch.cdist(given, _features(recording.sum(0), self.rate, hop, hops)).square()
        return (self.weight * unlike).masked_fill(self._taken_hops(hop, frames, hops), FAR)


def _features(signal: Tensor, rate: int, hop: int, count: int) -> Tensor:
    """Chroma, and levels of the octaves beside those a hop before and after, around every hop; `(count, features)`."""
    chroma = CHROMA_WEIGHT * _chroma(signal, rate, hop, count)
    levels = LEVEL_WEIGHT * _octave_levels(signal, rate, hop, count)
    padded = functional.pad(levels.T, (1, 1), mode="replicate").T
    return torch.cat([chroma, padded[:-2], levels, padded[2:]], dim=1)


def _chroma(signal: Tensor, rate: int, hop: int, count: int) -> Tensor:
    """Shares of the twelve pitch classes in the magnitude, `(count, 12)`."""
    power, hertz = _power(signal, rate, hop, count, 2 ** round(math.log2(CHROMA_SECONDS * rate)))
    lowest, highest = CHROMA_RANGE
    inside = (hertz > lowest) & (hertz < highest)
    pitch_class = (12 * torch.log2(hertz[inside] / 440)).round().long() % 12
    by_class = power[:, inside] @ functional.one_hot(pitch_class, 12).to(power)
    return (by_class / (by_class.sum(1, keepdim=True) + 1e-9)).sqrt()


def _octave_levels(signal: Tensor, rate: int, hop: int, count: int) -> Tensor:
    """Logarithm (base 10) of the power in each octave over its mean, `(count, octaves)`."""
    power, hertz = _power(signal, rate, hop, count, 2 * hop)
    octave = (torch.log2(hertz.clamp_min(1) / LOWEST_OCTAVE).floor().long() + 1).clamp(0)
    octave = octave.clamp_max(int(octave[-2]))  # not the highest bin alone
    levels = power @ functional.one_hot(octave).to(power)
    return torch.log10(levels / (levels.mean(0) + 1e-9) + LEAST_LEVEL)


def _power(signal: Tensor, rate: int, hop: int, count: int, window: int) -> tuple[Tensor, Tensor]:
    """Power spectra around every hop, `(count, bins)`, and the frequencies of their bins in Hz."""
    missing = (count - 1) * hop + window // 2 - len(signal)
    frames = functional.pad(signal, (window // 2, max(0, missing))).unfold(0, window, hop)[:count]
    spectra = torch.fft.rfft(frames * torch.hann_window(window, device=signal.device))
    return spectra.abs().square(), torch.arange(window // 2 + 1, device=signal.device) * rate / window
