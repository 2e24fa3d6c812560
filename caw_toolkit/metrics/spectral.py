"""Mel bands, and the log-spectral distance by several conventions."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from caw_toolkit.dsp.spectra import Spectrogram, power_blocks, power_spectrogram
from caw_toolkit.metrics.signals import Signal, common_length

#: Slaney's mel scale: linear up to 1 kHz, then 27 bands to a factor of 6.4.
_LINEAR_HZ_PER_MEL, _BREAK_HZ, _LOG_STEP = 200 / 3, 1000.0, np.log(6.4) / 27


@functools.lru_cache(maxsize=16)
def mel_filters(sample_rate: int, window_samples: int, bands: int, lowest_hz: float = 0.0) -> Spectrogram:
    """Triangular bands of unit area, evenly spaced on Slaney's mel scale up to half the sample rate.

    Slaney, "Auditory Toolbox", 1998.

    Args:
        sample_rate: Hz.
        window_samples: length of the transform whose bins are weighted.
        bands: number of bands.
        lowest_hz: where the first band begins; below half the sample rate.

    Returns:
        `(bands, window_samples // 2 + 1)`, the same array each time: writing to it raises ValueError.

    Example:
        >>> mel_filters(16000, 512, bands=40).shape
        (40, 257)
    """
    lowest, highest = hz_to_mel(np.array([lowest_hz, sample_rate / 2])).tolist()
    edges = mel_to_hz(np.linspace(lowest, highest, bands + 2))
    bins = np.arange(window_samples // 2 + 1) * sample_rate / window_samples
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre))
    filters: Spectrogram = np.maximum(triangles, 0) * 2 / (high - low)
    filters.flags.writeable = False
    return filters


def mel_spectrogram(
    signal: Signal, filters: Spectrogram, window_samples: int, hop_samples: int, *, level: float = 1.0
) -> Spectrogram:
    """Power in bands, without that of all bins in memory at once.

    Args:
        signal: `(samples,)`.
        filters: the bands, as `mel_filters` gives them for the window.
        window_samples: length of the window and of the transform.
        hop_samples: distance between frames.
        level: what the signal is divided by.

    Returns:
        `(bands, frames)`, frames as of `power_spectrogram`.

    Example:
        >>> mel_spectrogram(np.ones(1600), mel_filters(16000, 512, bands=40), 512, 160).shape
        (40, 11)
    """
    blocks = power_blocks(signal, window_samples, hop_samples, level=level)
    return np.concatenate([filters @ power for power in blocks], axis=1)


def hz_to_mel(hz: Spectrogram) -> Spectrogram:
    """Frequencies on Slaney's mel scale."""
    above = _BREAK_HZ / _LINEAR_HZ_PER_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, hz / _LINEAR_HZ_PER_MEL, above)


def mel_to_hz(mel: Spectrogram) -> Spectrogram:
    """The inverse of `hz_to_mel`."""
    linear = mel * _LINEAR_HZ_PER_MEL
    return np.where(linear < _BREAK_HZ, linear, _BREAK_HZ * np.exp(_LOG_STEP * (mel - _BREAK_HZ / _LINEAR_HZ_PER_MEL)))


@dataclass(frozen=True)
class _Convention:
    """How a log-spectral distance is computed.

    Attributes:
        log_base: of the logarithm of power.
        hop_samples: distance between frames.
        least_power: what lower powers are raised to.
        window_samples: length of the window.
    """

    log_base: float
    hop_samples: int
    least_power: float
    window_samples: int = 2048


_CONVENTIONS: Mapping[str, _Convention] = {
    "paper": _Convention(log_base=math.e, hop_samples=2048, least_power=1e-15),
    "decimal": _Convention(log_base=10, hop_samples=512, least_power=1e-8),
}


def log_spectral_distance(reference: Signal, estimate: Signal, *, convention: str = "paper") -> float:
    """Root of the mean squared difference of log power over bins, mean over frames of 2048 samples.

    Figures of different conventions cannot be compared:

    * `paper`: natural logarithm, frames side by side, power at least 1e-15;
    * `decimal`, as in AERO (Mandel, Tal and Adi 2023) and others: decimal logarithm, a frame every 512 samples, power
      at least 1e-8.

    Args:
        reference: the truth, `(samples,)`, full scale 1.0.
        estimate: what is compared with it, `(samples,)`.
        convention: one of the above.

    Returns:
        From 0, in units of the convention's logarithm of power.

    Raises:
        ValueError: if a signal is empty or not one-dimensional, or there is no such convention.

    Example:
        >>> noise = np.random.default_rng(0).standard_normal(16000)
        >>> round(log_spectral_distance(noise, noise / np.e), 3)  # natural logarithm of the power
        2.0
        >>> round(log_spectral_distance(noise, noise / 10, convention="decimal"), 3)
        2.0
    """
    chosen = _CONVENTIONS.get(convention)
    if chosen is None:
        raise ValueError(f"no convention {convention!r}: there are {', '.join(_CONVENTIONS)}")
    logs = [
        np.log(np.maximum(_reflected_power(signal, chosen), chosen.least_power))
        for signal in common_length(reference, estimate)
    ]
    return float(np.sqrt(((logs[0] - logs[1]) ** 2).mean(0)).mean() / math.log(chosen.log_base))


def _reflected_power(signal: Signal, convention: _Convention) -> Spectrogram:
    return power_spectrogram(signal, convention.window_samples, convention.hop_samples, padding="reflect")
