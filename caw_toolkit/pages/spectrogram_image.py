"""Spectrograms as pictures: mel scale, decibels, a colour scale whose brightness rises evenly."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import FloatArray
from caw_toolkit.dsp.spectra import Spectrogram, power_spectrogram
from caw_toolkit.metrics.spectral import hz_to_mel, mel_to_hz

#: Size of a picture in pixels, and how far below the loudest power it is black, in dB.
WIDTH, HEIGHT, RANGE_DB = 1600, 256, 80.0

_WINDOW_SECONDS = 0.046
_QUALITY = 75
#: From black over violet and orange to pale yellow, red, green and blue from 0 to 1 at even steps.
_COLOURS = ((0.0, 0.0, 0.02), (0.25, 0.06, 0.42), (0.66, 0.18, 0.38), (0.95, 0.45, 0.2), (0.99, 0.93, 0.68))
_LABELLED_HZ = (16000, 8000, 4000, 2000, 1000, 500, 250)
#: Labels need this share of the height.
_ROOM = 0.12


def mel_powers(samples: FloatArray, sample_rate: int) -> Spectrogram:
    """The power of a signal in mel bands over time, in units of a full-scale sine's.

    Args:
        samples: `(channels, samples)`; the channels are averaged.
        sample_rate: Hz.

    Returns:
        `(HEIGHT, columns)`, low frequencies first, at most `WIDTH` columns.
    """
    mono = samples.mean(0, dtype=np.float64)
    window = max(32, 2 ** round(np.log2(_WINDOW_SECONDS * sample_rate)))
    hop = max(1, min(window // 2, len(mono) // WIDTH), len(mono) // (4 * WIDTH))
    padding: Literal["reflect", "constant"] = "reflect" if len(mono) > window else "constant"
    power = power_spectrogram(mono, window, hop, padding=padding) / (window / 4) ** 2
    bins = mel_to_hz(np.linspace(0, _mel(sample_rate / 2), HEIGHT + 1)) * window / sample_rate
    columns = np.linspace(0, power.shape[1], min(WIDTH, power.shape[1]) + 1)
    pooled: Spectrogram = _means_between(_means_between(power, bins).T, columns).T
    return pooled


def spectrogram_image(powers: Spectrogram, loudest: float) -> bytes:
    """A picture of a spectrogram, low frequencies at the bottom.

    Args:
        powers: of a signal, as `mel_powers` gives them.
        loudest: power that is shown brightest; the same for all pictures that are to be compared.

    Returns:
        A WebP file, at most `WIDTH` by `HEIGHT` pixels.
    """
    from PIL import Image

    decibels = 10 * np.log10(powers / (loudest + 1e-30) + 10 ** (-RANGE_DB / 10))
    brightness = (1 + decibels[::-1] / RANGE_DB).clip(0, 1)
    stream = io.BytesIO()
    Image.fromarray(_coloured(brightness)).save(stream, "WEBP", quality=_QUALITY, method=4)
    return stream.getvalue()


def frequency_labels(sample_rate: int) -> list[tuple[str, float]]:
    """Frequencies to name beside a picture, and where they are: 0 at the bottom, 1 at the top.

    >>> [label for label, _ in frequency_labels(8000)]
    ['2 kHz', '1 kHz', '500 Hz']
    """
    top = _mel(sample_rate / 2)
    labels: list[tuple[str, float]] = []
    room = 1.0
    for hz in _LABELLED_HZ:
        place = _mel(hz) / top
        if _ROOM / 2 < place < room - _ROOM / 2:
            labels.append((f"{hz / 1000:g} kHz" if hz >= 1000 else f"{hz} Hz", place))
            room = place - _ROOM / 2
    return labels


def _mel(hz: float) -> float:
    return float(hz_to_mel(np.array([hz]))[0])


def _means_between(values: Spectrogram, edges: Spectrogram) -> Spectrogram:
    """Mean of rows, each of width 1, between successive edges; `(rows, columns) -> (edges - 1, columns)`."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    whole = np.minimum(edges.astype(int), len(values) - 1)
    at_edges = sums[whole] + (edges - whole)[:, None] * values[whole]
    means: Spectrogram = np.diff(at_edges, axis=0) / np.diff(edges)[:, None]
    return means


def _coloured(brightness: Spectrogram) -> npt.NDArray[np.uint8]:
    """Red, green and blue of every pixel, `(height, width, 3)`."""
    steps = np.linspace(0, 1, len(_COLOURS))
    channels = [np.interp(brightness, steps, channel) for channel in zip(*_COLOURS, strict=True)]
    return np.asarray(np.round(255 * np.stack(channels, axis=-1))).astype(np.uint8)
