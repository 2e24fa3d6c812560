"""Short-time spectra, and signals of them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, rfft

from caw_toolkit import Array

Power = npt.NDArray[np.floating]
Spectra = npt.NDArray[np.complex64]

#: Windows that hold each sample.
OVERLAPS = 4
#: Frames that are transformed together.
FRAMES_AT_ONCE = 256


def window_size(seconds: float, samples: Array, sample_rate: int) -> int:
    """Samples of a window: a power of two, no longer than the recording."""
    wanted, most = round(math.log2(seconds * sample_rate)), int(math.log2(max(16, samples.shape[1])))
    return 1 << min(wanted, most)


def mean_power(spectra: Spectra) -> Power:
    """Power in the mean of the channels: one gain for all of them keeps the image where it is."""
    power: Power = (spectra.real**2 + spectra.imag**2).mean(0)
    return power


def power_as_one(spectra: Spectra) -> Power:
    """Power of the channels as that of one, `(bins, frames)`: of as much on average as `mean_power`, but of its spread.

    Noise that differs between channels is as uneven as in one of them only; in a mean of two it looks steadier, and so
    does music. A quarter of a period between the channels keeps what is alike in both, or opposite, from adding up or
    cancelling.

    Args:
        spectra: `(channels, bins, frames)`, of one or two channels.
    """
    if len(spectra) == 1:
        return mean_power(spectra)
    return 0.5 * mean_power(spectra[:1] + np.complex64(1j) * spectra[1:])


def spectra_of(samples: Array, size: int) -> Spectra:
    """Short-time spectra through windows of `size` samples, `(channels, bins, frames)`.

    As `scipy.signal.stft` has them, with three quarters of overlap; but some frames at a time, for a long recording has
    many.
    """
    hop, window = size // OVERLAPS, _window(size)
    count = math.ceil(samples.shape[1] / hop) + 1
    padded = np.pad(samples, ((0, 0), (size // 2, count * hop + size // 2 - samples.shape[1])))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, ::hop]
    spectra = np.empty((len(samples), size // 2 + 1, count), np.complex64)
    for some in _some(count):
        spectra[..., some] = rfft(frames[:, some] * (window / window.sum()), axis=2).swapaxes(1, 2)
    return spectra


def signal_of(spectra: Spectra, size: int, samples: int) -> Array:
    """The inverse of `spectra_of`, of so many samples."""
    hop, window = size // OVERLAPS, _window(size)
    channels, _, count = spectra.shape
    added = np.zeros((channels, count + OVERLAPS - 1, hop), np.float32)
    weight = np.zeros((count + OVERLAPS - 1, hop), np.float32)
    for some in _some(count):
        frames = irfft(spectra[..., some].swapaxes(1, 2), axis=2) * (window * window.sum())
        for part in range(OVERLAPS):
            inside = slice(part * hop, (part + 1) * hop)
            added[:, some.start + part : some.stop + part] += frames[..., inside]
            weight[some.start + part : some.stop + part] += window[inside] ** 2
    signal = (added / np.maximum(weight, 1e-10)).reshape(channels, -1)[:, size // 2 :][:, :samples]
    return np.ascontiguousarray(signal, np.float32)


def _window(size: int) -> Array:
    """A periodic Hann window."""
    return np.hanning(size + 1)[:-1].astype(np.float32)


def _some(count: int) -> Iterator[slice]:
    """All of so many frames, some at a time."""
    for start in range(0, count, FRAMES_AT_ONCE):
        yield slice(start, min(count, start + FRAMES_AT_ONCE))
