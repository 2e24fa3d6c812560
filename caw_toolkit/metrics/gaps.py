"""Filled gaps: how near to what was there, how smooth at the joins, how far from a mere copy of the rest.

A gap is `(start, stop)` in samples. The spectral distances compare the frames centred in it with those of the real
signal, so that another plausible filling is penalised: read them beside that of a copy from elsewhere.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from caw_toolkit.arrays import Gap
from caw_toolkit.dsp.spectra import Spectrogram, power_spectrogram
from caw_toolkit.metrics.signals import Signal, common_length
from caw_toolkit.metrics.spectral import mel_filters

_WINDOW, _HOP, _BANDS = 1024, 256, 64
_JOIN_WINDOW, _JOIN_HOP, _JOIN_BANDS = 512, 64, 40
_DECIBELS = 10 / np.log(10)


def gap_log_spectral_distance(real: Signal, filled: Signal, gap: Gap) -> float:
    """Log-spectral distance in the gap (natural logarithm, window 1024, hop 256, floor 80 dB below the mean power).

    Args:
        real: what was there, `(samples,)`.
        filled: the same signal with the gap filled, `(samples,)`.
        gap: `(start, stop)` in samples.

    Returns:
        Root of the mean squared difference over bins, mean over the frames centred in the gap; NaN where there is none.
        Infinite or NaN where the real signal is silent throughout.

    Raises:
        ValueError: if a signal is not one-dimensional.

    Example:
        >>> noise = np.random.default_rng(0).standard_normal(16000)
        >>> round(gap_log_spectral_distance(noise, noise / np.e, (4000, 8000)), 3)  # natural logarithm of the power
        2.0
    """
    powers = [power_spectrogram(signal, _WINDOW, _HOP) for signal in common_length(real, filled)]
    inside = _inside(powers[0].shape[1], gap)
    floor = powers[0].mean() * 1e-8
    logs = [np.log(power[:, inside] + floor) for power in powers]
    return float(np.sqrt(((logs[0] - logs[1]) ** 2).mean(0)).mean())


def gap_log_mel_distance(real: Signal, filled: Signal, sample_rate: int, gap: Gap) -> float:
    """Mean absolute difference of the log powers of 64 mel bands in the gap, in dB.

    Args:
        real: what was there, `(samples,)`.
        filled: the same signal with the gap filled, `(samples,)`.
        sample_rate: of both, Hz.
        gap: `(start, stop)` in samples.

    Returns:
        In dB; NaN where no frame (window 1024, hop 256) is centred in the gap.

    Raises:
        ValueError: if a signal is not one-dimensional.

    Example:
        >>> noise = np.random.default_rng(0).standard_normal(16000)
        >>> round(gap_log_mel_distance(noise, noise / 10, 16000, (4000, 8000)), 3)
        20.0
    """
    mels = [_log_mel(signal, sample_rate) for signal in common_length(real, filled)]
    inside = _inside(mels[0].shape[1], gap)
    return float(_DECIBELS * np.abs(mels[0][:, inside] - mels[1][:, inside]).mean())


def gap_level_error(real: Signal, filled: Signal, gap: Gap) -> float:
    """Absolute difference of the gap's energies, in dB.

    Args:
        real: what was there, `(samples,)`.
        filled: the same signal with the gap filled, `(samples,)`.
        gap: `(start, stop)` in samples.

    Returns:
        In dB; finite, as 1e-9 is added to both energies.

    Raises:
        ValueError: if a signal is not one-dimensional.

    Example:
        >>> round(gap_level_error(np.ones(100), np.full(100, 0.1), (20, 60)), 3)
        20.0
    """
    energies = [float(signal[slice(*gap)] @ signal[slice(*gap)]) + 1e-9 for signal in common_length(real, filled)]
    return abs(10 * float(np.log10(energies[1] / energies[0])))


def join_flux(filled: Signal, sample_rate: int, gap: Gap) -> float:
    """Log-mel flux at the joins relative to its median over the signal, mean over both.

    The greatest change from frame to frame (4 ms at 16 kHz) within 20 ms of a join. Real signals have more than 1.

    Args:
        filled: the signal with its gap filled, `(samples,)`.
        sample_rate: of it, Hz.
        gap: `(start, stop)` in samples; an end that is also one of the signal is no join.

    Returns:
        A ratio; NaN where there is no join, or nothing more than 250 ms away from the gap to compare with; infinite or
        NaN where nothing changes there.

    Raises:
        ValueError: if the signal is not one-dimensional, or no frame is within 20 ms of a join: they are 64 samples
            apart, which is too far below 1600 Hz.

    Example:
        >>> noise = np.random.default_rng(0).standard_normal(16000)
        >>> silent = np.where((np.arange(16000) >= 4000) & (np.arange(16000) < 8000), 0, noise)
        >>> join_flux(noise, 16000, (4000, 8000)) < 2 < 20 < join_flux(silent, 16000, (4000, 8000))
        True
    """
    power = power_spectrogram(filled, _JOIN_WINDOW, _JOIN_HOP)
    mels = np.log(mel_filters(sample_rate, _JOIN_WINDOW, _JOIN_BANDS) @ power + 1e-5)
    flux = np.abs(np.diff(mels, axis=1)).mean(0)
    centres = np.arange(1, power.shape[1]) * _JOIN_HOP
    away = (centres < gap[0] - sample_rate // 4) | (centres > gap[1] + sample_rate // 4)
    joins = [edge for edge in gap if 0 < edge < len(filled)]
    near = [flux[np.abs(centres - edge) <= int(0.02 * sample_rate)].max() for edge in joins]
    with np.errstate(divide="ignore", invalid="ignore"):  # of constant audio
        return float(np.mean(near) / np.median(flux[away]))


def distance_to_context(real: Signal, filled: Signal, sample_rate: int, gap: Gap) -> float:
    """Mean distance of 100 ms log-mel patches in the gap to the nearest patch outside, in dB per band.

    Near 0, the filling is a copy; the real signal has some distance to itself.

    Args:
        real: what was there, `(samples,)`.
        filled: the same signal with the gap filled, `(samples,)`.
        sample_rate: of both, Hz; at least 2560.
        gap: `(start, stop)` in samples.

    Returns:
        In dB. Patches are as long as the gap where that is shorter than 100 ms.

    Raises:
        IndexError: if no frame (hop 256) is centred in the gap, or the rate is below 2560 Hz.
        ValueError: if no patch of the real signal is outside the gap and 1024 samples on each side of it, or a signal
            is not one-dimensional or holds what is not finite.

    Example:
        >>> tone = np.sin(2 * np.pi * np.arange(16000) / 64)
        >>> distance_to_context(tone, tone, 16000, (4000, 8000)) < 1e-6  # the gap is like the rest
        True
    """
    real, filled = common_length(real, filled)
    known, made = _log_mel(real, sample_rate), _log_mel(filled, sample_rate)
    centres = np.arange(known.shape[1]) * _HOP
    inside = _inside(known.shape[1], gap)
    outside = (centres < gap[0] - _WINDOW) | (centres >= gap[1] + _WINDOW)
    length = min(int(0.1 * sample_rate / _HOP), int(inside.sum()))
    distances, _ = cKDTree(_patches(known, outside, length)).query(_patches(made, inside, length))
    return float(_DECIBELS * distances.mean() / np.sqrt(length * _BANDS))


def _inside(frames: int, gap: Gap) -> npt.NDArray[np.bool_]:
    centres = np.arange(frames) * _HOP
    return (centres >= gap[0]) & (centres < gap[1])


def _log_mel(signal: Signal, sample_rate: int) -> Spectrogram:
    power = power_spectrogram(signal, _WINDOW, _HOP)
    return np.asarray(np.log(mel_filters(sample_rate, _WINDOW, _BANDS) @ power + 1e-6))


def _patches(mels: Spectrogram, allowed: npt.NDArray[np.bool_], length: int) -> Spectrogram:
    """Stretches of frames that are all allowed, one to a row."""
    whole = np.lib.stride_tricks.sliding_window_view(allowed, length).all(1)
    windows = np.lib.stride_tricks.sliding_window_view(mels, length, axis=1)[:, whole]
    return np.asarray(windows.transpose(1, 0, 2).reshape(int(whole.sum()), -1))
