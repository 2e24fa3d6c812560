"""The pulse of a recording: the grid in time that its onsets keep to, followed through changes of tempo.

The Fourier transform of the onset strength at a frequency, over its sum, is the resultant length of the onsets' phases:
1 where all of them lie on one grid of that frequency, and near 0 where they know nothing of it. It is taken in windows
of some seconds (a tempogram: Grosche and Müller, 2011), so that a tempo may drift. The frequency of the largest one is
the pulse, and its angles there are the phases of the grid. Bars are the number of pulses after which the onsets repeat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import Array, FloatArray, Gap
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.dsp.spectra import power_spectrogram

__all__ = ["Pulse", "find_pulse"]

#: A shorter recording shows no pulse: it needs some windows.
SHORTEST_SECONDS = 5.0
#: Onsets are measured at this rate, in Hz.
_RATE = 16000
#: Their frames are of 32 ms.
_FRAME = 512
_HOP = 160
_FRAMES_A_SECOND = _RATE // _HOP
#: Differences so near to what is missing know of it.
_REACH_FRAMES = 3
_BANDS = 12
_LOWEST_BIN = 2
#: The pulse is looked for in windows of this length.
_WINDOW_FRAMES = 4 * _FRAMES_A_SECOND
#: Distance from one to the next.
_STEP_FRAMES = _FRAMES_A_SECOND // 2
#: Fewest pulses a second.
_SLOWEST = 1.5
#: Most pulses a second.
_FASTEST = 9.0
#: How finely they are told apart.
_SPACING = 0.02
#: How regular onsets are, and half of how much their bars stand out: together loops and songs with drums have .74 to
#: 1.35, free playing, speech and weather up to .58 (docs/decisions.md#the-beat-of-takes).
_LEAST_CLARITY = 0.65
#: Pulses of a bar at the most.
_LONGEST_BAR = 16
#: Bars stand out this much from other numbers of pulses at the least (1: they repeat exactly).
_LEAST_REPETITION = 0.2
#: A shorter bar is taken that stands out almost as much as the best.
_ALMOST = 0.8

_Onsets = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pulse:
    """The pulse of a recording.

    Attributes:
        period_seconds: from pulse to pulse, in the mean.
        pulses_a_bar: after which the recording's rhythm repeats; 1 where none stands out.
        times: of the pulses of the recording in seconds, ascending, two at least.

    .. versionadded:: 0.2
    """

    period_seconds: float
    pulses_a_bar: int
    times: tuple[float, ...]

    def phases(self, seconds: FloatArray) -> FloatArray:
        """How many pulses before each moment of the recording, with fractions; whole numbers are on the beat.

        Example:
            >>> Pulse(0.5, 1, (0.25, 0.75)).phases(np.array([0.0, 0.5, 1.25])).tolist()
            [-0.5, 0.5, 2.0]
        """
        times = self._grid
        beyond = np.minimum(seconds - times[0], 0) + np.maximum(seconds - times[-1], 0)
        return np.asarray(np.interp(seconds, times, np.arange(len(times))) + beyond / self.period_seconds)

    @cached_property
    def _grid(self) -> FloatArray:
        return np.array(self.times)

    def nearest_bar(self, seconds: float) -> float:
        """When the bar of the recording begins that begins nearest to a moment, in seconds."""
        bars = self._grid[:: self.pulses_a_bar]
        return float(bars[np.abs(bars - seconds).argmin()])

    @property
    def bar_seconds(self) -> float:
        """Length of a bar, or of a pulse where there are none."""
        return self.period_seconds * self.pulses_a_bar

    def __str__(self) -> str:
        bar = f", bars of {self.pulses_a_bar}" if self.pulses_a_bar > 1 else ""
        return f"a pulse every {self.period_seconds:.3f} s{bar}"

    def content(self) -> dict[str, Any]:
        """As plain types."""
        return {
            "period_seconds": self.period_seconds,
            "pulses_a_bar": self.pulses_a_bar,
            "times": list(self.times),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Pulse:
        """The inverse of `content`."""
        return cls(content["period_seconds"], content["pulses_a_bar"], tuple(content["times"]))


def find_pulse(samples: Array, sample_rate: int, *, missing: Sequence[Gap] = ()) -> Pulse | None:
    """Find the pulse of a recording.

    Args:
        samples: `(channels, samples)`, of any level.
        sample_rate: Hz.
        missing: stretches in samples that hold nothing of the recording; silence there is no rest, and what comes
            after it no onset.

    Returns:
        The pulse, or None where none is clear: most of speech, of ambience and of free playing, and what is shorter
        than `SHORTEST_SECONDS`.

    Example:
        >>> stroke = np.exp(-np.arange(4000) / 200) * np.random.default_rng(0).standard_normal(4000)
        >>> rhythm = np.tile(stroke, 24)[None]  # at 8 kHz, two strokes a second
        >>> str(find_pulse(rhythm, 8000))
        'a pulse every 0.500 s, bars of 2'
        >>> find_pulse(np.random.default_rng(0).standard_normal((1, 96000)), 8000) is None
        True

    .. versionadded:: 0.2
    """
    if samples.shape[1] < SHORTEST_SECONDS * sample_rate:
        return None
    bands = _onsets(samples, sample_rate)
    known = _known_frames(bands.shape[1], sample_rate, missing)
    onsets = bands.sum(0) * known  # where sound breaks off and begins anew is no onset
    if not onsets.any() or known.sum() < _WINDOW_FRAMES:
        return None
    regularity, phases = _regularity(onsets)
    seconds = np.arange(len(phases)) * _STEP_FRAMES / _FRAMES_A_SECOND + _WINDOW_FRAMES / 2 / _FRAMES_A_SECOND
    period = float(1 / np.polyfit(seconds, phases, 1)[0])
    pulses_a_bar, repetition = _repetition(bands, known, period)
    if regularity + repetition / 2 < _LEAST_CLARITY:
        return None
    return Pulse(period, pulses_a_bar, _times(seconds, phases, len(onsets) / _FRAMES_A_SECOND))


def _onsets(samples: Array, sample_rate: int) -> _Onsets:
    """How fast each band's compressed magnitude rises, above its mean of half a second, `(bands, frames)`."""
    mono = resample(samples.mean(0, keepdims=True), sample_rate, _RATE)[0].astype(np.float64)
    magnitudes = np.sqrt(power_spectrogram(mono, _FRAME, _HOP))
    level = np.sqrt(np.mean(magnitudes**2)) + 1e-12
    rises = np.maximum(np.diff(np.log1p(10 * magnitudes / level), axis=1), 0)
    edges = np.geomspace(_LOWEST_BIN, _FRAME // 2 + 1, _BANDS + 1).astype(int)
    bands = np.add.reduceat(rises, edges[:-1], axis=0)
    return np.maximum(bands - _smooth(bands, np.ones(_FRAMES_A_SECOND // 2)), 0)


def _known_frames(count: int, sample_rate: int, missing: Sequence[Gap]) -> npt.NDArray[np.bool_]:
    """Which differences know nothing of what is missing."""
    known = np.ones(count, bool)
    for start, stop in missing:
        first, last = (round(sample / sample_rate * _FRAMES_A_SECOND) for sample in (start, stop))
        known[max(0, first - _REACH_FRAMES) : last + _REACH_FRAMES] = False
    return known


def _regularity(onsets: _Onsets) -> tuple[float, FloatArray]:
    """How regular the most regular pulse is, from 0 to 1, and its phase at the centre of each window."""
    window = np.hanning(_WINDOW_FRAMES)
    views = np.lib.stride_tricks.sliding_window_view(onsets, _WINDOW_FRAMES)[::_STEP_FRAMES] * window
    frequencies = np.arange(_SLOWEST, _FASTEST, _SPACING)
    time = (np.arange(_WINDOW_FRAMES) - _WINDOW_FRAMES / 2) / _FRAMES_A_SECOND
    tempogram = views @ np.exp(-2j * np.pi * time[:, None] * frequencies)
    regularity = np.abs(tempogram).sum(0) / views.sum()
    best = int(regularity.argmax())
    # From window to window the phase goes on by what the frequency says, and by a bit.
    expected = frequencies[best] * np.arange(len(views)) * _STEP_FRAMES / _FRAMES_A_SECOND
    angles = np.angle(tempogram[:, best]) / (2 * np.pi)
    return float(regularity[best]), expected + np.unwrap(angles - expected, period=1)


def _times(seconds: FloatArray, phases: FloatArray, end: float) -> tuple[float, ...]:
    """When a phase that is known at some seconds is whole, from 0 to the end; beyond them the tempo stays as it is."""
    tempo = np.diff(phases) / np.diff(seconds)
    before, after = phases[0] - seconds[0] * tempo[0], phases[-1] + (end - seconds[-1]) * tempo[-1]
    known_phases, known_seconds = np.r_[before, phases, after], np.r_[0, seconds, end]
    whole = np.arange(np.ceil(before), np.floor(after) + 1)
    return tuple(np.interp(whole, known_phases, known_seconds).tolist())


def _repetition(bands: _Onsets, known: npt.NDArray[np.bool_], period: float) -> tuple[int, float]:
    """After how many pulses the onsets of all bands repeat best, 1 if none stands out, and how much it does, to 1."""
    smooth = _smooth(bands, np.hanning(13))  # players are not exact
    smooth -= smooth[:, known].mean(1, keepdims=True)
    longest = min(_LONGEST_BAR, int(bands.shape[1] / 2 / (period * _FRAMES_A_SECOND)))
    lags = [round(count * period * _FRAMES_A_SECOND) for count in range(2, longest + 1)]
    if not lags:
        return 1, 0.0
    pairs = [(lag, known[:-lag] & known[lag:]) for lag in lags]
    repetition = np.array([_correlation(smooth[:, :-lag][:, both], smooth[:, lag:][:, both]) for lag, both in pairs])
    standing_out = (repetition - repetition.mean()) / (1 - repetition.mean())
    best = float(standing_out.max())
    return (1 if best < _LEAST_REPETITION else 2 + int(np.argmax(standing_out >= _ALMOST * best))), best


def _smooth(bands: _Onsets, window: FloatArray) -> _Onsets:
    """Bands, averaged over a window."""
    return np.stack([np.convolve(band, window / window.sum(), mode="same") for band in bands])


def _correlation(first: _Onsets, second: _Onsets) -> float:
    return float((first * second).sum() / (np.linalg.norm(first) * np.linalg.norm(second) + 1e-12))
