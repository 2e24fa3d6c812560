"""White Gaussian noise addressed by absolute position.

Every draw is a function of (seed, scale, position in time), so that a stretch of noise is the same whether it is asked
for alone or as part of a longer one. Streams and whole files agree, and nothing has to be kept in memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from caw_toolkit.pyramid.pulse import Pulse
from caw_toolkit.seeds import derived_seed

#: Length of the segments of `RearrangedNoise`, about, and of the crossfade from one to the next.
SEGMENT_SECONDS = 4.0
SEGMENT_FADE_SECONDS = 0.2
#: In so many pieces a pause is turned round.
PIECES_OF_PAUSES = 4


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
        pulse: of the recording: segments begin with its bars, and are whole bars; None cuts anywhere.
        pauses: of the recording, where all noise is inverted: generators fill fresh noise with sound.
        segment_seconds: length of the segments, about.
    """

    def __init__(
        self,
        seed: int,
        inverted: Tensor,
        share: float,
        pulse: Pulse | None = None,
        pauses: Sequence[slice] = (),
        segment_seconds: float = SEGMENT_SECONDS,
    ) -> None:
        super().__init__(seed, inverted.shape[0])
        self.inverted = inverted / inverted.std()
        self.share = share
        self.pulse = pulse
        self.segment_seconds = segment_seconds
        self._paused = torch.zeros(inverted.shape[1], dtype=torch.bool)
        for pause in pauses:
            self._paused[pause] = True
            # In pieces, from the last to the first: breath and room are heard, and would be copied.
            pieces = self.inverted[:, pause].tensor_split(PIECES_OF_PAUSES, dim=1)
            self.inverted[:, pause] = torch.cat(pieces[::-1], dim=1)

    def normal(self, scale: int, rate: int, start: int, stop: int) -> Tensor:
        fresh = super().normal(scale, rate, start, stop)
        if scale > 0:
            return fresh
        inverted = self._rearrange(rate, start, stop)
        mixed = math.sqrt(self.share) * inverted + math.sqrt(1 - self.share) * fresh
        return torch.where(self._in_pauses(rate, start, stop), inverted, mixed) if self._paused.any() else mixed

    def _rearrange(self, rate: int, start: int, stop: int) -> Tensor:
        """Samples `start` to `stop` of the segments in their new order; where two overlap, their powers add to one."""
        length, fade = self._length(rate), self._fade(rate)
        mixed = torch.zeros(self.channels, stop - start)
        # Each segment begins where the one before ends, which goes on for a fade while the next comes in.
        for number in range(math.floor((start - fade) / length), math.ceil(stop / length)):
            first, last = self._start(number, rate), self._start(number + 1, rate)
            offsets = (self.offset(number, rate) + torch.arange(last - first + fade)) % self.inverted.shape[1]
            segment = self.inverted[:, offsets]
            segment[:, :fade] *= self._rise(number, rate)
            segment[:, last - first :] *= self._rise(number + 1, rate).flip(0)
            begin = max(start, first)
            end = max(begin, min(stop, last + fade))
            mixed[:, begin - start : end - start] += segment[:, begin - first : end - first]
        return mixed

    def _in_pauses(self, rate: int, start: int, stop: int) -> Tensor:
        """Which of the samples `start` to `stop` come from a pause, or those that come in where segments overlap."""
        number = math.floor(start / self._length(rate))
        parts = []
        while start < stop:
            first, last = self._start(number, rate), min(stop, self._start(number + 1, rate))
            offsets = (self.offset(number, rate) + torch.arange(start - first, last - first)) % len(self._paused)
            parts.append(self._paused[offsets])
            number, start = number + 1, max(start, last)
        return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.bool)

    def segment_count(self, rate: int) -> int:
        """Number of segments that the inverted noise is divided into."""
        return max(2, round(self.inverted.shape[1] / (self._segment_seconds() * rate)))

    def offset(self, number: int, rate: int) -> int:
        """Sample of the inverted noise, taken as a loop, that the segment `number` of the take begins with.

        Each round of a take holds every segment of the recording once, in an order and with boundaries of its own.
        """
        count, size = self.segment_count(rate), self.inverted.shape[1]
        round_number, position = divmod(number, count)
        # One order and one shift for each round: every part of the recording comes once in it (stratified sampling).
        draws = np.random.default_rng(derived_seed(self.seed, "stretches", round_number))
        shift, order = int(draws.integers(size)), draws.permutation(count)
        offset = (shift + int(order[position]) * (size // count)) % size
        return offset if self.pulse is None else round(self.pulse.nearest_bar(offset / rate) * rate) % size

    def _segment_seconds(self) -> float:
        """Length of segments, about; with a pulse it is a number of bars."""
        if self.pulse is None:
            return self.segment_seconds
        return max(1, round(self.segment_seconds / self.pulse.bar_seconds)) * self.pulse.bar_seconds

    def _length(self, rate: int) -> float:
        """Samples from segment to segment of a take."""
        if self.pulse is None:
            return self.inverted.shape[1] // self.segment_count(rate)
        return self._segment_seconds() * rate

    def _start(self, number: int, rate: int) -> int:
        """Sample of the take that the segment `number` begins with."""
        return round(number * self._length(rate))

    def _fade(self, rate: int) -> int:
        """Samples that a segment goes on while the next begins."""
        return min(round(SEGMENT_FADE_SECONDS * rate), int(self._length(rate)) // 4)

    def _rise(self, number: int, rate: int) -> Tensor:
        """How the segment `number` comes in; the one before goes out in reverse.

        Powers add to one, or amplitudes where it follows the one before in the recording, too: both are the same there.
        """
        rise = torch.sin(torch.linspace(0, math.pi / 2, self._fade(rate)))
        length_before = self._start(number, rate) - self._start(number - 1, rate)
        after_the_one_before = (self.offset(number - 1, rate) + length_before) % self.inverted.shape[1]
        return rise.square() if self.offset(number, rate) == after_the_one_before else rise
