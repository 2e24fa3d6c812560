"""The log-spectral amplitude estimator (Ephraim and Malah, 1985), which makes the first estimate.

Equation (20) multiplies the Wiener gain by `exp(E1(v) / 2)`, with the exponential integral E1. The integral takes a
hundred times as long as the rest of the estimator. Straight lines between the values of a table are within 4e-7 of it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import exp1

from caw_denoising.stft import Power, Spectra, mean_power, spectra_of
from caw_toolkit import Array

Floats = npt.NDArray[np.floating[Any]]

#: Least a-priori signal-to-noise ratio, and its smoothing over time.
LEAST_RATIO = 10**-2.5
SMOOTHING = 0.98
#: Gain that noise keeps: silence would be more conspicuous than a faint rest.
LEAST_GAIN = 0.05
#: Frames that are brought into the order of time together.
FRAMES_AT_ONCE = 64
#: Range of the table in octaves: below the first, gains are at their floor or near 1 anyway; above the last, the factor
#: is 1.
OCTAVES = (-27, 5)
STEPS_AN_OCTAVE = 256


def first_estimate(samples: Array, noise: Power) -> Spectra:
    """Spectra after the log-spectral amplitude estimator, `(channels, bins, frames)`; `noise` is `(bins,)`."""
    spectra = spectra_of(samples, 2 * (len(noise) - 1))
    power = mean_power(spectra)
    estimate: Spectra = spectra * np.sqrt(log_spectral_power(power, noise) / (power + 1e-30))
    return estimate


def log_spectral_power(power: Power, noise: Power) -> Power:
    """Power after the log-spectral amplitude estimator, with decision-directed smoothing over time."""
    estimate = np.empty_like(power)
    before = np.maximum(power[:, 0] / noise - 1, 0)
    for start in range(0, power.shape[1], FRAMES_AT_ONCE):
        frames = slice(start, start + FRAMES_AT_ONCE)
        over_noise = np.ascontiguousarray((power[:, frames] / noise[:, None]).T)
        for now in over_noise:
            ratio = np.maximum(SMOOTHING * before + (1 - SMOOTHING) * np.maximum(now - 1, 0), LEAST_RATIO)
            share = ratio / (1 + ratio)
            gain = np.clip(share * log_amplitude_factor(share * now), LEAST_GAIN, 1)
            before = now[:] = gain**2 * now
        estimate[:, frames] = over_noise.T * noise[:, None]
    return estimate


def log_amplitude_factor(ratio: Floats) -> Floats:
    """`exp(E1(ratio) / 2)`; of ratios out of the table, its first or last value.

    Args:
        ratio: of any shape, at least 0.

    Example:
        >>> log_amplitude_factor(np.array([0.01, 1.0, 100.0])).round(4)
        array([7.5305, 1.1159, 1.    ])
    """
    values, slopes = _table(ratio.dtype)
    steps = (np.log2(np.clip(ratio, 2.0 ** OCTAVES[0], 2.0 ** OCTAVES[1])) - OCTAVES[0]) * STEPS_AN_OCTAVE
    below = steps.astype(np.intp)
    factor: Floats = values[below] + (steps - below) * slopes[below]
    return factor


@cache
def _table(precision: np.dtype[np.floating[Any]]) -> tuple[Floats, Floats]:
    """The factor at every step, and how much it changes until the next."""
    octaves = np.arange(OCTAVES[0] * STEPS_AN_OCTAVE, OCTAVES[1] * STEPS_AN_OCTAVE + 1) / STEPS_AN_OCTAVE
    values = np.exp(0.5 * exp1(2.0**octaves))
    return values.astype(precision), np.append(np.diff(values), 0.0).astype(precision)
