"""Arrays of audio: their types, and the most that is in them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: For plugins, which find the others in `caw_toolkit`.
__all__ = ["FloatArray"]

#: Audio: float32, `(channels, samples)` unless said otherwise.
Array = npt.NDArray[np.float32]
#: Audio as callers may have it.
FloatArray = npt.NDArray[np.floating]
#: First sample of a gap, and the first after it.
Gap = tuple[int, int]
#: No sample is larger: more than integers of 32 bits that were stored as floating-point numbers, and the squares of
#: more overflow.
LOUDEST = 1e10
