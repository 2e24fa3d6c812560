"""New audio from a model, mixed into what is playing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from caw_toolkit import Array, Stream
from caw_toolkit.dsp.queues import SampleQueue
from caw_toolkit.processors.model_processor import ModelProcessor
from caw_toolkit.processors.parameters import Parameter, flag, number, optional
from caw_toolkit.pyramid.coherence import LEAST_COHERENCE_SECONDS, MOST_COHERENCE_SECONDS

if TYPE_CHECKING:
    from caw_toolkit import PyramidModel


class Generate(ModelProcessor):
    """Mix audio that a model generates into the input: `(1 - mix) * input + mix * generated`.

    Every signal begins with the same take of the same seed, without delay. A mono model plays on all channels; a stereo
    model is mixed down for mono.
    """

    mix: Parameter[float] = Parameter(
        default=0.5,
        check=number(0, 1),
        summary="Share of the generated audio, from 0 to 1.",
    )

    keep_beat: Parameter[bool] = Parameter(
        default=True,
        check=flag,
        summary="Whether to keep to the beat of the model's recording, if it has one.",
    )

    coherence: Parameter[float | None] = Parameter(
        default=None,
        check=optional(number(LEAST_COHERENCE_SECONDS, MOST_COHERENCE_SECONDS)),
        summary="How long what is generated holds together, in seconds, or None for what the preset has.",
    )

    def _open_stream(self, channels: int, sample_rate: float) -> Stream:
        return _Mixing(self, self.loaded_model(sample_rate), channels)


class _Mixing:
    def __init__(self, settings: Generate, model: PyramidModel, channels: int) -> None:
        self._settings = settings
        self._seconds: Iterator[Array] = model.stream(
            block_seconds=1.0, seed=settings.seed, keep_beat=settings.keep_beat, coherence=settings.coherence
        )
        self._waiting = SampleQueue(model.channels)
        self._channels = channels

    def push(self, audio: Array) -> Array:
        generated = _on_channels(self._next(audio.shape[1]), self._channels)
        mix = np.float32(self._settings.mix)
        return np.asarray((1 - mix) * audio + mix * generated, np.float32)

    def flush(self) -> Array:
        return np.zeros((self._channels, 0), np.float32)

    def _next(self, samples: int) -> Array:
        while len(self._waiting) < samples:
            self._waiting.push(next(self._seconds))
        return self._waiting.pop(samples)


def _on_channels(generated: Array, channels: int) -> Array:
    if len(generated) == channels:
        return generated
    return np.repeat(generated.mean(0, keepdims=True), channels, axis=0)
