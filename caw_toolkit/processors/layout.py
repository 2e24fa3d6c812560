"""What pedalboard accepts as audio, and what it gives back: element types and the order of dimensions.

Measured on pedalboard 0.9: float32 or float64 arrays go in, float32 comes out in the caller's layout. Of two dimensions
the one that is as long as there were channels before is the channels, else the smaller one; where both are equal, the
layout is that of the call before.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import Any

import numpy as np

from caw_toolkit.arrays import Array, FloatArray


class Layout(Enum):
    """Order of an array's dimensions."""

    FLAT = "(samples,)"
    CHANNELS_FIRST = "(channels, samples)"
    CHANNELS_LAST = "(samples, channels)"


def detect_layout(array: Any, *, channels: int | None = None, previous: Layout | None = None) -> Layout:
    """The layout of an array of audio.

    Args:
        array: what the caller gave.
        channels: number of channels of the call before, if there was one.
        previous: layout of the call before.

    Raises:
        TypeError: it is no array of 32-bit or 64-bit floating-point numbers.
        RuntimeError: it has another number of dimensions than 1 or 2, or both are alike and nothing was seen before.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"audio must be a numpy array, not {type(array).__name__}")
    if array.dtype.newbyteorder("=") not in (np.float32, np.float64):
        raise TypeError(f"audio must be 32-bit or 64-bit floating point, not {array.dtype}")
    if array.ndim == 1:
        return Layout.FLAT
    if array.ndim != 2:
        raise RuntimeError(f"audio must have 1 or 2 dimensions, not {array.ndim}")
    rows, columns = array.shape
    if rows == columns != 1:
        if previous is None:
            raise RuntimeError(
                f"cannot tell channels from samples in the shape {array.shape}. Provide a non-square array first"
            )
        return Layout.CHANNELS_LAST if previous is Layout.CHANNELS_LAST else Layout.CHANNELS_FIRST
    if channels is not None and channels in (rows, columns):
        return Layout.CHANNELS_FIRST if rows == channels else Layout.CHANNELS_LAST
    return Layout.CHANNELS_LAST if columns < rows else Layout.CHANNELS_FIRST


def channel_count(array: FloatArray, layout: Layout) -> int:
    """Number of channels of an array."""
    return 1 if layout is Layout.FLAT else array.shape[1] if layout is Layout.CHANNELS_LAST else array.shape[0]


def to_channels_first(array: FloatArray, layout: Layout) -> Array:
    """A `(channels, samples)` float32 copy of an array; the array itself is left alone."""
    ordered = array[None] if layout is Layout.FLAT else array.T if layout is Layout.CHANNELS_LAST else array
    return np.array(ordered, dtype=np.float32, order="C")


def from_channels_first(audio: Array, layout: Layout) -> Array:
    """The inverse of `to_channels_first`: a contiguous float32 array."""
    ordered = audio[0] if layout is Layout.FLAT else audio.T if layout is Layout.CHANNELS_LAST else audio
    return np.ascontiguousarray(ordered, dtype=np.float32)


def checked_rate(sample_rate: Any) -> float:
    """A sample rate as a float: of a number of any kind, a scalar of numpy or torch included.

    Raises:
        TypeError: it is no number.
        ValueError: it is not positive and finite.

    >>> checked_rate(np.array(44100))
    44100.0
    """
    try:
        if isinstance(sample_rate, (str, bytes)) or getattr(sample_rate, "ndim", 0) > 0:
            raise TypeError
        rate = float(sample_rate)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"sample_rate must be a number, not {type(sample_rate).__name__}") from None
    if not 0 < rate < math.inf:
        raise ValueError(f"sample_rate must be above 0 Hz, not {rate:g}")
    return rate


def require_buffer_size(buffer_size: Any) -> None:
    """Raise for a buffer size with which pedalboard would fail, or (0, in version 0.9) never return.

    Raises:
        TypeError: it is no integer.
        ValueError: it is below 1.
    """
    if not isinstance(buffer_size, (int, np.integer)):
        raise TypeError(f"buffer_size must be an integer, not {type(buffer_size).__name__}")
    if buffer_size < 1:
        raise ValueError(f"buffer_size must be at least 1, not {buffer_size}")
