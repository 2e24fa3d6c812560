"""Pads: one moment of a recording, held as long as wanted.

The spectrum of the moment is played again and again in overlapping windows, each with other random phases. What stays
is its timbre; its course in time is gone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from caw_toolkit import Array, CawUsageError

#: Length of a moment: long enough to resolve the harmonics of low notes.
MOMENT_SECONDS = 0.25

_WINDOWS_AT_ONCE = 4  # how many overlap everywhere


def loudest_moment(samples: Array, sample_rate: int) -> float:
    """Middle of the loudest moment, in seconds.

    Args:
        samples: `(channels, samples)`.
        sample_rate: Hz.
    """
    size = min(_moment_samples(sample_rate), samples.shape[1])
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64).sum(0))])
    return float(np.argmax(energy[size:] - energy[: len(energy) - size]) + size / 2) / sample_rate


def moment(samples: Array, sample_rate: int, *, at_seconds: float) -> Array:
    """A quarter of a second of a recording; near its ends, as much of it as there is.

    Args:
        samples: `(channels, samples)`.
        sample_rate: Hz.
        at_seconds: middle of the moment.

    Returns:
        `(channels, moment samples)`.

    Raises:
        CawUsageError: it lies outside the recording.
    """
    seconds = samples.shape[1] / sample_rate
    if not 0 <= at_seconds <= seconds:
        raise CawUsageError(f"the moment must lie within the recording, 0 to {seconds:.3f} s, not at {at_seconds:g} s")
    size = _moment_samples(sample_rate)
    start = max(0, min(round(at_seconds * sample_rate) - size // 2, samples.shape[1] - size))
    return samples[:, start : start + size]


def hold(held: Array, length: int, *, seed: int) -> Array:
    """Hold a moment, at its level.

    Args:
        held: `(channels, moment samples)`.
        length: samples of the pad.
        seed: of the random phases.

    Returns:
        `(channels, length)` float32, circular: its end leads into its beginning.
    """
    channels, size = held.shape
    if length == 0 or not held.any():
        return np.zeros((channels, length), np.float32)
    random = np.random.default_rng(seed)
    window = np.hanning(size + 2)[1:-1]
    spectrum = np.fft.rfft(held * window)
    count = -(-length * _WINDOWS_AT_ONCE // size)
    pad = np.zeros((channels, length))
    for start in np.arange(count) * length // count:
        phases = np.exp(2j * np.pi * random.random(spectrum.shape[1]))  # the same in all channels keeps the image
        places = (start + np.arange(size)) % length
        np.add.at(pad.T, places, (np.fft.irfft(spectrum * phases, size) * window).T)
    return (pad * (_level(held) / _level(pad))).astype(np.float32)


def _moment_samples(sample_rate: int) -> int:
    return max(1, round(MOMENT_SECONDS * sample_rate))


def _level(samples: npt.NDArray[np.floating]) -> float:
    """Root of the mean square over all channels, above 0."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)) + 1e-20))
