"""How much of a song's structure a variation keeps: harmony, beat and level."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from caw_toolkit.dsp.spectra import power_spectrogram
from caw_toolkit.metrics import Signal

Features = npt.NDArray[np.float64]

#: Windows of harmony.
HARMONY_SECONDS = 0.25
#: Frequencies that count for it, in Hz.
HARMONY_RANGE = (100, 2000)
#: Windows of level.
LEVEL_SECONDS = 0.064
#: Windows of onsets.
ONSET_SECONDS = 0.032
#: Time over which onsets are averaged.
ONSET_TOLERANCE_SECONDS = 0.1
#: Level below the mean at which differences stop to count, as power.
LEAST_LEVEL = 1e-4


def harmony_agreement(song: Signal, varied: Signal, sample_rate: int) -> float:
    """Mean cosine of the power in the twelve pitch classes, moment by moment.

    Unrelated moments of one song reach about .5.

    Args:
        song: `(samples,)`.
        varied: as long.
        sample_rate: of both, Hz.
    """
    given, made = (_chroma(signal, sample_rate) for signal in (song, varied))
    return float((given * made).sum(0).mean())


def beat_agreement(song: Signal, varied: Signal, sample_rate: int) -> float:
    """Correlation of the onset strength, from -1 to 1: whether strokes and notes begin where the song's do.

    Onset strength is the spectral flux, the sum of what rises of the compressed magnitudes, averaged over 0.1 s.

    Args:
        song: `(samples,)`.
        varied: as long.
        sample_rate: of both, Hz.

    Example:
        >>> strokes = np.tile(np.append(np.full(50, 0.5), np.zeros(3950)), 8)
        >>> [round(beat_agreement(strokes, np.roll(strokes, late), 8000), 1) for late in (0, 2000)]
        [1.0, -0.4]
    """
    given, made = (_onset_strength(signal, sample_rate) for signal in (song, varied))
    with np.errstate(invalid="ignore"):  # of silence
        return float(np.corrcoef(given, made)[0, 1])


def level_agreement(song: Signal, varied: Signal, sample_rate: int) -> float:
    """Correlation of the logarithmic level, from -1 to 1.

    Args:
        song: `(samples,)`.
        varied: as long.
        sample_rate: of both, Hz.
    """
    window = 2 ** round(np.log2(LEVEL_SECONDS * sample_rate))
    powers = [power_spectrogram(signal, window, window // 4).sum(0) for signal in (song, varied)]
    levels = [np.log10(power + power.mean() * LEAST_LEVEL + 1e-20) for power in powers]
    with np.errstate(invalid="ignore"):  # of silence
        return float(np.corrcoef(*levels)[0, 1])


def _onset_strength(signal: Signal, sample_rate: int) -> Features:
    window = 2 ** round(np.log2(ONSET_SECONDS * sample_rate))
    hop = window // 4
    magnitudes = np.sqrt(power_spectrogram(signal, window, hop))
    level = np.sqrt(np.mean(magnitudes**2)) + 1e-12
    flux = np.maximum(np.diff(np.log1p(10 * magnitudes / level), axis=1), 0).sum(0)
    smoothing = np.hanning(round(2 * ONSET_TOLERANCE_SECONDS * sample_rate / hop) + 2)
    return np.asarray(np.convolve(flux, smoothing / smoothing.sum(), mode="same"))


def _chroma(signal: Signal, sample_rate: int) -> Features:
    """Power in the pitch classes, each moment of unit norm, `(12, frames)`."""
    window = 2 ** round(np.log2(HARMONY_SECONDS * sample_rate))
    power = power_spectrogram(signal, window, window // 4)
    hertz = np.arange(len(power)) * sample_rate / window
    inside = (hertz > HARMONY_RANGE[0]) & (hertz < HARMONY_RANGE[1])
    pitch_class = np.round(12 * np.log2(hertz[inside] / 440)).astype(int) % 12
    chroma = np.zeros((12, power.shape[1]))
    np.add.at(chroma, pitch_class, power[inside])
    return np.asarray(chroma / (np.linalg.norm(chroma, axis=0) + 1e-20))
