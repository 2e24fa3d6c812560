"""Where in the recording a variation must not take its detail from.

Exemplars look up what they are given. Given the recording they would find each moment at its own place, and give back
the recording itself. So its own place is found by correlation, and barred, as patch methods bar the identity.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from caw_toolkit.dsp.spectra import fast_length
from caw_toolkit.generators.guide import FRAMES_A_SECOND
from caw_toolkit.pyramid.kept_lows import frame_count, magnitudes
from caw_toolkit.pyramid.noise import pad_slice
from caw_toolkit.seeds import derived_seed

#: Length of the windows in which own places are looked for.
WINDOW_SECONDS = 0.75
#: How many of these windows there are.
WINDOWS_A_SECOND = 2
#: Correlation of a window with the recording that makes an own place.
OWN = 0.6
#: Correlation that makes another one, where the recording repeats itself like a loop.
REPEATED = 0.7
#: Own places of a window at the most.
MOST_PLACES = 8
#: What lies so near to an own place is barred, too.
REACH_SECONDS = 1.0
#: Cosine of spectra, as a whole and above `ALIKE_ABOVE_HZ`, from which on a place sounds like an own one.
ALIKE = 0.8
#: Below it are the lows that are kept: they are alike in many places.
ALIKE_ABOVE_HZ = 350.0
#: Time over which that cosine is averaged.
ALIKE_SECONDS = 0.5
#: What lies so near to a place that sounds like an own one is barred, too.
ALIKE_REACH_SECONDS = 0.25
#: Where more of the recording than this share sounds alike, it is one sound, not repetitions, and nothing is barred.
MOST_ALIKE = 0.05
#: Frames that are compared at once: bounds memory.
ROWS_AT_ONCE = 256
#: Share of the recording that is barred by chance in each second, so that takes differ.
BARRED_SHARE = 0.65
#: Length of what is barred by chance.
BARRED_SECONDS = 1.5


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
    correlation = _WindowCorrelation(known, size)
    frames, known_frames = (frame_count(len(each), rate) for each in (given, known))
    belongs = torch.zeros(frames, known_frames, dtype=torch.bool)
    ahead = (size - step) // 2  # of the time that a window decides about
    for start in range(0, len(given), step):
        window = pad_slice(given[None], start - ahead, start - ahead + size)[0]
        for place in _peaks(correlation.of(window), rate):
            lag = (place - size - start + ahead) / rate
            _mark(belongs, start / rate, (start + step) / rate, lag)
    return belongs | _alike(signal, recording, rate)


class _WindowCorrelation:
    """Normalised correlation of windows with all places of a recording.

    Args:
        known: the recording, `(samples,)`.
        size: of the windows in samples.
    """

    def __init__(self, known: Tensor, size: int) -> None:
        padded = functional.pad(known, (size, size))
        self._length = fast_length(len(padded) + size)
        self._spectrum = torch.fft.rfft(padded, self._length)
        energy = functional.pad(padded.double().square().cumsum(0), (1, 0))
        # As much as a window of the recording has on average, 60 dB down: silence is like nothing.
        self._silence = 1e-3 * math.sqrt(size / max(1, len(known))) * float(known.norm()) + 1e-9
        self._norms = (energy[size:] - energy[:-size]).clamp_min(0).sqrt().float() + self._silence

    def of(self, window: Tensor) -> Tensor:
        """That of a window whose first sample is put at each sample of the recording, from `size` before it on."""
        spectrum = self._spectrum * torch.fft.rfft(window, self._length).conj()
        products = torch.fft.irfft(spectrum, self._length)[: len(self._norms)]
        correlation: Tensor = products / self._norms / (window.norm() + self._silence)
        return correlation


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
    """Magnitude spectra of unit norm, as a whole and above `ALIKE_ABOVE_HZ`, `(frames, bins)`; silence is less."""
    whole = magnitudes(signal, rate)
    above = whole[:, int(ALIKE_ABOVE_HZ / (rate / 2) * (whole.shape[1] - 1)) :]
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
