"""White Gaussian noise addressed by absolute position.

Every draw is a function of (seed, scale, position in time), so that a stretch of noise is the same whether it is asked
for alone or as part of a longer one. Streams and whole files agree, and nothing has to be kept in memory.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from caw_toolkit.seeds import derived_seed

#: Length of the segments of `RearrangedNoise`, about, and of the crossfade from one to the next.
SEGMENT_SECONDS = 4.0
SEGMENT_FADE_SECONDS = 0.2


class Noise(Protocol):
    """What a pyramid is rendered from."""

    def normal(self, scale: int, rate: int, start: int, stop: int) -> Tensor:
        """Noise of the samples `start` to `stop` of a scale (`NoiseSource.normal`)."""
        ...


def pad_slice(signal: Tensor, start: int, stop: int) -> Tensor:
    """Samples `start` to `stop` of a signal `(channels, samples)` that is silent outside itself."""
    padded = torch.zeros(signal.shape[0], stop - start, device=signal.device)
    inside = slice(max(start, 0), min(stop, signal.shape[1]))
    padded[:, inside.start - start : inside.stop - start] = signal[:, inside]
    return padded


class ReconstructionNoise:
    """The noise z* of equation (4): given at the coarsest scale, zero above it and outside the recording.

    Args:
        coarsest: what the coarsest generator maps to the recording, `(channels, samples)`.
    """

    def __init__(self, coarsest: Tensor) -> None:
        self.coarsest = coarsest

    def normal(self, scale: int, rate: int, start: int, stop: int) -> Tensor:
        """As `NoiseSource.normal`."""
        return pad_slice(self.coarsest, start, stop) if scale == 0 else torch.zeros(len(self.coarsest), stop - start)


class NoiseSource:
    """Noise of one take, for all scales.

    Args:
        seed: of the take.
        channels: audio channels.
        first_second: where position 0 lies on the time line of the take.

    Example:
        >>> source = NoiseSource(seed=1, channels=1)
        >>> whole = source.normal(scale=0, rate=500, start=-100, stop=900)
        >>> part = source.normal(scale=0, rate=500, start=250, stop=300)
        >>> bool((whole[:, 350:400] == part).all())
        True
    """

    def __init__(self, seed: int, channels: int, first_second: int = 0) -> None:
        self.seed = seed
        self.channels = channels
        self.first_second = first_second

    def normal(self, scale: int, rate: int, start: int, stop: int) -> Tensor:
        """Standard normal noise of the samples `start` to `stop` (exclusive; may be negative) of a scale.

        Args:
            scale: index of the scale, 0 is the coarsest.
            rate: samples per second of the scale: noise is drawn a second at a time.
            start: first sample.
            stop: one past the last sample.

        Returns:
            `(channels, stop - start)` float32 on the CPU.
        """
        first, last = start // rate, -(-stop // rate)
        seconds = [self._second(scale, rate, second + self.first_second) for second in range(first, last)]
        if not seconds:
            return torch.zeros(self.channels, 0)
        return torch.cat(seconds, dim=1)[:, start - first * rate : stop - first * rate]

    def _second(self, scale: int, rate: int, second: int) -> Tensor:
        generator = torch.Generator().manual_seed(derived_seed(self.seed, scale, second, bits=63))
        return torch.randn(self.channels, rate, generator=generator)


class RearrangedNoise(NoiseSource):
    """Noise that holds segments of the recording's inverted noise, in a new order, at the coarsest scale.

    A generator that maps some noise to the recording maps segments of it, mixed with fresh noise, to new audio that
    keeps what takes from fresh noise alone drift away from: how often each note and each loudness comes. Every part of
    the recording gets an equal share of a take (stratified sampling).

    Args:
        seed: of the take.
        inverted: the noise that the coarsest generator maps to the recording, `(channels, samples)`.
        share: of its power in the mixture, from 0 to 1.
    """

    def __init__(self, seed: int, inverted: Tensor, share: float) -> None:
        super().__init__(seed, inverted.shape[0])
        self.inverted = inverted / inverted.std()
        self.share = share

    def normal(self, scale: int, rate: int, start: int, stop: int) -> Tensor:
        fresh = super().normal(scale, rate, start, stop)
        if scale > 0:
            return fresh
        return math.sqrt(self.share) * self._rearrange(rate, start, stop) + math.sqrt(1 - self.share) * fresh

    def _rearrange(self, rate: int, start: int, stop: int) -> Tensor:
        """Samples `start` to `stop` of the segments in their new order; where two overlap, their powers add to one."""
        period, fade = self._period(rate), self._fade(rate)
        mixed = torch.zeros(self.channels, stop - start)
        # Each segment begins a period after the one before, and goes on for a fade while the next comes in.
        for number in range((start - fade) // period, -(-stop // period)):
            offsets = (self.offset(number, rate) + torch.arange(period + fade)) % self.inverted.shape[1]
            segment = self.inverted[:, offsets]
            segment[:, :fade] *= self._rise(number, rate)
            segment[:, period:] *= self._rise(number + 1, rate).flip(0)
            begin, end = max(start, number * period), min(stop, number * period + period + fade)
            mixed[:, begin - start : end - start] += segment[:, begin - number * period : end - number * period]
        return mixed

    def segment_count(self, rate: int) -> int:
        """Number of segments that the inverted noise is divided into."""
        return max(2, round(self.inverted.shape[1] / (SEGMENT_SECONDS * rate)))

    def offset(self, number: int, rate: int) -> int:
        """Sample of the inverted noise, taken as a loop, that the segment `number` of the take begins with.

        Each round of a take holds every segment of the recording once, in an order and with boundaries of its own.
        """
        count, size = self.segment_count(rate), self.inverted.shape[1]
        round_number, position = divmod(number, count)
        # One order and one shift for each round: every part of the recording comes once in it (stratified sampling).
        draws = np.random.default_rng(derived_seed(self.seed, "stretches", round_number))
        shift, order = int(draws.integers(size)), draws.permutation(count)
        return (shift + int(order[position]) * self._period(rate)) % size

    def _period(self, rate: int) -> int:
        """Samples from segment to segment."""
        return self.inverted.shape[1] // self.segment_count(rate)

    def _fade(self, rate: int) -> int:
        """Samples that a segment goes on while the next begins."""
        return min(round(SEGMENT_FADE_SECONDS * rate), self._period(rate) // 4)

    def _rise(self, number: int, rate: int) -> Tensor:
        """How the segment `number` comes in; the one before goes out in reverse.

        Powers add to one, or amplitudes where it follows the one before in the recording, too: both are the same there.
        """
        rise = torch.sin(torch.linspace(0, math.pi / 2, self._fade(rate)))
        after_the_one_before = (self.offset(number - 1, rate) + self._period(rate)) % self.inverted.shape[1]
        return rise.square() if self.offset(number, rate) == after_the_one_before else rise
