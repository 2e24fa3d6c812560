"""What kind of sound a clip is: speech, music or ambience, to choose the preset's settings for it.

A heuristic of three questions, asked of the middle minute of the clip at 8 kHz:

1. Does the pitch glide, does the clip hold enough pitch to tell, and does the level swing as syllables and pauses make
   it? Then it is speech. A speaker's pitch is nearly never still for 50 ms; a note's nearly always is.
2. Otherwise, is it as flat as noise within every narrow band, whatever the overall colour, and without the strong
   beats of percussion? Then it is ambience. The periodogram of Gaussian noise has an expected flatness of
   `10 log10(exp(-0.577)) = -2.5 dB`; partials push it far below.
3. Otherwise it is music: notes, drones and struck instruments.

Each threshold lies in the middle of a gap between the kinds that was found on some fifty recordings. Tonal ambience
(birds, machines) counts as music and solo singing with much portamento may count as speech: the user can always say
what the clip is.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np

from caw_toolkit.arrays import FloatArray
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.dsp.spectra import windowed_frames

_RATE = 8000
_HOP = 80  # 10 ms at 8 kHz
_LONGEST_SECONDS = 60.0
_SHORTEST_SECONDS = 0.5

_LEAST_GLIDING = 0.43
_LEAST_PITCHED = 0.08
_LEAST_SPEECH_SWING_DB = 4.5
_NOISE_FLATNESS_DB = -4.0
_LEAST_BEAT_SWING_DB = 9.0


class Material(str, enum.Enum):
    """The kinds of sound that presets may treat differently.

    >>> Material("speech"), str(Material.MUSIC)
    (<Material.SPEECH: 'speech'>, 'music')
    """

    SPEECH = "speech"
    MUSIC = "music"
    AMBIENCE = "ambience"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class MaterialCues:
    """The measurements that `detect_material` decides by.

    Attributes:
        gliding: share of the continuously pitched 50 ms stretches whose pitch moves by 0.3 to 4 semitones.
        pitched: share of the whole clip that lies in continuously pitched stretches.
        swing_db: standard deviation of the level around its one-second running mean, in dB.
        flatness_db: median spectral flatness within 200 Hz bands of the louder frames, in dB. Noise: about -2.5.
    """

    gliding: float
    pitched: float
    swing_db: float
    flatness_db: float


def detect_material(samples: FloatArray, sample_rate: int) -> Material:
    """Guess what kind of sound a clip holds.

    Takes about 10 ms a second of audio, and at most the middle minute of it.

    Args:
        samples: audio, `(samples,)` or `(channels, samples)`, of any level.
        sample_rate: its rate in Hz.

    Returns:
        The kind. `Material.MUSIC`, whose settings are the most general, for silence and for clips below 0.5 s.
    """
    cues = measure_cues(samples, sample_rate)
    if cues is None:
        return Material.MUSIC
    syllables = cues.swing_db >= _LEAST_SPEECH_SWING_DB
    if syllables and cues.gliding >= _LEAST_GLIDING and cues.pitched >= _LEAST_PITCHED:
        return Material.SPEECH
    if cues.flatness_db >= _NOISE_FLATNESS_DB and cues.swing_db < _LEAST_BEAT_SWING_DB:
        return Material.AMBIENCE
    return Material.MUSIC


def measure_cues(samples: FloatArray, sample_rate: int) -> MaterialCues | None:
    """Measure what `detect_material` decides by.

    Args:
        samples: audio, `(samples,)` or `(channels, samples)`.
        sample_rate: its rate in Hz.

    Returns:
        The measurements, or None where there is nothing to measure: silence, or less than 0.5 s.
    """
    mono = np.atleast_2d(np.asarray(samples, dtype=np.float64)).mean(axis=0)
    longest = int(_LONGEST_SECONDS * sample_rate)
    start = max(0, (mono.size - longest) // 2)
    mono = mono[start : start + longest]
    mono = mono - mono.mean() if mono.size else mono
    peak = np.max(np.abs(mono), initial=0.0)
    if mono.size < _SHORTEST_SECONDS * sample_rate or peak < 1e-6:
        return None
    mono = resample(mono[None] / peak, sample_rate, _RATE)[0].astype(np.float64)
    swing_db, flatness_db = _level_and_flatness(mono)
    gliding, pitched = _pitch_motion(mono)
    return MaterialCues(gliding=gliding, pitched=pitched, swing_db=swing_db, flatness_db=flatness_db)


def _band_passed(mono: FloatArray, low: float, high: float) -> FloatArray:
    """A signal with the magnitudes of a second-order Butterworth filter between two frequencies, in Hz, in phase."""
    hertz = np.fft.rfftfreq(mono.size, 1 / _RATE)
    beyond = (hertz**2 - low * high) / (np.maximum(hertz, 1e-3) * (high - low))
    return np.fft.irfft(np.fft.rfft(mono) / np.sqrt(1 + beyond**4), mono.size)


def _frames(mono: FloatArray, length: int) -> FloatArray:
    """Hann-windowed frames at a hop of 10 ms: `(samples,)` -> `(frames, length)`."""
    return windowed_frames(mono, np.hanning(length), _HOP)


def _level_and_flatness(mono: FloatArray) -> tuple[float, float]:
    """The level's swing and the median flatness within bands, both in dB."""
    length = 1024  # 128 ms: resolves the partials of chords
    power = np.abs(np.fft.rfft(_frames(mono, length))) ** 2
    bins = slice(round(80 * length / _RATE), round(3600 * length / _RATE))
    power = power[:, bins] + 1e-12  # (frames, bins)
    level_db = 10 * np.log10(power.sum(axis=1))
    top_db = np.percentile(level_db, 95)

    band_bins = round(200 * length / _RATE)
    bands = power.shape[1] // band_bins
    banded = power[:, : bands * band_bins].reshape(len(power), bands, band_bins)
    mean = banded.mean(axis=2)
    flatness_db = 10 * np.log10(np.exp(np.log(banded).mean(axis=2)) / mean)
    flatness_db = (flatness_db * mean).sum(axis=1) / mean.sum(axis=1)

    # The level of shorter frames, 64 ms: a long window smears the gaps between syllables.
    short_db = 10 * np.log10((_frames(mono, 512) ** 2).sum(axis=1) + 1e-12)
    short_db = np.maximum(short_db, np.percentile(short_db, 95) - 40)
    second = np.full(100, 1 / 100)
    swing = short_db - np.convolve(np.pad(short_db, (50, 49), mode="edge"), second, mode="valid")
    return float(swing.std()), float(np.median(flatness_db[level_db > top_db - 20]))


def _pitch_motion(mono: FloatArray) -> tuple[float, float]:
    """The shares `(gliding, pitched)` of `MaterialCues`, by normalised autocorrelation between 65 and 500 Hz."""
    length, stretch = 400, 5  # 50 ms each
    frames = _frames(_band_passed(mono, 60, 1200), length)
    shortest_lag, longest_lag = int(_RATE / 500), int(_RATE / 65) + 1

    def autocorrelation(rows: FloatArray) -> FloatArray:
        return np.asarray(np.fft.irfft(np.abs(np.fft.rfft(rows, 1024)) ** 2)[..., : longest_lag + 1])

    window = autocorrelation(np.hanning(length))
    correlation = autocorrelation(frames)
    energy = correlation[:, :1] + 1e-12
    correlation = (correlation / energy / (window / window[0]))[:, shortest_lag:]

    # A slight preference for short lags keeps the tracker from falling an octave on exactly periodic sounds.
    preference = 1 - 0.1 * np.linspace(0, 1, correlation.shape[1])
    lag = np.clip((correlation * preference).argmax(axis=1), 1, correlation.shape[1] - 2)
    row = np.arange(len(lag))
    before, peak, after = correlation[row, lag - 1], correlation[row, lag], correlation[row, lag + 1]
    curvature = np.minimum(before - 2 * peak + after, -1e-9)
    lag_samples = shortest_lag + lag + np.clip(0.5 * (before - after) / curvature, -0.5, 0.5)
    semitones = -12 * np.log2(lag_samples)

    level_db = 10 * np.log10(energy[:, 0])
    voiced = (peak > 0.75) & (level_db > np.percentile(level_db, 95) - 25)
    if len(voiced) <= stretch:
        return 0.0, 0.0
    all_voiced = np.lib.stride_tricks.sliding_window_view(voiced, stretch + 1).all(axis=1)
    steps = np.abs(np.diff(semitones))
    unbroken = np.lib.stride_tricks.sliding_window_view(steps, stretch).max(axis=1) < 1
    pitched = all_voiced & unbroken
    if not pitched.any():
        return 0.0, 0.0
    moved = np.abs(semitones[stretch:] - semitones[:-stretch])[pitched]
    return float(np.mean((moved > 0.3) & (moved < 4))), float(pitched.mean())
