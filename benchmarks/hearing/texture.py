"""Textures such as rain and applause: statistics of the envelopes that a cochlea makes.

McDermott and Simoncelli, "Sound texture perception via statistics of the auditory periphery", 2011: sounds that share
these statistics are heard as more of the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly
from scipy.stats import skew

from caw_toolkit.metrics import Signal
from hearing.features import RATE, Aspect, Feature, Vector

_BANDS, _LOWEST_HZ, _HIGHEST_HZ = 30, 50.0, 7500.0
#: Of envelopes: their rate, and the power that stands for the compression of the cochlea.
_ENVELOPE_RATE, _COMPRESSION = 400, 0.3
_MODULATIONS, _SLOWEST_HZ, _FASTEST_HZ = 20, 0.5, 200.0

_Array = npt.NDArray[np.float64]


def describe(texture: Signal) -> Mapping[str, Feature]:
    """Marginals, correlations and modulation power of the envelopes of cochlear bands."""
    envelopes = cochlear_envelopes(texture)
    means, deviations = envelopes.mean(1), envelopes.std(1) + 1e-12
    above = np.triu_indices(_BANDS, 1)
    return {
        "levels of bands, dB": Vector(20 / _COMPRESSION * np.log10(means + 1e-12)),
        "variation of envelopes": Vector(deviations / (means + 1e-12)),
        "skewness of envelopes": Vector(skew(envelopes, axis=1)),
        "correlations of envelopes": Vector(np.corrcoef(envelopes)[above]),
        "modulation power, dB": Vector(10 * np.log10(modulation_power(envelopes).ravel() + 1e-6)),
    }


def cochlear_envelopes(signal: Signal) -> _Array:
    """Compressed envelopes of 30 bands, evenly spaced as the ear's are, `(bands, frames)` at 400 Hz."""
    spectrum = np.fft.fft(signal)
    hertz = np.fft.fftfreq(len(signal), 1 / RATE)
    weights = half_cosines(_erb_rate(np.abs(hertz)), _erb_rate(np.array([_LOWEST_HZ, _HIGHEST_HZ])), _BANDS)
    analytic = np.fft.ifft(2 * weights * (hertz > 0) * spectrum, axis=1)
    compressed = np.abs(analytic) ** _COMPRESSION
    return np.asarray(np.maximum(resample_poly(compressed, 1, RATE // _ENVELOPE_RATE, axis=1), 0))


def modulation_power(envelopes: _Array) -> _Array:
    """Share of the variance of each envelope around each of 20 rates from 0.5 to 200 Hz, `(bands, rates)`."""
    power = np.abs(np.fft.rfft(envelopes - envelopes.mean(1, keepdims=True), axis=1)) ** 2
    hertz = np.fft.rfftfreq(envelopes.shape[1], 1 / _ENVELOPE_RATE)
    octaves = np.log2(np.maximum(hertz, 1e-3))
    weights = half_cosines(octaves, np.log2([_SLOWEST_HZ, _FASTEST_HZ]), _MODULATIONS) ** 2
    return np.asarray(power @ weights.T / (power.sum(1, keepdims=True) + 1e-30))


def half_cosines(places: _Array, ends: _Array, count: int) -> _Array:
    """Bands that overlap by half, whose squares add up to 1 between the centres of the first and the last.

    Args:
        places: of what is weighted, on a scale on which bands are evenly spaced.
        ends: centres of the first and the last band.
        count: how many.

    Returns:
        `(count, places)`.
    """
    centres, spacing = np.linspace(ends[0], ends[1], count, retstep=True)
    away = np.abs(places - centres[:, None]) / spacing
    return np.where(away < 1, np.cos(np.pi / 2 * np.minimum(away, 1)), 0)


def _erb_rate(hertz: _Array) -> _Array:
    """Glasberg and Moore 1990."""
    return np.asarray(21.4 * np.log10(1 + 0.00437 * hertz))


ASPECTS = (Aspect((), describe),)
