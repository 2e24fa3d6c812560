"""Denoising by the log-spectral amplitude estimator of Ephraim and Malah (1985), blind.

The noise's spectrum is a low quantile over time of the recording's own.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.special import exp1

from baselines.transforms import Signal, inverse, transform

_WINDOW, _HOP = 2048, 512
#: The quantile taken for the noise, and the factor from it to the mean of noise.
_QUANTILE, _QUANTILE_TO_MEAN = 0.1, 1.9
_SMOOTHING, _LEAST_PRIOR_RATIO, _LEAST_GAIN = 0.98, 10**-2.5, 0.05


def clean(noisy: Signal) -> Signal:
    """Clean a recording."""
    spectra = transform(noisy, _WINDOW, _HOP, padding="reflect")
    power = np.abs(spectra) ** 2
    quiet = np.quantile(uniform_filter1d(power, 5, axis=1), _QUANTILE, axis=1)
    noise = np.maximum(uniform_filter1d(quiet, 9) * _QUANTILE_TO_MEAN, 1e-12)
    posterior = power / noise[:, None]
    gains = np.empty_like(power)
    estimate = np.maximum(posterior[:, 0] - 1, 0)
    for frame, ratio in enumerate(posterior.T):
        prior = _SMOOTHING * estimate + (1 - _SMOOTHING) * np.maximum(ratio - 1, 0)
        prior = np.maximum(prior, _LEAST_PRIOR_RATIO)
        wiener = prior / (1 + prior)
        gain = np.clip(wiener * np.exp(exp1(np.maximum(wiener * ratio, 1e-8)) / 2), _LEAST_GAIN, 1)
        gains[:, frame] = gain
        estimate = gain**2 * ratio
    return inverse(spectra * gains, len(noisy), _WINDOW, _HOP)
