"""Bandwidth extension by copying: each frame gets the highs of the training frame with the most similar lows."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from baselines.sinc import upsample
from baselines.transforms import Signal, Spectra, inverse, transform

_WINDOW, _HOP = 512, 128
#: Frames beside each one that are compared with it, and bins left out below the cutoff, where resamplers fall off.
_CONTEXT, _GUARD_BINS = (-2, 0, 2), 6


def extend(low: Signal, low_rate: int, training: Signal, rate: int, length: int) -> Signal:
    """Add the missing band, phases included."""
    cutoff = low_rate * _WINDOW // (2 * rate)
    kept = upsample(low, low_rate, rate, length)
    known = transform(training, _WINDOW, _HOP)
    tree = cKDTree(_described(known[1 : cutoff - _GUARD_BINS]))
    _, nearest = tree.query(_described(transform(kept, _WINDOW, _HOP)[1 : cutoff - _GUARD_BINS]))
    copied = known[:, nearest]
    copied[:cutoff] = 0
    return kept + inverse(copied, length, _WINDOW, _HOP)


def _described(spectra: Spectra) -> np.ndarray:
    """Log powers of each frame and its neighbours, `(frames, features)`."""
    logs = np.log(np.abs(spectra) ** 2 + 1e-6)
    frames = np.arange(logs.shape[1])
    return np.concatenate([logs[:, np.clip(frames + offset, 0, frames[-1])] for offset in _CONTEXT]).T
