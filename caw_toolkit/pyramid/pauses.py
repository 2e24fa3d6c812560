"""Pauses of a speaker, which takes are to have, too."""

from __future__ import annotations

import numpy as np

from caw_toolkit.arrays import Array

#: Stretches in seconds, `(start, stop)`.
Pauses = tuple[tuple[float, float], ...]

#: A pause lies so far below the loudest tenth of all frames, and lasts so long, longer than the stop of a consonant
#: (docs/decisions.md#pauses-of-takes-of-speech).
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


def needed_pauses(pauses: Pauses, *, wanted: float, without: float, with_all: float) -> Pauses:
    """Which of the pauses a model needs, of which some come by themselves: the longer ones, which do so least.

    Args:
        pauses: of the recording.
        wanted: share of the time that is pauses, in the recording.
        without: the same in takes that get none of the pauses.
        with_all: the same in takes that get all of them.

    Example:
        >>> needed_pauses(((1.0, 1.4), (3.0, 3.6), (5.0, 5.3)), wanted=0.1, without=0.05, with_all=0.15)
        ((3.0, 3.6),)
    """
    if wanted >= with_all:
        return pauses
    share = max(0.0, (wanted - without) / (with_all - without)) if with_all > without else 0.0
    left = share * total_seconds(pauses)
    needed = []
    for pause in sorted(pauses, key=_seconds, reverse=True):
        if _seconds(pause) / 2 <= left:
            needed.append(pause)
            left -= _seconds(pause)
    return tuple(sorted(needed))


def total_seconds(pauses: Pauses) -> float:
    """How long all of them are together."""
    return sum(map(_seconds, pauses))


def _seconds(pause: tuple[float, float]) -> float:
    return pause[1] - pause[0]
