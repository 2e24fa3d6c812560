"""Files within a page: audio and pictures as data URIs."""

from __future__ import annotations

import base64
import io
from typing import Any, Literal

from caw_toolkit.arrays import FloatArray
from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.audio.writing import encode, in_blocks
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.interrupts import held_interrupts
from caw_toolkit.pages.templates import Html

#: How audio is stored in a page: exactly, in steps of 16 bits; or in a tenth of the space, which not all browsers play.
AudioFormat = Literal["flac", "opus"]

_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)


def data_uri(media_type: str, data: bytes) -> Html:
    """A file as a URI; nothing in it has to be escaped, which takes long for long files.

    >>> data_uri("text/plain", b"la")
    'data:text/plain;base64,bGE='
    """
    return Html(f"data:{media_type};base64,{base64.b64encode(data).decode()}")


def audio_uri(clip: AudioClip, audio_format: AudioFormat) -> tuple[Html, float]:
    """Audio as a URI.

    Args:
        clip: what is beyond full scale is turned down as a whole.
        audio_format: how it is stored.

    Returns:
        The URI, and the gain that was needed to fit, 1 at the most.

    Raises:
        CawError: FLAC has no such sample rate.
    """
    gain = 1 / max(1.0, clip.peak)
    samples = clip.samples if gain == 1 else gain * clip.samples
    if audio_format == "opus":
        return data_uri("audio/ogg", _opus(samples, clip.sample_rate)), gain
    stream = io.BytesIO()
    encode(stream, in_blocks(samples), "FLAC", shape=samples.shape, sample_rate=clip.sample_rate, bit_depth="16")
    return data_uri("audio/flac", stream.getvalue()), gain


def _opus(samples: FloatArray, sample_rate: int) -> bytes:
    import soundfile

    if sample_rate not in _OPUS_RATES:
        samples, sample_rate = resample(samples, sample_rate, _OPUS_RATES[-1]), _OPUS_RATES[-1]
    stream = io.BytesIO()
    opus: dict[str, Any] = {"subtype": "OPUS", "format": "OGG"}
    with held_interrupts(), soundfile.SoundFile(stream, "w", sample_rate, len(samples), **opus) as encoder:
        for block in in_blocks(samples):
            encoder.write(block.T)
    return stream.getvalue()
