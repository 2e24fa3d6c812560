"""Bandwidth extension by noise with a predicted envelope.

The log powers of bands of the missing range are regressed on log-mel features of the kept range around each frame, as
learnt on the training recording; white noise is shaped with them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from baselines.sinc import upsample
from baselines.transforms import Signal, shaped_noise, transform
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.metrics.spectral import mel_filters

Features = np.ndarray
Regression = Callable[[Features, Features, Features], Features]

_BANDS, _MELS, _CONTEXT, _NEIGHBOURS = 28, 24, 6, 8
_RIDGE = 1.0
_FLOOR = 1e-9
#: The mean logarithm of the power of noise, less the logarithm of its mean.
_MEAN_LOG_OF_NOISE = -0.577


def extend(
    low: Signal, low_rate: int, training: Signal, rate: int, length: int, rng: np.random.Generator, regress: Regression
) -> Signal:
    """Add noise in the missing band.

    Args:
        low: the recording, at `low_rate`.
        low_rate: Hz.
        training: a recording of the same source at `rate`.
        rate: Hz.
        length: samples of the result.
        rng: of the noise.
        regress: `neighbours` or `kernel_ridge`.
    """
    window, hop = 2 * rate // 125, rate // 125
    kept = upsample(low, low_rate, rate, length)
    narrow = upsample(resample(training[None], rate, low_rate)[0], low_rate, rate, len(training))
    features = [_described(signal, low_rate, rate, window, hop) for signal in (narrow, kept)]
    cutoff = window * low_rate // (2 * rate)
    edges = np.linspace(cutoff, window // 2 + 1, _BANDS + 1).round().astype(int)
    logs = np.log(np.abs(transform(training, window, hop)) ** 2 + _FLOOR)
    bands = np.stack([logs[start:stop].mean(0) for start, stop in zip(edges, edges[1:], strict=False)])
    predicted = regress(features[0], bands.T, features[1]) - _MEAN_LOG_OF_NOISE
    amplitudes = np.zeros((window // 2 + 1, len(predicted)))
    amplitudes[cutoff:] = np.repeat(np.exp(predicted.T / 2), np.diff(edges), axis=0)
    return kept + shaped_noise(amplitudes, length, window, hop, rng)


def neighbours(known: Features, targets: Features, asked: Features) -> Features:
    """Mean over the 8 nearest frames."""
    _, nearest = cKDTree(known).query(asked, k=_NEIGHBOURS)
    return targets[nearest].mean(1)


def kernel_ridge(known: Features, targets: Features, asked: Features) -> Features:
    """Ridge regression with a Gaussian kernel as wide as the median distance of two frames."""
    distances = cdist(known, known, "sqeuclidean")
    width = np.median(distances)
    mean = targets.mean(0)
    factor = cho_factor(np.exp(-distances / width) + _RIDGE * np.eye(len(known)))
    weights = cho_solve(factor, targets - mean)
    return np.exp(-cdist(asked, known, "sqeuclidean") / width) @ weights + mean


def _described(signal: Signal, low_rate: int, rate: int, window: int, hop: int) -> Features:
    """Log-mel powers of the kept range around each frame, `(frames, features)`."""
    filters = mel_filters(low_rate, window * low_rate // rate, _MELS)
    power = np.abs(transform(signal, window, hop)[: filters.shape[1]]) ** 2
    logs = np.log(filters @ power + _FLOOR)
    frames = np.arange(logs.shape[1])
    around = [logs[:, np.clip(frames + offset, 0, frames[-1])] for offset in range(-_CONTEXT, _CONTEXT + 1)]
    return np.concatenate(around).T
