"""Signals that come piece by piece, hum, and how near two signals are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def pieces(samples: np.ndarray, size: int = 4321) -> Iterator[np.ndarray]:
    """A signal `(channels, samples)` in pieces of a size that divides nothing."""
    return (samples[:, start : start + size] for start in range(0, samples.shape[1], size))


def snr(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Ratio of signal to error in dB."""
    return float(10 * np.log10((reference**2).sum() / (((reference - estimate) ** 2).sum() + 1e-30)))


def hum_lines(samples: int, rate: int, mains: float, drift: float) -> np.ndarray:
    """Hum at a mains frequency, its double and its triple, that drifts by a share within 15 s."""
    seconds = np.arange(samples) / rate
    phase = 2 * np.pi * np.cumsum(mains * (1 + drift * np.sin(2 * np.pi * seconds / 15))) / rate
    return np.asarray(0.02 * sum(level * np.sin(k * phase + k) for k, level in ((1, 1), (2, 0.5), (3, 0.6))))
