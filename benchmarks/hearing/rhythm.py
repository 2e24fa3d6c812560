"""Rhythm: whether strokes fall on the grid of the recording."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import numpy.typing as npt

from caw_toolkit.dsp.spectra import power_spectrogram
from caw_toolkit.metrics import Signal
from hearing.features import RATE, Aspect, Feature, Figure

_WINDOW, _HOP = 512, 80
_FLOOR_DB = -60.0
#: A stroke rises above its surroundings of 0.2 s by more than usual, and is the highest within 50 ms.
_SURROUNDINGS_FRAMES, _APART_FRAMES = 20, 5
#: Grids are looked for from 100 ms to 1 s, in steps of 0.2 %; a take may be 2 % faster or slower.
_SHORTEST_SECONDS, _LONGEST_SECONDS, _STEP, _TEMPO_STEPS = 0.1, 1.0, 0.002, 10


def aspect(recording: Signal) -> Aspect:
    """Coherence with the grid of a recording at `RATE`."""
    return Aspect((), partial(describe, period=grid_period(recording)))


def describe(music: Signal, *, period: float) -> Mapping[str, Feature]:
    """How many strokes there are, and how coherent they are with a grid of a period in seconds."""
    times, strengths = strokes(music)
    tempi = period * (1 + _STEP * np.arange(-_TEMPO_STEPS, _TEMPO_STEPS + 1))
    return {
        "strokes a second": Figure(len(times) / (len(music) / RATE)),
        f"coherence with a grid of {period:.3f} s": Figure(float(_coherence(times, strengths, tempi).max())),
    }


def grid_period(recording: Signal) -> float:
    """The period with which most of the strokes are in phase, s."""
    count = int(np.log(_LONGEST_SECONDS / _SHORTEST_SECONDS) / _STEP)
    periods = _SHORTEST_SECONDS * np.exp(_STEP * np.arange(count))
    return float(periods[_coherence(*strokes(recording), periods).argmax()])


def strokes(music: Signal) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """When strokes fall, s, and how strong they are: peaks of the spectral flux."""
    power = power_spectrogram(music, _WINDOW, _HOP)
    decibels = 10 * np.log10(power / (power.max() + 1e-30) + 10 ** (_FLOOR_DB / 10))
    flux = np.maximum(np.diff(decibels, axis=1), 0).mean(0)
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(flux, _SURROUNDINGS_FRAMES, "edge"), 2 * _SURROUNDINGS_FRAMES + 1
    )
    near = np.lib.stride_tricks.sliding_window_view(np.pad(flux, _APART_FRAMES, "edge"), 2 * _APART_FRAMES + 1)
    excess = flux - np.median(around, axis=1)
    found = np.flatnonzero((flux == near.max(1)) & (excess > flux.std()))
    return (found + 0.5) * _HOP / RATE, excess[found]


def _coherence(
    times: npt.NDArray[np.float64], strengths: npt.NDArray[np.float64], periods: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Length of the mean phasor of strokes on each grid: 1 if all are in phase, near 0 if they fall anywhere."""
    phasors = np.exp(2j * np.pi * times / periods[:, None]) @ strengths
    return np.asarray(np.abs(phasors) / (strengths.sum() + 1e-30))
