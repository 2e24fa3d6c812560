"""Short-time Fourier transform and its inverse, noise of a given spectrogram, and the shape of crossfades."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float64]
Spectra = npt.NDArray[np.complex128]


def hann(samples: int) -> Signal:
    """Periodic Hann window."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(samples) / samples)


def transform(
    signal: Signal, window: int, hop: int, *, padding: Literal["constant", "reflect"] = "constant"
) -> Spectra:
    """`(bins, frames)`; frame `n` is centred on sample `n * hop`."""
    padded = np.pad(signal, (window // 2, window), mode=padding)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][: len(signal) // hop + 2]
    return np.fft.rfft(frames * hann(window), axis=1).T


def inverse(spectra: Spectra, length: int, window: int, hop: int) -> Signal:
    """`(length,)`, by weighted overlap-add."""
    frames = np.fft.irfft(spectra.T, window, axis=1) * hann(window)
    joined = np.zeros(len(frames) * hop + window)
    weight = np.zeros_like(joined)
    for index, frame in enumerate(frames):
        joined[index * hop : index * hop + window] += frame
        weight[index * hop : index * hop + window] += hann(window) ** 2
    centred = (joined / np.maximum(weight, 1e-8))[window // 2 :]
    return np.pad(centred, (0, max(0, length - len(centred))))[:length]


def shaped_noise(
    amplitudes: npt.NDArray[np.float64], length: int, window: int, hop: int, rng: np.random.Generator
) -> Signal:
    """White noise whose STFT has the given root-mean-square amplitudes, `(bins, frames)`."""
    noise = transform(rng.standard_normal(length), window, hop)[:, : amplitudes.shape[1]]
    return inverse(noise / np.sqrt((np.abs(noise) ** 2).mean()) * amplitudes, length, window, hop)


def rising(samples: int) -> Signal:
    """Half of a raised cosine, from 0 to 1."""
    return 0.5 - 0.5 * np.cos(np.pi * (np.arange(samples) + 0.5) / samples)
