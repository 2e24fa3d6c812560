"""How near generated audio is to its recording in distribution, and how much noisier it is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from caw_toolkit.dsp.spectra import Spectrogram, power_blocks
from caw_toolkit.metrics.signals import Signal
from caw_toolkit.metrics.spectral import mel_filters, mel_spectrogram

_FRAMES_PER_SECOND = 100
_BANDS = 40
_LOWEST_HZ = 40.0
#: Patches are 250 ms long.
_PATCH_FRAMES = 25
#: Frames of a patch that are averaged, which leaves 5 steps of time.
_PATCH_STEP = 5
#: Frames from patch to patch: 20 ms.
_STRIDE = 2
#: Principal components of the recording's patches that are compared.
_COMPONENTS = 32


def frechet_distance(real: Signal, generated: Signal, sample_rate: int) -> float:
    """Frechet distance of log-mel patches of 250 ms, relative to the variance of the recording's own.

    Both signals are brought to the same level first. Patches are described by Gaussians, in the principal components of
    the recording's. Two halves of one recording are typically 0.1 to 0.2 apart.

    Args:
        real: the recording, `(samples,)`, at least a few seconds.
        generated: what was learnt from it, `(samples,)`.
        sample_rate: of both, Hz; at least 100.

    Returns:
        0 for the recording itself, without a unit; infinite or NaN where the recording is silent.

    Raises:
        ValueError: if a signal is shorter than 0.24 s or not one-dimensional, or the rate is below 100 Hz.
        numpy.linalg.LinAlgError: if a signal is shorter than 0.26 s, or holds what is not finite.

    Example:
        >>> noise = np.random.default_rng(0).standard_normal(32000)
        >>> abs(frechet_distance(noise, 2 * noise, 16000)) < 1e-6  # the level does not count
        True
    """
    known, made = (_patches(_log_mel(signal, sample_rate)) for signal in (real, generated))
    mean = known.mean(0)
    components = np.linalg.svd(known - mean, full_matrices=False)[2][:_COMPONENTS].T
    return _gaussian_distance((known - mean) @ components, (made - mean) @ components)


def flatness_bias(real: Signal, generated: Signal) -> float:
    """Median spectral flatness of the generated signal minus that of the recording, in dB: above 0 it hisses more.

    Flatness is the geometric over the arithmetic mean of a frame's power (window 1024, hop 512); frames 30 dB below the
    mean energy do not count.

    Args:
        real: the recording, `(samples,)`.
        generated: what was learnt from it, `(samples,)`.

    Returns:
        In dB; NaN where a signal holds NaN.

    Raises:
        ValueError: if a signal is not one-dimensional.

    Example:
        >>> tone, noise = np.sin(np.arange(16000) / 5), np.random.default_rng(0).standard_normal(16000)
        >>> flatness_bias(tone, tone), flatness_bias(tone, noise) > 40
        (0.0, True)
    """
    return float(np.median(_flatness(generated)) - np.median(_flatness(real)))


def _log_mel(signal: Signal, sample_rate: int) -> Spectrogram:
    """Power in dB of 40 mel bands at 100 frames a second, floored 60 dB below its mean; `(bands, frames)`."""
    window = 2 ** int(np.ceil(np.log2(0.03 * sample_rate)))
    filters, hop = mel_filters(sample_rate, window, _BANDS, _LOWEST_HZ), sample_rate // _FRAMES_PER_SECOND
    mels = mel_spectrogram(signal, filters, window, hop, level=signal.std() + 1e-9)
    return np.asarray(10 * np.log10(mels + mels.mean() * 1e-6 + 1e-30))


def _patches(mels: Spectrogram) -> Spectrogram:
    """`(patches, features)`."""
    windows = np.lib.stride_tricks.sliding_window_view(mels, _PATCH_FRAMES, axis=1)[:, ::_STRIDE]
    pooled = windows.reshape(*windows.shape[:2], _PATCH_FRAMES // _PATCH_STEP, _PATCH_STEP).mean(-1)
    return np.asarray(pooled.transpose(1, 0, 2).reshape(pooled.shape[1], -1))


def _gaussian_distance(known: Spectrogram, made: Spectrogram) -> float:
    """Frechet distance of the Gaussians fitted to two sets of rows, relative to the variance of the first."""
    offset = known.mean(0) - made.mean(0)
    first, second = np.cov(known.T), np.cov(made.T)
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0)).sum()
    variance = np.trace(first)
    return float((offset @ offset + variance + np.trace(second) - 2 * shared) / variance)


def _flatness(signal: Signal) -> npt.NDArray[np.float64]:
    """Geometric over arithmetic mean of the power, in dB, of every frame that is not silent."""
    sums = [(power.sum(), power.size) for power in power_blocks(signal, 1024, 512)]
    total, count = np.sum(sums, axis=0)
    floor = total / count * 1e-6 + 1e-30
    energies, flatness = [], []
    for power in power_blocks(signal, 1024, 512):
        power += floor
        frames = power.T.copy()
        energies.append(power.sum(0))
        flatness.append(np.log(frames).mean(1) - np.log(frames.mean(1)))
    energy = np.concatenate(energies)
    return np.asarray(10 / np.log(10) * np.concatenate(flatness)[energy > energy.mean() * 1e-3])
