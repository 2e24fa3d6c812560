"""Frames and power spectrograms of signals in memory, in NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import FloatArray

#: Power or decibels, `(bins, frames)`.
Spectrogram = npt.NDArray[np.float64]

#: For plugins; what else is here belongs to the engine.
__all__ = ["Spectrogram", "power_spectrogram", "windowed_frames"]

#: Of a block: more than clips of a minute have at a hop of 10 ms, so that these are one.
MOST_FRAMES = 8192

_BLOCK_FRAMES = 256


def windowed_frames(signal: FloatArray, window: FloatArray, hop: int) -> FloatArray:
    """Successive frames of a signal, as many as lie within it, multiplied by a window.

    Shape:
        signal: `(..., samples)`; window: `(size,)`; result: `(..., frames, size)`

    Example:
        >>> windowed_frames(np.arange(5.0), np.ones(3), hop=2)
        array([[0., 1., 2.],
               [2., 3., 4.]])
    """
    frames = np.lib.stride_tricks.sliding_window_view(signal, len(window), axis=-1)[..., ::hop, :]
    windowed: FloatArray = frames * window
    return windowed


def power_spectrogram(
    signal: npt.NDArray[np.float64],
    window_samples: int,
    hop_samples: int,
    *,
    padding: Literal["constant", "reflect"] = "constant",
) -> Spectrogram:
    """Squared magnitudes of the STFT with a periodic Hann window.

    Args:
        signal: `(samples,)`.
        window_samples: length of the window and of the transform.
        hop_samples: distance between frames; frame `n` is centred on sample `n * hop_samples`.
        padding: how the signal goes on beyond its ends: with zeros, or mirrored.

    Returns:
        `(window_samples // 2 + 1, samples // hop_samples + 1)`.

    Example:
        >>> power_spectrogram(np.ones(64), window_samples=16, hop_samples=8).shape
        (9, 9)
    """
    return _power(_overlapping(signal, window_samples, hop_samples, padding))


def power_blocks(
    signal: npt.NDArray[np.float64],
    window_samples: int,
    hop_samples: int,
    *,
    block_frames: int = MOST_FRAMES,
    level: float = 1.0,
) -> Iterator[Spectrogram]:
    """`power_spectrogram` of a long signal, some frames at a time.

    Args:
        signal: `(samples,)`.
        window_samples: length of the window and of the transform.
        hop_samples: distance between frames.
        block_frames: frames of each block but the last, a multiple of 256.
        level: what the signal is divided by.

    Yields:
        `(window_samples // 2 + 1, frames)`.

    Example:
        >>> [block.shape for block in power_blocks(np.ones(4096), 16, 8, block_frames=256)]
        [(9, 256), (9, 256), (9, 1)]
    """
    frames = _overlapping(signal, window_samples, hop_samples, "constant")
    for start in range(0, len(frames), block_frames):
        yield _power(frames[start : start + block_frames], level)


def _overlapping(
    signal: npt.NDArray[np.float64], window: int, hop: int, padding: Literal["constant", "reflect"]
) -> npt.NDArray[np.float64]:
    """A view of the frames, `(frames, window)`."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(signal, window // 2, mode=padding), window)[::hop]


def _power(frames: npt.NDArray[np.float64], level: float = 1.0) -> Spectrogram:
    count, size = frames.shape
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    power = np.empty((size // 2 + 1, count))
    # Block by block: a view of overlapping frames, multiplied by the window, takes window / hop times the memory.
    for start in range(0, count, _BLOCK_FRAMES):
        spectra = np.fft.rfft(frames[start : start + _BLOCK_FRAMES] / level * window, axis=1)
        power[:, start : start + _BLOCK_FRAMES] = (np.abs(spectra) ** 2).T
    return power


def fast_length(samples: int) -> int:
    """The least length, from a number of samples on, at which transforms of real signals are fast.

    It has no prime factors but 2, 3 and 5.

    >>> fast_length(7), fast_length(97)
    (8, 100)
    """
    powers = range(samples.bit_length() + 1)
    odds: Iterator[int] = (3**threes * 5**fives for threes in powers for fives in powers)
    return min(odd << (-(-samples // odd) - 1).bit_length() for odd in odds if odd < 2 * samples)
