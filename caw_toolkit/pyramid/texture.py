"""Textures: sounds such as rain and applause, of which any moment is as good as any other.

They are made of many short events that know nothing of each other (McDermott and Simoncelli, 2011), so that nothing is
lost where they are taken apart into grains of a sixth of a second. What would be lost shows in three measurements:
notes, syllables and rhythms that go on for longer, and single events that stand out. How loud it is may change slowly,
as it does with wind and waves: grains stay near to where they are from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import Array
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.dsp.spectra import Spectrogram, power_spectrogram

#: A shorter recording shows too little.
SHORTEST_SECONDS = 2.0
#: Of a longer one the middle is looked at.
_LONGEST_SECONDS = 60.0
_RATE = 16000
_FRAME = 1024
_HOP = 512
_FRAMES_A_SECOND = _RATE // _HOP
#: Levels are those of third octaves between these frequencies.
_LOWEST_HZ = 100.0
_HIGHEST_HZ = 7900.0
_BANDS = 19
#: Share of the power of the loudest band from which on one is heard beside it.
_HEARD = 1e-5
#: How far below its mean the power of a band is taken for silence.
_SILENCE = 1e-8
#: The same where silence must not decide alone.
_QUIET = 0.03
#: Bins of the fine structure.
_FINE_BINS = slice(4, 400)
#: How wide the spectral envelope is smoothed that is taken from it, in bins.
_SMOOTHED_BINS = 17
#: Lag of the fine structure in frames, at which windows hardly overlap: beyond a grain.
_FINE_LAG = 3
#: Lags of the levels in frames: to a second.
_LEVEL_LAGS = range(2, _FRAMES_A_SECOND + 1)
#: What textures have of each cue at the most (docs/decisions.md#textures-without-copies).
_MOST_PERSISTENCE = 0.08
_MOST_PARTIALS_DB = 3.0
_MOST_RECURRENCE = 0.33
_MOST_SWING_DB = 5.8


@dataclass(frozen=True)
class TextureCues:
    """What `is_texture` decides by; all are small for textures.

    Attributes:
        persistence: correlation of the spectral fine structure with itself a tenth of a second later: notes.
        partials_db: standard deviation of the fine structure of the mean spectrum: notes that are held throughout.
        recurrence: largest correlation, of either sign, of the levels of bands with themselves up to a second later:
            syllables, rhythm.
        swing_db: standard deviation of these levels around their mean of a second: events that stand out.
    """

    persistence: float
    partials_db: float
    recurrence: float
    swing_db: float


def is_texture(samples: Array, sample_rate: int) -> bool:
    """Whether a recording is a texture.

    Args:
        samples: `(channels, samples)`, of any level.
        sample_rate: Hz.

    Example:
        >>> noise = np.random.default_rng(0).standard_normal((1, 48000)).astype(np.float32)
        >>> words = noise * (np.arange(48000) // 2000 % 3 > 0)
        >>> [is_texture(sound, 16000) for sound in (noise, words)]
        [True, False]
    """
    cues = texture_cues(samples, sample_rate)
    return (
        cues is not None
        and abs(cues.persistence) < _MOST_PERSISTENCE
        and cues.partials_db < _MOST_PARTIALS_DB
        and cues.recurrence < _MOST_RECURRENCE
        and cues.swing_db < _MOST_SWING_DB
    )


def texture_cues(samples: Array, sample_rate: int) -> TextureCues | None:
    """Measure a recording, `(channels, samples)`; None for silence and where it is too short."""
    if samples.shape[1] < SHORTEST_SECONDS * sample_rate:
        return None
    longest = int(_LONGEST_SECONDS * sample_rate)
    start = max(0, (samples.shape[1] - longest) // 2)
    mono = samples[:, start : start + longest].mean(0, keepdims=True)
    power = power_spectrogram(resample(mono, sample_rate, _RATE)[0].astype(np.float64), _FRAME, _HOP)[:, 2:-2]
    if not power.any():
        return None
    persistence, partials_db = _fine_structure(power)
    levels = _levels(power, _SILENCE)
    variance = np.mean(levels**2) + 1e-12
    recurrence = max(abs(np.mean(levels[:, :-lag] * levels[:, lag:])) / variance for lag in _LEVEL_LAGS)
    swing_db = _levels(power, _QUIET).std(1).mean()
    return TextureCues(persistence, partials_db, float(recurrence), float(swing_db))


def _levels(power: Spectrogram, floor: float) -> npt.NDArray[np.float64]:
    """Levels of bands above their mean of a second, in dB, `(bands, frames)`."""
    hertz = np.arange(len(power)) * _RATE / _FRAME
    edges = np.unique(np.searchsorted(hertz, np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS)))
    bands = np.add.reduceat(power[: edges[-1]], edges[:-1], axis=0)
    means = bands.mean(1, keepdims=True)
    heard = means[:, 0] > _HEARD * means.max()
    levels = 10 * np.log10((bands[heard] / means[heard]) + floor)
    return np.asarray(levels - _smoothed(levels, _FRAMES_A_SECOND))


def _fine_structure(power: Spectrogram) -> tuple[float, float]:
    """Correlation of what is within the spectral envelope with itself some frames later, and what of it is steady."""
    means = power.mean(1, keepdims=True)
    log_power = 10 * np.log10(np.maximum(power, 1e-3 * means) + 1e-30)[_FINE_BINS]
    fine = log_power - _smoothed(log_power.T, _SMOOTHED_BINS).T
    steady = fine.mean(1, keepdims=True)
    fine = fine - steady
    correlation = np.mean(fine[:, :-_FINE_LAG] * fine[:, _FINE_LAG:], axis=1) / (np.mean(fine**2, axis=1) + 1e-12)
    weights = np.sqrt(means[_FINE_BINS, 0]) + 1e-30
    partials = np.sqrt(np.average(steady[:, 0] ** 2, weights=weights))
    return float(np.average(correlation, weights=weights)), float(partials)


def _smoothed(rows: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    """Means of rows over an odd number of values around each."""
    padded = np.pad(rows, ((0, 0), (width // 2, width // 2)), mode="edge")
    sums = np.cumsum(np.pad(padded, ((0, 0), (1, 0))), axis=1)
    return np.asarray((sums[:, width:] - sums[:, :-width]) / width)
