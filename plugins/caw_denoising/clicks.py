"""Clicks and crackle of records: up to 5 ms each, found and interpolated by autoregression.

A click is what an autoregressive model of the sound predicts neither forwards nor backwards, far more so than anything
within a few pitch periods, and after which the sound goes on as before: what drums, plucked strings and voices excite
lasts, or comes back with the next period (Godsill and Rayner, "Digital Audio Restoration", 1998, chapter 5). It is
replaced by what the model predicts best from both sides (`click_interpolation`).

Edges of synthesisers, too, are what no model predicts. So a click has to stand far out of what the same interpolation
gets wrong a few milliseconds before and after it: nothing is replaced by what is no better than a guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d, percentile_filter
from scipy.signal import lfilter

from caw_denoising.click_interpolation import AROUND_SECONDS, ORDER, Interpolation, Signal, autoregression
from caw_toolkit import Array

#: Length of the blocks that models are fitted to.
BLOCK_SECONDS = 0.064
#: Longest click.
LONGEST_SECONDS = 0.005
#: Least prediction error of a click, in standard deviations.
LEAST_ERROR = 5.0
#: Least ratio of it to the 95 % quantile of that on both sides: its contrast.
LEAST_CONTRAST = 4.0
#: Sound before and after a click, between these times from it, has about the same power.
BESIDE_SECONDS = (0.003, 0.015)
#: Most ratio of both in the signal.
SAME_POWER = 4.0
#: And in the prediction error.
SAME_ERROR = 2.5
#: Contrasts, and how many clear clicks a second above each there are in crackle, among which the others count, too.
CRACKLE = ((4.0, 0.4), (6.0, 0.25))
#: Least contrast of a clear click where there is no crackle.
ALONE = 12.0
#: And of a spike.
SPIKE_ALONE = 8.0
#: Of shorter recordings as many clicks are asked as of one of this length.
LEAST_SECONDS = 10.0
#: Samples added to both ends of a click.
EDGE = 3
#: Longest time within a click in which the error is as usual.
PAUSE_SECONDS = 0.00015
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
    interpolation: Interpolation

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
        _Click(start, float(contrast[start:stop].max()), Interpolation.of(signal, start, stop, sample_rate))
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
        model = autoregression(block)
        before, after = padded[max(0, start - ORDER) : start + size], padded[start : start + size + ORDER]
        forward = np.abs(lfilter(model, 1, before)[-size:])
        backward = np.abs(lfilter(model, 1, after[::-1])[-size:][::-1])
        deviation = np.median(forward) / 0.6745 + 1e-9
        error[start : start + size] += window * np.sqrt(forward * backward) / deviation
    return error[size : size + len(signal)]


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
