"""How much of a variation is new, and whether the model knows what it varies."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from caw_toolkit import Array
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.dsp.spectra import power_spectrogram

Floats = npt.NDArray[np.floating[Any]]

#: Above this frequency in Hz moments are compared.
COMPARED_FROM = 1000
#: The same where they are compared as a whole.
HEARD_FROM = 40
#: Windows in which they are.
WINDOW_SECONDS = 0.25
#: A rate in Hz that all audio has.
COMPARED_RATE = 8000
#: Cosine of magnitude spectra from which on a moment is that of the song.
SAME = 0.9
#: New as a whole, beside new above 1 kHz, that is worth a word.
LITTLE = 0.5
#: Frames this far below the mean energy (40 dB) are silence.
SILENCE = 1e-4
#: Mean difference of long-term spectra in dB, in third octaves, from which on the sources are different ones.
OTHER_SOURCE_DB = 4.5


def new_share(song: Floats, varied: Floats, sample_rate: int, *, above_hz: float = COMPARED_FROM) -> float:
    """Share of the moments of a song at which its variation has another spectrum above a frequency.

    Args:
        song: `(channels, samples)`.
        varied: as long.
        sample_rate: of both, Hz.
        above_hz: that frequency.

    Returns:
        From 0 to 1; 0 for silence.
    """
    given, made = (_magnitudes(audio, sample_rate, above_hz) for audio in (song, varied))
    given, made = given[:, : made.shape[1]], made[:, : given.shape[1]]
    heard = np.maximum((given**2).sum(0), (made**2).sum(0))
    heard = heard > heard.mean() * SILENCE
    alike = (given * made).sum(0) / (np.linalg.norm(given, axis=0) * np.linalg.norm(made, axis=0) + 1e-12)
    return float((alike[heard] < SAME).mean()) if heard.any() else 0.0


def what_is_new(above: float, whole: float) -> str:
    """What is new in words, and why that is little, if it is.

    Args:
        above: the new share above 1 kHz.
        whole: the new share of all that is heard.

    Example:
        >>> what_is_new(0.94, 0.9)
        '94% new'
    """
    if whole >= LITTLE * above:
        return f"{above:.0%} new"
    why = "most of what is heard lies in the lows that are kept, or is alike throughout"
    return f"{above:.0%} new above 1 kHz, but {whole:.0%} as a whole: {why}"


def is_other_source(song: Array, song_rate: int, recording: Array, rate: int) -> bool:
    """Whether a song sounds unlike the recording of a model: as a whole, whatever is played.

    Args:
        song: `(channels, samples)`.
        song_rate: Hz.
        recording: `(channels, samples)`.
        rate: of the recording, Hz.
    """
    spectra = [_third_octaves(resample(*pair, COMPARED_RATE)) for pair in ((song, song_rate), (recording, rate))]
    difference = np.subtract(*spectra)
    return bool(np.abs(difference - np.median(difference)).mean() > OTHER_SOURCE_DB)


def _magnitudes(audio: Floats, sample_rate: int, above_hz: float) -> npt.NDArray[np.float64]:
    window = 2 ** round(np.log2(WINDOW_SECONDS * sample_rate))
    power = power_spectrogram(audio.mean(0), window, window // 4)
    return np.sqrt(power[round(above_hz * window / sample_rate) :])


def _third_octaves(audio: Array) -> npt.NDArray[np.float64]:
    """Long-term power in dB, `(bands,)`."""
    power = power_spectrogram(audio.mean(0), 2048, 512).mean(1)
    edges = np.round(2048 / COMPARED_RATE * 100 * 2 ** (np.arange(17) / 3)).astype(int)
    bands = np.array([power[begin:end].mean() for begin, end in zip(edges[:-1], edges[1:], strict=True)])
    return np.asarray(10 * np.log10(bands + bands.max() * 1e-8 + 1e-20))
