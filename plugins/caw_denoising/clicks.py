"""Clicks and crackle of records: up to 5 ms each, found and interpolated by autoregression.

A click is what an autoregressive model of the sound predicts neither forwards nor backwards, far more so than anything
within a few pitch periods, and after which the sound goes on as before: what drums, plucked strings and voices excite
lasts, or comes back with the next period. It is replaced by what the model predicts best from both sides (least squares
autoregressive interpolation: Godsill and Rayner, "Digital Audio Restoration", 1998, chapter 5).

Edges of synthesisers, too, are what no model predicts. So a click has to stand far out of what the same interpolation
gets wrong a few milliseconds before and after it: nothing is replaced by what is no better than a guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.linalg import solve, solve_toeplitz
from scipy.ndimage import maximum_filter1d, percentile_filter
from scipy.signal import lfilter

from caw_toolkit import Array

Signal = npt.NDArray[np.float64]

#: Order of the model, and the length of the blocks that it is fitted to, in seconds.
ORDER, BLOCK_SECONDS = 32, 0.064
#: Longest click, and what it is compared with on each side of it, in seconds.
LONGEST_SECONDS, AROUND_SECONDS = 0.005, 0.02
#: Least prediction error of a click, in standard deviations, and least ratio of it to the 95 % quantile on both sides.
LEAST_ERROR, LEAST_CONTRAST = 5.0, 4.0
#: Sound before and after a click, between these times from it in seconds, has about the same power: in the prediction
#: error and in the signal.
BESIDE_SECONDS, SAME_ERROR, SAME_POWER = (0.003, 0.015), 2.5, 4.0
#: Crackle: clear clicks a second above two contrasts from which on the others count, too; otherwise only clear ones
#: that stand out by the third, and spikes that do by the fourth.
CRACKLE, ALONE, SPIKE_ALONE = ((4.0, 0.4), (6.0, 0.25)), 12.0, 8.0
#: Of shorter recordings, in seconds, as many clicks are asked as of one of this length.
LEAST_SECONDS = 10.0
#: Samples added to both ends of a click, and the longest time within it in which the error is as usual, in seconds.
EDGE, PAUSE_SECONDS = 3, 0.00015
#: Samples beside a click that its replacement is not compared with, and for how many seconds a clear one is.
BESIDE_SAMPLES, FAR_SECONDS = 11, 0.04
#: Least energy of the differences from sample to sample of what is replaced, and of itself, beside the most that the
#: same interpolation gets wrong before the click or after it, whichever is less: of a clear click, within 40 ms, which
#: is more than a period of any note, and of one among crackle, within 20 ms.
CLEAR_GAINS, LEAST_GAINS = (6.0, 2.0), (2.0, 0.5)
#: The same of a spike within 40 ms, and the former over the latter: most of it is one sample or two.
SPIKE_GAINS, SPIKE_ROUGHNESS = (8.0, 1.3), 0.9
#: A longer click than this, in seconds, has to be clear on both sides.
LONG_SECONDS = 0.0025
#: What holds a larger share of a channel's energy than this is its sound.
MOST_SHARE = 0.5


@dataclass(frozen=True)
class Repaired:
    """A recording without clicks.

    Attributes:
        samples: `(channels, samples)`.
        clicks: number of clicks that were replaced, in all channels.
        touched: number of samples that were replaced, in all channels.
    """

    samples: Array
    clicks: int
    touched: int


def remove_clicks(samples: Array, sample_rate: int) -> Repaired:
    """Replace the clicks of a recording; a recording without any is given back as it is.

    Args:
        samples: `(channels, samples)`.
        sample_rate: Hz.
    """
    repaired, clicks, touched = samples.copy(), 0, 0
    for channel in repaired:
        signal = channel.astype(np.float64)
        found = _clicks(signal, sample_rate)
        if sum(click.interpolation.removed[1] for click in found) > MOST_SHARE * np.square(signal).sum():
            continue
        for click in found:
            without = click.interpolation.samples
            channel[click.start : click.start + len(without)] = without
            touched += len(without)
        clicks += len(found)
    return Repaired(repaired, clicks, touched)


@dataclass(frozen=True)
class _Click:
    """A click.

    Attributes:
        start: its first sample.
        height: contrast of its error.
        interpolation: what takes its place.
    """

    start: int
    height: float
    interpolation: _Interpolation

    @property
    def stands_alone(self) -> bool:
        """Whether it is a click where there are hardly any others."""
        is_clear, is_spike = self.interpolation.is_clear, self.interpolation.is_spike
        return (is_clear and self.height > ALONE) or (is_spike and self.height > SPIKE_ALONE)


def _clicks(signal: Signal, sample_rate: int) -> list[_Click]:
    """The clicks of a channel, `(samples,)`."""
    beside = round(BESIDE_SECONDS[1] * sample_rate)
    if len(signal) < 4 * round(BLOCK_SECONDS * sample_rate):
        return []
    error = prediction_error(signal, sample_rate)
    contrast = _contrast(error, sample_rate)
    width = 2 * round(LONGEST_SECONDS / 2 * sample_rate) + 1
    peaks = (contrast > LEAST_CONTRAST) & (error > LEAST_ERROR) & (contrast == maximum_filter1d(contrast, width))
    margin = max(beside, width + ORDER)
    peaks[:margin] = peaks[len(peaks) - margin :] = False
    centres = np.flatnonzero(peaks)
    centres = centres[
        _goes_on(signal, centres, sample_rate, SAME_POWER) & _goes_on(error, centres, sample_rate, SAME_ERROR)
    ]
    seconds = len(signal) / sample_rate
    if not _is_crackle(contrast[centres], seconds):
        centres = centres[contrast[centres] > SPIKE_ALONE]
    found = [
        _Click(start, float(contrast[start:stop].max()), _Interpolation.of(signal, start, stop, sample_rate))
        for start, stop in _extents(error, centres, sample_rate)
    ]
    clear = [click for click in found if click.interpolation.is_clear]
    if _is_crackle(np.array([click.height for click in clear]), seconds):
        return [click for click in found if click.interpolation.is_worth_it]
    return [click for click in found if click.stands_alone]


def _is_crackle(heights: Signal, seconds: float) -> bool:
    """Whether there are enough clicks of these contrasts."""
    return all((heights > height).sum() >= rate * max(seconds, LEAST_SECONDS) for height, rate in CRACKLE)


def prediction_error(signal: Signal, sample_rate: int) -> Signal:
    """Geometric mean of the forward and the backward prediction error, in standard deviations; `(samples,)`."""
    size = round(BLOCK_SECONDS * sample_rate)
    window = np.hanning(size + 2)[1:-1]
    padded = np.pad(signal, (size, 2 * size))
    error = np.zeros(len(padded))
    for start in range(0, len(signal) + size, size // 2):
        block = padded[start : start + size]
        if not block.any():
            continue
        model = _autoregression(block)
        before, after = padded[max(0, start - ORDER) : start + size], padded[start : start + size + ORDER]
        forward = np.abs(lfilter(model, 1, before)[-size:])
        backward = np.abs(lfilter(model, 1, after[::-1])[-size:][::-1])
        deviation = np.median(forward) / 0.6745 + 1e-9
        error[start : start + size] += window * np.sqrt(forward * backward) / deviation
    return error[size : size + len(signal)]


def _autoregression(block: Signal) -> Signal:
    """Coefficients of the prediction error filter (autocorrelation method)."""
    spectrum = np.fft.rfft(block * np.hanning(len(block) + 2)[1:-1], 2 * len(block))
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: ORDER + 1]
    correlation[0] = correlation[0] * (1 + 1e-5) + 1e-12
    return np.concatenate([[1.0], -solve_toeplitz(correlation[:-1], correlation[1:])])


def _contrast(error: Signal, sample_rate: int) -> Signal:
    """Ratio of the error to what is usual on both sides."""
    around, half = round(AROUND_SECONDS * sample_rate), round(LONGEST_SECONDS / 2 * sample_rate)
    usual = percentile_filter(error, 95, around)
    shift = around // 2 + half
    before = np.pad(usual, (shift, 0))[: len(error)]
    after = np.pad(usual, (0, shift))[shift:]
    contrast: Signal = error / np.maximum(1, np.maximum(before, after))
    return contrast


def _goes_on(signal: Signal, centres: npt.NDArray[np.int64], sample_rate: int, ratio: float) -> npt.NDArray[np.bool_]:
    """At which centres the power before is about that after, up to a ratio."""
    near, far = (round(seconds * sample_rate) for seconds in BESIDE_SECONDS)
    energy = np.concatenate([[0.0], np.cumsum(signal**2)])
    before, after = energy[centres - near] - energy[centres - far], energy[centres + far] - energy[centres + near]
    goes_on: npt.NDArray[np.bool_] = (before < ratio * (after + 1e-12)) & (after < ratio * (before + 1e-12))
    return goes_on


def _extents(error: Signal, centres: npt.NDArray[np.int64], sample_rate: int) -> Iterator[tuple[int, int]]:
    """Where the error around each centre is out of the ordinary; extents that touch become one."""
    half, around = round(LONGEST_SECONDS / 2 * sample_rate), round(AROUND_SECONDS * sample_rate)
    pause = max(2, round(PAUSE_SECONDS * sample_rate))
    bad = np.zeros(len(error) + 1, bool)
    for centre in centres:
        first = max(0, centre - half)
        ordinary = 3 * np.median(error[max(0, centre - around) : centre + around])
        beyond = first + np.flatnonzero(error[first : centre + half] > min(max(1.5, ordinary), error[centre] / 2))
        # a sample that happens to be out of the ordinary further away is no part of it
        begins = np.flatnonzero(np.diff(beyond, prepend=-pause - 1) > pause)
        begin = int(np.searchsorted(beyond[begins], centre, "right")) - 1
        end = begins[begin + 1] if begin + 1 < len(begins) else len(beyond)
        bad[max(0, beyond[begins[begin]] - EDGE) : min(len(error), beyond[end - 1] + EDGE + 1)] = True
    edges = np.flatnonzero(np.diff(bad.astype(np.int8), prepend=0))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


@dataclass(frozen=True)
class _Interpolation:
    """What the sound on both sides makes most likely in place of a click.

    Attributes:
        samples: `(samples,)`.
        removed: energy of what it takes out: of the differences from sample to sample, and of itself, `(2,)`.
        near: the most of both that the same interpolation gets wrong near the click, before it and after it, `(2, 2)`.
        far: the same within a longer time.
        is_long: whether the click is long.
    """

    samples: Signal
    removed: Signal
    near: Signal
    far: Signal
    is_long: bool

    @property
    def is_clear(self) -> bool:
        """Whether it takes out far more than it gets wrong, on both sides of a long click."""
        wrong = self.far.max(axis=0) if self.is_long else self.far.min(axis=0)
        return bool((self.removed > CLEAR_GAINS * wrong).all())

    @property
    def is_spike(self) -> bool:
        """Whether it takes out what is too short to be part of any sound."""
        stands_out = bool((self.removed > SPIKE_GAINS * self.far.min(axis=0)).all())
        return stands_out and not self.is_long and bool(self.removed[0] > SPIKE_ROUGHNESS * self.removed[1])

    @property
    def is_worth_it(self) -> bool:
        """Whether it takes out more than it gets wrong."""
        return self.is_clear if self.is_long else bool((self.removed > LEAST_GAINS * self.near.min(axis=0)).all())

    @classmethod
    def of(cls, signal: Signal, start: int, stop: int, sample_rate: int) -> _Interpolation:
        """That between two samples of a channel, `(samples,)`."""
        size, reach = stop - start, max(ORDER, round(FAR_SECONDS * sample_rate))
        first = max(0, start - reach)
        part, place = signal[first : stop + reach].copy(), start - first
        given = part[place : place + size].copy()
        part[place : place + size] = 0
        removes = _removal(_autoregression(part), size)
        samples = -removes @ part[place - ORDER : place + size + ORDER]
        part[place : place + size] = samples
        # the same at many places in which nothing is to be removed
        places = np.arange(ORDER, len(part) - size - ORDER, max(1, size // 4))
        energies = _energies(sliding_window_view(part, size + 2 * ORDER)[places - ORDER] @ removes.T)
        distances = np.where(np.abs(places - place) < size + BESIDE_SAMPLES, 0, places - place)
        near, far = (_most(energies, distances, seconds * sample_rate) for seconds in (AROUND_SECONDS, FAR_SECONDS))
        return cls(samples, _energies(given - samples), near, far, size > LONG_SECONDS * sample_rate)


def _removal(model: Signal, size: int) -> Signal:
    """What turns samples and `ORDER` more on both sides into how far they are from what those make most likely.

    Args:
        model: prediction error filter.
        size: number of samples that are interpolated.

    Returns:
        `(size, size + 2 ORDER)`.
    """
    # of the squared error in a product of two samples, by their distance
    weights = np.correlate(model, model, "full")[ORDER:]
    distances = np.abs(np.arange(size + 2 * ORDER) - np.arange(ORDER, ORDER + size)[:, None])
    products = np.where(distances <= ORDER, weights[np.minimum(distances, ORDER)], 0)
    return np.asarray(solve(products[:, ORDER : ORDER + size], products, assume_a="pos"))


def _most(energies: Signal, distances: npt.NDArray[np.int64], reach: float) -> Signal:
    """The most energies within a reach before and after, `(2, energies)`.

    Args:
        energies: `(places, energies)`.
        distances: of the places, in samples.
        reach: samples.
    """
    sides = (distances < 0) & (distances > -reach), (distances > 0) & (distances < reach)
    return np.array([energies[side].max(axis=0, initial=0) for side in sides])


def _energies(removed: Signal) -> Signal:
    """Energy of the differences from sample to sample, and of the samples, `(..., samples)` to `(..., 2)`."""
    edges = [(0, 0)] * (removed.ndim - 1) + [(1, 1)]
    differences = np.diff(np.pad(removed, edges), axis=-1)
    return np.stack([np.square(differences).sum(-1), np.square(removed).sum(-1)], axis=-1)
