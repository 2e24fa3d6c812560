"""Variations of given audio: how far a strength goes, and where their detail must not come from.

Exemplars look up what they are given. Given the recording they would find each moment at its own place, and give back
the recording itself. So its own place is found by correlation, and barred, as patch methods bar the identity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from caw_toolkit.dsp.spectra import fast_length
from caw_toolkit.generators.guide import FRAMES_A_SECOND, Guide
from caw_toolkit.pyramid.kept_lows import frame_count, kept_below, magnitudes
from caw_toolkit.pyramid.noise import pad_slice
from caw_toolkit.seeds import derived_seed

#: Strength at which all detail is new; beyond, less is kept.
ALL_NEW = 0.5
#: How far the coarsest scale is led back towards noise there: nearer, its flow changes next to nothing.
REVISION = 0.6
#: Own places are looked for in windows of this length, so often; the correlation with the recording that makes one, and
#: that which makes another one, where the recording repeats itself like a loop.
WINDOW_SECONDS, WINDOWS_A_SECOND, OWN, REPEATED, MOST_PLACES = 0.75, 2, 0.6, 0.7, 8
#: What lies so near to an own place, in seconds, is barred, too.
REACH_SECONDS = 1.0
#: So are places whose spectra are alike, as a whole and above so many Hz, by this cosine on average over so many
#: seconds, and what lies so near to them; but not where more of the recording is: that is one sound, not repetitions.
ALIKE, ALIKE_ABOVE, ALIKE_SECONDS, ALIKE_REACH_SECONDS, MOST_ALIKE = 0.8, 350.0, 0.5, 0.25, 0.05
#: Frames that are compared at once: bounds memory.
ROWS_AT_ONCE = 256
#: In each second a share of the recording is barred by chance, in stretches of so many seconds: takes differ.
BARRED_SHARE, BARRED_SECONDS = 0.65, 1.5


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


def own_places(signal: Tensor, recording: Tensor, rate: int) -> Tensor:
    """Where a signal lies in a recording, and what is near.

    Args:
        signal: `(samples,)`.
        recording: `(samples,)`.
        rate: of both, Hz.

    Returns:
        which frames of the recording belong to which frames of the signal, `(frames, frames of the recording)`, with
        `FRAMES_A_SECOND`.
    """
    # Differences, so that the lows do not decide alone: they are alike in many places.
    given, known = (torch.diff(each, prepend=each[:1]).cpu() for each in (signal, recording))
    size, step = round(WINDOW_SECONDS * rate), round(rate / WINDOWS_A_SECOND)
    padded = functional.pad(known, (size, size))
    length = fast_length(len(padded) + size)
    spectrum = torch.fft.rfft(padded, length)
    energy = functional.pad(padded.double().square().cumsum(0), (1, 0))
    silence = 1e-3 * math.sqrt(size / max(1, len(known))) * float(known.norm()) + 1e-9
    norms = (energy[size:] - energy[:-size]).clamp_min(0).sqrt().float() + silence
    frames, known_frames = (frame_count(len(each), rate) for each in (given, known))
    belongs = torch.zeros(frames, known_frames, dtype=torch.bool)
    ahead = (size - step) // 2  # of the time that a window decides about
    for start in range(0, len(given), step):
        window = pad_slice(given[None], start - ahead, start - ahead + size)[0]
        products = torch.fft.irfft(spectrum * torch.fft.rfft(window, length).conj(), length)[: len(norms)]
        for place in _peaks(products / norms / (window.norm() + silence), rate):
            lag = (place - size - start + ahead) / rate
            _mark(belongs, start / rate, (start + step) / rate, lag)
    return belongs | _alike(signal, recording, rate)


def _alike(signal: Tensor, recording: Tensor, rate: int) -> Tensor:
    """Where a recording sounds as a signal does, though it may not be the same waveform; as `own_places` has it.

    Above the lows that are kept such a place would give back the signal, and together they are a copy of the place.
    """
    given, known = (_unit_spectra(each, rate) for each in (signal, recording))
    frames = round(ALIKE_SECONDS * FRAMES_A_SECOND)
    before = frames // 2
    reach = round(ALIKE_REACH_SECONDS * FRAMES_A_SECOND)
    marked = []
    for start in range(0, len(given[0]), ROWS_AT_ONCE):
        rows = slice(max(0, start - before), start + ROWS_AT_ONCE + frames)
        both = [mine[rows] @ theirs.T for mine, theirs in zip(given, known, strict=True)]
        missing = max(0, before - start)
        likeness = functional.pad(torch.minimum(*both), (before, frames, missing, frames))
        count = min(ROWS_AT_ONCE, len(given[0]) - start)
        diagonals = (likeness[shift : shift + count, shift : shift + len(known[0])] for shift in range(frames))
        mean = torch.stack(list(diagonals)).mean(0)
        alike = (mean > ALIKE).float()
        alike *= alike.mean(1, keepdim=True) < MOST_ALIKE
        marked.append(functional.max_pool1d(alike[:, None], 2 * reach + 1, 1, reach)[:, 0] > 0)
    return torch.cat(marked)


def _unit_spectra(signal: Tensor, rate: int) -> list[Tensor]:
    """Magnitude spectra of unit norm, as a whole and above `ALIKE_ABOVE`, `(frames, bins)`; silence is less."""
    whole = magnitudes(signal, rate)
    above = whole[:, int(ALIKE_ABOVE / (rate / 2) * (whole.shape[1] - 1)) :]
    return [
        each / (each.norm(dim=1, keepdim=True) + 1e-3 * each.square().sum(1).mean().sqrt() + 1e-20)
        for each in (whole, above)
    ]


def _peaks(correlation: Tensor, rate: int) -> list[int]:
    """Samples at which a window lies in the recording."""
    peaks: list[int] = []
    while len(peaks) < MOST_PLACES:
        value, place = correlation.max(0)
        if value < (REPEATED if peaks else OWN):
            break
        peaks.append(int(place))
        correlation[max(0, peaks[-1] - rate // 2) : peaks[-1] + rate // 2] = 0
    return peaks


def _mark(belongs: Tensor, begin: float, end: float, lag: float) -> None:
    """Mark what lies within reach of a time plus a lag, for the times from `begin` to `end` in seconds."""
    for frame in range(round(begin * FRAMES_A_SECOND), min(round(end * FRAMES_A_SECOND) + 1, len(belongs))):
        first, last = (round(frame + (lag + reach) * FRAMES_A_SECOND) for reach in (-REACH_SECONDS, REACH_SECONDS))
        belongs[frame, max(0, first) : max(0, last + 1)] = True


def bar(own: Tensor, new_share: float, *, seed: int, first_second: int) -> Tensor:
    """What must not be taken, as `own_places` has it: own places in a share of the seconds, and others by chance.

    Args:
        own: what `own_places` has found.
        new_share: of the seconds, those in which it is barred.
        seed: of the take.
        first_second: where the signal begins on the time line of the take.
    """
    taken = torch.zeros_like(own)
    blocks = torch.arange(own.shape[1]) // round(BARRED_SECONDS * FRAMES_A_SECOND)
    for second in range(-(-len(own) // FRAMES_A_SECOND)):
        draws = np.random.default_rng(derived_seed(seed, "variation", first_second + second))
        is_new = draws.random() < new_share
        by_chance = torch.from_numpy(draws.random(int(blocks[-1]) + 1) < BARRED_SHARE)[blocks]
        frames = slice(second * FRAMES_A_SECOND, (second + 1) * FRAMES_A_SECOND)
        if is_new:
            taken[frames] = own[frames] | by_chance
    return taken
