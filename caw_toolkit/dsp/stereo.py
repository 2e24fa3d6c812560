"""Two channels as what they share and what they differ by."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def mid_side(waveform: Tensor) -> Tensor:
    """Left and right to middle and side and back (the same orthogonal rotation); mono is left as it is.

    Shape:
        `(batch, channels, samples)`, kept.
    """
    if waveform.shape[1] != 2:
        return waveform
    left, right = waveform.unbind(1)
    return torch.stack([left + right, left - right], dim=1) * math.sqrt(0.5)
