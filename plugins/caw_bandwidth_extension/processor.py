"""Bandwidth extension within a chain, where the sample rate cannot change."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from caw_toolkit import Array, CawError, Stream
from caw_toolkit.processors.model_processor import ModelProcessor, at_least_a_second, on_model_channels
from caw_toolkit.processors.parameters import Parameter, number, optional

if TYPE_CHECKING:
    from caw_bandwidth_extension.running_measurement import RunningMeasurement
    from caw_toolkit import PyramidModel

#: Blocks of 1 s with 1 s after them measure no better (docs/decisions.md#low-latency).
_BLOCK_SECONDS = 0.1
_BEFORE_SECONDS, _AFTER_SECONDS = 0.25, 0.2
_FADE_SECONDS = 0.05


class BandwidthExtension(ModelProcessor):
    """Add the highs that the input has lost; what it has is kept.

    The input is a low-rate recording that was resampled to the model's sample rate. It works in blocks of 0.1 s and
    hears 0.2 s of what comes after them: streamed audio comes out 0.3 s late. Audio that lacks nothing passes as it is.
    """

    source_sample_rate: Parameter[float | None] = Parameter(
        default=None,
        check=optional(number(1)),
        summary="Rate in Hz that the recording had; if None, its bandwidth is measured in the first 2 s of sound.",
    )

    def _open_stream(self, channels: int, sample_rate: float) -> Stream:
        return self._block_stream(
            _Extension(self),
            channels,
            sample_rate,
            block_seconds=_BLOCK_SECONDS,
            before_seconds=_BEFORE_SECONDS,
            after_seconds=_AFTER_SECONDS,
            fade_seconds=_FADE_SECONDS,
        )


class _Extension:
    """Extends one signal, block by block, by what it has heard of it so far."""

    def __init__(self, settings: BandwidthExtension) -> None:
        self._settings = settings
        self._measured: RunningMeasurement | None = None
        self._heard = 0  # samples of the signal

    def __call__(self, model: PyramidModel, audio: Array, first_second: int) -> Array:
        from caw_bandwidth_extension.task import lacks_nothing

        measured = self._measure(model, audio, first_second * model.sample_rate)
        if not audio.any() or lacks_nothing(measured.cutoff_hz, model.sample_rate):
            return audio
        samples = audio.shape[1]
        extend = functools.partial(self._extend, model, first_second, measured)
        try:
            return on_model_channels(model, at_least_a_second(audio, model.sample_rate), extend)[:, :samples]
        except CawError:
            if measured.is_settled:
                raise
            return audio  # a breath, or a thud, is too little to go by: what follows may be more

    def _measure(self, model: PyramidModel, audio: Array, first: int) -> RunningMeasurement:
        """Measure what is new in a stretch that begins with sample `first` of the signal."""
        from caw_bandwidth_extension.running_measurement import RunningMeasurement

        if self._measured is None:
            rate = self._settings.source_sample_rate
            self._measured = RunningMeasurement(model, rate / 2 if rate else None)
        self._measured.add(audio[:, self._heard - first :])
        self._heard = first + audio.shape[1]
        return self._measured

    def _extend(self, model: PyramidModel, first_second: int, measured: RunningMeasurement, audio: Array) -> Array:
        from caw_bandwidth_extension.task import extend

        return extend(
            model,
            audio,
            model.sample_rate,
            seed=self._settings.seed,
            cutoff_hz=measured.cutoff_hz,
            peak=measured.peak,
            roll_off=measured.roll_off,
            first_second=first_second,
        )
