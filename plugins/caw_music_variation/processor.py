"""Variations of what is playing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caw_toolkit import Array, Stream
from caw_toolkit.processors.model_processor import ModelProcessor
from caw_toolkit.processors.parameters import Parameter, integer, number, optional

if TYPE_CHECKING:
    from caw_toolkit import PyramidModel

_BLOCK_SECONDS = 4
_CONTEXT_SECONDS = 2


class Vary(ModelProcessor):
    """Keep the structure of the input and give it new detail.

    It works in blocks of 4 s with 2 s of context on each side: streamed audio comes out 6 s late.
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
            self._vary, channels, sample_rate, block_seconds=_BLOCK_SECONDS, context_seconds=_CONTEXT_SECONDS
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
