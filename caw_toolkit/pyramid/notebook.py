"""How notebooks show models and takes: a line, a spectrogram, a player. Nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import Array
from caw_toolkit.audio.writing import encode_wav
from caw_toolkit.dsp.spectra import power_spectrogram

#: Size of the picture, in pixels; and how far below the loudest bin it is black, in dB.
WIDTH, HEIGHT, RANGE_DB = 480, 128, 80.0
#: A longer signal is shown by its beginning.
LONGEST_SECONDS = 30.0

_WINDOW = 512


@dataclass(frozen=True)
class Preview:
    """Audio that a notebook shows as a spectrogram with a player.

    Attributes:
        samples: `(channels, samples)`.
        sample_rate: Hz.
    """

    samples: Array = field(repr=False)
    sample_rate: int

    def _repr_html_(self) -> str:
        return f"{_figure(self.samples, self.sample_rate)}{_player(self.samples, self.sample_rate)}"


def describe(rates: Sequence[int], channels: int, training: Mapping[str, Any], *, file: str | None = None) -> str:
    """A model in a line.

    >>> describe((1000, 4000), 2, {"material": "music", "recording_seconds": 25.04}, file="violin.pt")
    '1000, 4000 Hz, stereo, music, 25.0 s, violin.pt'
    """
    parts = [f"{', '.join(map(str, rates))} Hz", "stereo" if channels == 2 else "mono"]
    if "material" in training:
        parts.append(str(training["material"]))
    if "recording_seconds" in training:
        parts.append(f"{training['recording_seconds']:.1f} s")
    return ", ".join([*parts, *filter(None, [file])])


def model_html(description: str, recording: Array | None, sample_rate: int) -> str:
    """A model's line, and the spectrogram of the recording if the model holds it."""
    picture = "" if recording is None else _figure(recording, sample_rate)
    return f"<div><code>PyramidModel</code> {html.escape(description)}{picture}</div>"


def _figure(samples: Array, sample_rate: int) -> str:
    """A spectrogram with its axes in words."""
    shown = samples[:, : round(LONGEST_SECONDS * sample_rate)]
    picture = base64.b64encode(_png(_spectrogram(shown))).decode()
    caption = f"{shown.shape[1] / sample_rate:.1f} s, 0 to {sample_rate / 2000:g} kHz, {RANGE_DB:g} dB"
    return (
        f'<figure style="margin:.5em 0"><img alt="spectrogram" width="{WIDTH}" height="{HEIGHT}" '
        f'src="data:image/png;base64,{picture}"><figcaption>{caption}</figcaption></figure>'
    )


def _player(samples: Array, sample_rate: int) -> str:
    stream = io.BytesIO()
    encode_wav(stream, samples, sample_rate)
    sound = base64.b64encode(stream.getvalue()).decode()
    return f'<audio controls src="data:audio/wav;base64,{sound}"></audio>'


def _spectrogram(samples: Array) -> npt.NDArray[np.uint8]:
    """Brightness of every pixel, `(HEIGHT, WIDTH)`, low frequencies at the bottom."""
    mono = samples.mean(0, dtype=np.float64)
    hop = max(1, len(mono) // WIDTH)
    power = power_spectrogram(mono, _WINDOW, hop)[: _WINDOW // 2, :WIDTH]
    power = power.reshape(HEIGHT, -1, power.shape[1]).mean(1)
    decibels = 10 * np.log10(power / (power.max() + 1e-30) + 10 ** (-RANGE_DB / 10))
    brightness: npt.NDArray[np.uint8] = np.round(255 * (1 + decibels[::-1] / RANGE_DB).clip(0, 1)).astype(np.uint8)
    return brightness


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A greyscale picture."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()
