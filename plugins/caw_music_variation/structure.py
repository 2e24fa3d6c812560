"""How much of a song's structure a variation keeps: harmony and level."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from caw_toolkit.dsp.spectra import power_spectrogram
from caw_toolkit.metrics import Signal

Features = npt.NDArray[np.float64]

#: Windows of harmony and of level, in seconds; the frequencies that count for harmony, in Hz.
HARMONY_SECONDS, LEVEL_SECONDS, HARMONY_RANGE = 0.25, 0.064, (100, 2000)
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
