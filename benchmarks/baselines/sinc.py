"""Band-limited upsampling: nothing is added."""

from __future__ import annotations

import numpy as np

from baselines.transforms import Signal
from caw_toolkit.dsp.resampling import resample


def upsample(low: Signal, low_rate: int, rate: int, length: int) -> Signal:
    """The recording at a higher rate, `(length,)`."""
    upsampled = resample(low[None], low_rate, rate)[0].astype(np.float64)
    return np.pad(upsampled, (0, max(0, length - len(upsampled))))[:length]
