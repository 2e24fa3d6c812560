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
import numpy.typing as npt

from caw_toolkit.arrays import FloatArray
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.dsp.spectra import windowed_frames

_RATE = 8000
_HOP = 80  # 10 ms at 8 kHz
_LONGEST_SECONDS = 60.0
_SHORTEST_SECONDS = 0.5

#: Speech has at least these `gliding`, `pitched` and `swing_db`.
_LEAST_GLIDING = 0.43
_LEAST_PITCHED = 0.08
_LEAST_SPEECH_SWING_DB = 4.5
#: Ambience has at least this `flatness_db`, and less than this `swing_db`.
_NOISE_FLATNESS_DB = -4.0
_LEAST_BEAT_SWING_DB = 9.0

#: Windows of 128 ms resolve the partials of chords.
_FLATNESS_WINDOW = 1024
#: Between these frequencies flatness is measured, in bands of this width.
_FLATNESS_HZ = (80, 3600)
_BAND_HZ = 200
#: Frames count for flatness up to so far below the loud ones.
_LOUDER_DB = 20
#: Windows of 64 ms: a longer one smears the gaps between syllables.
_LEVEL_WINDOW = 512
#: What is further below the loud frames is as good as silent.
_SILENCE_DB = 40
#: Loud frames are at this percentile of the level.
_LOUD_PERCENTILE = 95

#: Windows of 50 ms for the pitch.
_PITCH_WINDOW = 400
#: Pitches are looked for between these frequencies, in a band that holds their lowest partials.
_PITCH_HZ = (65, 500)
_PITCH_BAND_HZ = (60, 1200)
#: How much the longest lag counts less than the shortest: the tracker does not fall an octave on periodic sounds.
_LAG_PREFERENCE = 0.1
#: Correlation of a frame with itself a period later from which on it may have a pitch.
_LEAST_CORRELATION = 0.75
#: It has one if it is no further below the loud frames.
_PITCHED_DB = 25
#: A stretch of so many hops is pitched continuously if no step in it is as large as this.
_STRETCH = 5
_LARGEST_STEP_SEMITONES = 1
#: A pitch glides that moves by so much over a stretch: less is a held note, more another one.
_GLIDE_SEMITONES = (0.3, 4)


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
    gliding, pitched = _pitch_motion(mono)
    return MaterialCues(gliding, pitched, _level_swing_db(mono), _flatness_db(mono))


def _band_passed(mono: FloatArray, low: float, high: float) -> FloatArray:
    """A signal with the magnitudes of a second-order Butterworth filter between two frequencies, in Hz, in phase."""
    hertz = np.fft.rfftfreq(mono.size, 1 / _RATE)
    beyond = (hertz**2 - low * high) / (np.maximum(hertz, 1e-3) * (high - low))
    return np.fft.irfft(np.fft.rfft(mono) / np.sqrt(1 + beyond**4), mono.size)


def _frames(mono: FloatArray, length: int) -> FloatArray:
    """Hann-windowed frames at a hop of 10 ms: `(samples,)` -> `(frames, length)`."""
    return windowed_frames(mono, np.hanning(length), _HOP)


def _flatness_db(mono: FloatArray) -> float:
    """The median spectral flatness within bands of the louder frames."""
    power = np.abs(np.fft.rfft(_frames(mono, _FLATNESS_WINDOW))) ** 2
    lowest, highest = (round(hertz * _FLATNESS_WINDOW / _RATE) for hertz in _FLATNESS_HZ)
    power = power[:, lowest:highest] + 1e-12  # (frames, bins)
    level_db = 10 * np.log10(power.sum(axis=1))
    band_bins = round(_BAND_HZ * _FLATNESS_WINDOW / _RATE)
    bands = power.shape[1] // band_bins
    banded = power[:, : bands * band_bins].reshape(len(power), bands, band_bins)
    mean = banded.mean(axis=2)
    flatness_db = 10 * np.log10(np.exp(np.log(banded).mean(axis=2)) / mean)
    flatness_db = (flatness_db * mean).sum(axis=1) / mean.sum(axis=1)
    return float(np.median(flatness_db[level_db > np.percentile(level_db, _LOUD_PERCENTILE) - _LOUDER_DB]))


def _level_swing_db(mono: FloatArray) -> float:
    """Standard deviation of the level around its mean of a second."""
    level_db = 10 * np.log10((_frames(mono, _LEVEL_WINDOW) ** 2).sum(axis=1) + 1e-12)
    level_db = np.maximum(level_db, np.percentile(level_db, _LOUD_PERCENTILE) - _SILENCE_DB)
    second = np.full(100, 1 / 100)
    swing = level_db - np.convolve(np.pad(level_db, (50, 49), mode="edge"), second, mode="valid")
    return float(swing.std())


def _pitch_motion(mono: FloatArray) -> tuple[float, float]:
    """The shares `(gliding, pitched)` of `MaterialCues`."""
    semitones, voiced = _pitch_track(mono)
    if len(voiced) <= _STRETCH:
        return 0.0, 0.0
    all_voiced = np.lib.stride_tricks.sliding_window_view(voiced, _STRETCH + 1).all(axis=1)
    steps = np.abs(np.diff(semitones))
    unbroken = np.lib.stride_tricks.sliding_window_view(steps, _STRETCH).max(axis=1) < _LARGEST_STEP_SEMITONES
    pitched = all_voiced & unbroken
    if not pitched.any():
        return 0.0, 0.0
    moved = np.abs(semitones[_STRETCH:] - semitones[:-_STRETCH])[pitched]
    least, most = _GLIDE_SEMITONES
    return float(np.mean((moved > least) & (moved < most))), float(pitched.mean())


def _pitch_track(mono: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """The pitch of each frame in semitones, and which frames have one, by normalised autocorrelation."""
    frames = _frames(_band_passed(mono, *_PITCH_BAND_HZ), _PITCH_WINDOW)
    lowest, highest = _PITCH_HZ
    shortest_lag, longest_lag = int(_RATE / highest), int(_RATE / lowest) + 1

    def autocorrelation(rows: FloatArray) -> FloatArray:
        return np.asarray(np.fft.irfft(np.abs(np.fft.rfft(rows, 1024)) ** 2)[..., : longest_lag + 1])

    window = autocorrelation(np.hanning(_PITCH_WINDOW))
    correlation = autocorrelation(frames)
    energy = correlation[:, :1] + 1e-12
    correlation = (correlation / energy / (window / window[0]))[:, shortest_lag:]
    preference = 1 - _LAG_PREFERENCE * np.linspace(0, 1, correlation.shape[1])
    lag = np.clip((correlation * preference).argmax(axis=1), 1, correlation.shape[1] - 2)
    # A parabola through the largest value and its neighbours gives the lag between samples.
    row = np.arange(len(lag))
    before, peak, after = correlation[row, lag - 1], correlation[row, lag], correlation[row, lag + 1]
    curvature = np.minimum(before - 2 * peak + after, -1e-9)
    lag_samples = shortest_lag + lag + np.clip(0.5 * (before - after) / curvature, -0.5, 0.5)
    level_db = 10 * np.log10(energy[:, 0])
    is_loud = level_db > np.percentile(level_db, _LOUD_PERCENTILE) - _PITCHED_DB
    return -12 * np.log2(lag_samples), (peak > _LEAST_CORRELATION) & is_loud
