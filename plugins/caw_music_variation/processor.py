"""Variations of what is playing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caw_toolkit import Array, Stream
from caw_toolkit.processors.model_processor import ModelProcessor
from caw_toolkit.processors.parameters import Parameter, integer, number, optional

if TYPE_CHECKING:
    from caw_toolkit import PyramidModel

#: Blocks of 4 s with 2 s after them, or of half a second, measure the same (docs/decisions.md#low-latency).
_BLOCK_SECONDS = 1.0
_BEFORE_SECONDS, _AFTER_SECONDS = 2.0, 1.0
_FADE_SECONDS = 0.25


class Vary(ModelProcessor):
    """Keep the structure of the input and give it new detail.

    It works in blocks of 1 s and hears 1 s of what comes after them: streamed audio comes out 2 s late.
    """

    strength: Parameter[float] = Parameter(
        default=0.5,
        check=number(0, 1),
        summary="From 0, the input, over 0.5, its structure with new detail, to 1, nothing of it.",
    )
    keep_below: Parameter[float | None] = Parameter(
        default=None,
        check=optional(number(0, 96_000)),
        summary="Frequency in Hz below which the input is kept; by strength, if None.",
    )
    scale: Parameter[int | None] = Parameter(
        default=None,
        check=optional(integer(1, 192_000)),
        summary="Enter the pyramid at this scale (Hz), as it is.",
    )

    def _open_stream(self, channels: int, sample_rate: float) -> Stream:
        return self._block_stream(
            self._vary,
            channels,
            sample_rate,
            block_seconds=_BLOCK_SECONDS,
            before_seconds=_BEFORE_SECONDS,
            after_seconds=_AFTER_SECONDS,
            fade_seconds=_FADE_SECONDS,
        )

    def _vary(self, model: PyramidModel, audio: Array, first_second: int) -> Array:
        from caw_music_variation.task import vary

        return vary(
            model,
            audio,
            model.sample_rate,
            strength=self.strength,
            scale=self.scale,
            keep_below=self.keep_below,
            seed=self.seed,
            first_second=first_second,
        )
