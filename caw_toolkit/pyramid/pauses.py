"""Pauses of a speaker, which takes are to have, too."""

from __future__ import annotations

import numpy as np

from caw_toolkit.arrays import Array

#: Stretches in seconds, `(start, stop)`.
Pauses = tuple[tuple[float, float], ...]

#: A pause lies so far below the loudest tenth of all frames, and lasts so long, longer than the stop of a consonant
#: (docs/decisions.md).
_BELOW_SPEECH_DB, _SHORTEST_SECONDS = 20.0, 0.3
_LOUD_QUANTILE = 0.9
_FRAMES_A_SECOND, _SMOOTHED_FRAMES = 100, 3


def find_pauses(samples: Array, sample_rate: int) -> Pauses:
    """Find where a recording of speech pauses.

    Args:
        samples: `(channels, samples)`, of any level.
        sample_rate: Hz.

    Example:
        >>> word = np.random.default_rng(0).standard_normal((1, 8000))
        >>> find_pauses(np.hstack([word, 0.01 * word, word]), 16000)
        ((0.51, 0.99),)
    """
    hop = max(1, sample_rate // _FRAMES_A_SECOND)
    frames = samples.shape[1] // hop
    if not frames:
        return ()
    power = np.square(samples[:, : frames * hop], dtype=np.float64).mean(0).reshape(frames, hop).mean(1)
    power = np.convolve(power, np.ones(_SMOOTHED_FRAMES) / _SMOOTHED_FRAMES, "same")
    quiet = power < np.quantile(power, _LOUD_QUANTILE) * 10 ** (-_BELOW_SPEECH_DB / 10)
    edges = np.flatnonzero(np.diff(quiet, prepend=False, append=False)).reshape(-1, 2)
    long = edges[np.diff(edges, axis=1)[:, 0] >= _SHORTEST_SECONDS * _FRAMES_A_SECOND]
    return tuple((float(start), float(stop)) for start, stop in long * hop / sample_rate)


def in_samples(pauses: Pauses, rate: int) -> list[slice]:
    """Where they are in a signal of `rate` Hz."""
    return [slice(round(start * rate), round(stop * rate)) for start, stop in pauses]
