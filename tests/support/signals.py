"""Signals that come piece by piece, and how near two of them are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def pieces(samples: np.ndarray, size: int = 4321) -> Iterator[np.ndarray]:
    """A signal `(channels, samples)` in pieces of a size that divides nothing."""
    return (samples[:, start : start + size] for start in range(0, samples.shape[1], size))


def snr(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Ratio of signal to error in dB."""
    return float(10 * np.log10((reference**2).sum() / (((reference - estimate) ** 2).sum() + 1e-30)))
