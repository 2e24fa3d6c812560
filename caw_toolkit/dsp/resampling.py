"""Changing the sampling rate of files and scales, band-limited (soxr; paper, equation 1).

What leads from a scale to the next is `pyramid.upsampling`.
"""

from __future__ import annotations

import numpy as np
import soxr

#: For plugins; what else is here belongs to the engine.
__all__ = ["resample", "resampled_length"]


def resampled_length(samples: int, from_rate: int, to_rate: int) -> int:
    """Samples that a signal has at another rate: what `resample` returns.

    >>> resampled_length(16000, 16000, 500)
    500
    """
    return round(samples * to_rate / from_rate)


def resample(samples: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Resample band-limited, in soxr's very high quality (linear phase, aligned with the input).

    Args:
        samples: `(channels, samples)`.
        from_rate: rate of `samples`, Hz.
        to_rate: rate wanted, Hz.

    Returns:
        `(channels, resampled_length(samples, from_rate, to_rate))` float32; always a new array.

    Example:
        >>> resample(np.zeros((2, 441), dtype=np.float32), 44100, 16000).shape
        (2, 160)
    """
    samples = np.asarray(samples, dtype=np.float32)
    length = resampled_length(samples.shape[1], from_rate, to_rate)
    result = np.zeros((samples.shape[0], length), dtype=np.float32)
    if from_rate == to_rate or length == 0:
        result[:] = samples[:, :length]
        return result
    resampled = soxr.resample(np.ascontiguousarray(samples.T), from_rate, to_rate, quality="VHQ").T
    kept = min(length, resampled.shape[1])
    result[:, :kept] = resampled[:, :kept]
    return result
