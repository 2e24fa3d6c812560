"""Clicks and crackle of records: up to 5 ms each, found and interpolated by autoregression.

A click is what an autoregressive model of the sound predicts neither forwards nor backwards, far more so than anything
within a few pitch periods, and after which the sound goes on as before: what drums, plucked strings and voices excite
lasts, or comes back with the next period. It is replaced by what the model predicts best from both sides (least squares
autoregressive interpolation: Godsill and Rayner, "Digital Audio Restoration", 1998, chapter 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
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
#: Crackle: clicks a second above two contrasts from which on the weak ones count, too; otherwise only such as stand
#: out by the third.
CRACKLE, ALONE = ((4.0, 0.8), (6.0, 0.25)), 8.0
#: Samples added to both ends of a click.
EDGE = 3


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
        for start, stop in found:
            channel[start:stop] = _interpolated(signal, start, stop, sample_rate)
            touched += stop - start
        clicks += len(found)
    return Repaired(repaired, clicks, touched)


def _clicks(signal: Signal, sample_rate: int) -> list[tuple[int, int]]:
    """First sample of each click and the first after it."""
    beside = round(BESIDE_SECONDS[1] * sample_rate)
    if len(signal) < 4 * round(BLOCK_SECONDS * sample_rate):
        return []
    error = prediction_error(signal, sample_rate)
    contrast = _contrast(error, sample_rate)
    width = 2 * round(LONGEST_SECONDS / 2 * sample_rate) + 1
    peaks = (contrast > LEAST_CONTRAST) & (error > LEAST_ERROR) & (contrast == maximum_filter1d(contrast, width))
    peaks[:beside] = peaks[len(peaks) - beside :] = False
    centres = np.flatnonzero(peaks)
    centres = centres[
        _goes_on(signal, centres, sample_rate, SAME_POWER) & _goes_on(error, centres, sample_rate, SAME_ERROR)
    ]
    heights = contrast[centres]
    seconds = len(signal) / sample_rate
    is_crackle = all((heights > height).sum() >= rate * seconds for height, rate in CRACKLE)
    return list(_extents(error, centres[heights > (LEAST_CONTRAST if is_crackle else ALONE)], sample_rate))


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
    bad = np.zeros(len(error) + 1, bool)
    for centre in centres:
        first = max(0, centre - half)
        ordinary = 3 * np.median(error[max(0, centre - around) : centre + around])
        beyond = first + np.flatnonzero(error[first : centre + half] > min(max(1.5, ordinary), error[centre] / 2))
        bad[max(0, beyond[0] - EDGE) : min(len(error), beyond[-1] + EDGE + 1)] = True
    edges = np.flatnonzero(np.diff(bad.astype(np.int8), prepend=0))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _interpolated(signal: Signal, start: int, stop: int, sample_rate: int) -> Signal:
    """What the sound on both sides makes most likely between two samples."""
    reach = max(ORDER, round(2 * AROUND_SECONDS * sample_rate))
    first = max(0, start - reach)
    part = signal[first : stop + reach].copy()
    missing = np.arange(start - first, stop - first)
    part[missing] = 0
    model = _autoregression(part)
    weights = np.correlate(model, model, "full")  # of the squared error in a product of two samples, by their distance
    known = np.convolve(part, weights, "same")[missing]
    lags = np.abs(missing[:, None] - missing)
    matrix = np.where(lags <= ORDER, weights[ORDER + np.minimum(lags, ORDER)], 0)
    return np.asarray(solve(matrix, -known, assume_a="pos"))
