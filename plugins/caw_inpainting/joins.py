"""Joins: the sound on both sides of a gap is carried on into it, while what fills it is faded in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_toeplitz
from scipy.signal import lfilter, lfiltic

from caw_toolkit import Array, Gap

#: Length of the crossfade at each end of a gap, within it.
FADE_SECONDS = 0.04
#: Past that the prediction is fitted to, and the length of the predictor.
PAST_SECONDS, ORDER_SECONDS = 0.3, 0.032
#: What is predicted is at most so many times as loud as what it is crossfaded with: led back from a stroke that follows
#: the gap it would sound before it.
LOUDEST = 2.0
#: A past shorter than this predicts nothing.
SHORTEST_PAST_SECONDS = 0.005


def join(known: Array, made: Array, gap: Gap, sample_rate: int) -> Array:
    """`made` in the gap, crossfaded within it with what the sound beside it leads to; `known` outside, bit for bit.

    Args:
        known: `(channels, samples)`, with anything in the gap.
        made: as long.
        gap: in samples.
        sample_rate: Hz.
    """
    start, stop = gap
    inside = made[:, start:stop].copy()
    _fade_in(inside, known[:, :start], sample_rate)
    _fade_in(inside[:, ::-1], known[:, stop:][:, ::-1], sample_rate)
    return np.concatenate([known[:, :start], inside, known[:, stop:]], axis=1)


def _fade_in(inside: Array, past: Array, sample_rate: int) -> None:
    """Crossfade the beginning of `inside`, in place, at equal power: it and the prediction are not in phase."""
    count = min(round(FADE_SECONDS * sample_rate), inside.shape[1] // 2)
    if past.shape[1] < SHORTEST_PAST_SECONDS * sample_rate or not count:
        return
    angle = np.arange(1, count + 1) / (count + 1) * np.pi / 2
    made, predicted = inside[:, :count], extrapolate(past, count, sample_rate)
    loudness = np.sqrt(np.mean(predicted.astype(np.float64) ** 2))
    largest = LOUDEST * np.sqrt(np.mean(made.astype(np.float64) ** 2))
    if loudness > largest:
        predicted = (predicted * (largest / loudness)).astype(np.float32)
    inside[:, :count] = made * np.sin(angle) + predicted * np.cos(angle)


def extrapolate(past: Array, count: int, sample_rate: int) -> Array:
    """How a sound goes on by linear prediction: its notes go on, and so does its noise.

    The predictor is found by the autocorrelation method (Makhoul, "Linear prediction: a tutorial review", 1975), which
    gives stable filters. It is driven by the errors it has made so far, in reversed order, or noise would die away.

    Args:
        past: `(channels, samples)`.
        count: samples to predict.
        sample_rate: Hz.

    Returns:
        `(channels, count)`.
    """
    recent = past[:, -round(PAST_SECONDS * sample_rate) :].astype(np.float64)
    order = min(round(ORDER_SECONDS * sample_rate), recent.shape[1] // 3)
    return np.stack([_predict(channel, count, order) for channel in recent]).astype(np.float32)


def _predict(past: npt.NDArray[np.float64], count: int, order: int) -> npt.NDArray[np.float64]:
    windowed = past * np.hanning(len(past) + 2)[1:-1]
    correlation = np.fft.irfft(np.abs(np.fft.rfft(windowed, 2 * len(past))) ** 2)[: order + 1]
    correlation[0] = correlation[0] * (1 + 1e-7) + 1e-12
    errors_filter = np.concatenate([[1.0], -solve_toeplitz(correlation[:-1], correlation[1:])])
    errors = lfilter(errors_filter, [1.0], past)[order:]
    state = lfiltic([1.0], errors_filter, past[::-1][:order])
    following: npt.NDArray[np.float64] = lfilter([1.0], errors_filter, np.resize(errors[::-1], count), zi=state)[0]
    return following
