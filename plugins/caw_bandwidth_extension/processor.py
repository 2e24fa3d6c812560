"""Bandwidth extension within a chain, where the sample rate cannot change."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from caw_toolkit import Array, Stream
from caw_toolkit.processors.model_processor import ModelProcessor, on_model_channels
from caw_toolkit.processors.parameters import Parameter, number, optional

if TYPE_CHECKING:
    from caw_bandwidth_extension.roll_off import RollOff
    from caw_toolkit import PyramidModel


_BLOCK_SECONDS = 1
_CONTEXT_SECONDS = 1


class BandwidthExtension(ModelProcessor):
    """Add the highs that the input has lost; what it has is kept.

    The input is a low-rate recording that was resampled to the model's sample rate. It works in blocks of 1 s with 1 s
    of context on each side: streamed audio comes out 2 s late. Audio that lacks nothing passes as it is.
    """

    source_sample_rate: Parameter[float | None] = Parameter(
        default=None,
        check=optional(number(1)),
        summary="Rate in Hz that the recording had; if None, its bandwidth is measured in the first block with sound.",
    )

    def _open_stream(self, channels: int, sample_rate: float) -> Stream:
        return self._block_stream(
            _Extension(self),
            channels,
            sample_rate,
            block_seconds=_BLOCK_SECONDS,
            context_seconds=_CONTEXT_SECONDS,
        )


class _Extension:
    """Extends one signal, block by block, and keeps its bandwidth, its roll-off and its level in mind."""

    def __init__(self, settings: BandwidthExtension) -> None:
        self._settings = settings
        rate = settings.source_sample_rate
        self._cutoff_hz = rate / 2 if rate else 0.0
        self._roll_off: RollOff | None = None
        self._peak = 0.0

    def __call__(self, model: PyramidModel, audio: Array, first_second: int) -> Array:
        from caw_bandwidth_extension.roll_off import measure
        from caw_bandwidth_extension.task import bandwidth, lacks_nothing

        if not audio.any():
            return audio
        self._peak = max(self._peak, float(np.abs(audio).max()))
        self._cutoff_hz = self._cutoff_hz or bandwidth(audio, model.sample_rate)
        if lacks_nothing(self._cutoff_hz, model.sample_rate):
            return audio
        self._roll_off = self._roll_off or measure(model, audio, model.sample_rate, self._cutoff_hz)
        return on_model_channels(model, audio, functools.partial(self._extend, model, first_second))

    def _extend(self, model: PyramidModel, first_second: int, audio: Array) -> Array:
        from caw_bandwidth_extension.task import extend

        return extend(
            model,
            audio,
            model.sample_rate,
            seed=self._settings.seed,
            cutoff_hz=self._cutoff_hz,
            peak=self._peak,
            roll_off=self._roll_off,
            first_second=first_second,
        )
