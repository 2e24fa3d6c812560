"""Filling gaps within a chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from caw_inpainting import gaps as gap_tools
from caw_toolkit import AudioClip
from caw_toolkit.processors.layout import Array
from caw_toolkit.processors.model_processor import ModelProcessor, on_model_channels
from caw_toolkit.processors.parameters import Parameter, flag, number


def _gap_list(value: Any) -> tuple[tuple[float, float], ...]:
    seconds = number(0)
    try:
        return tuple((seconds(start), seconds(stop)) for start, stop in value)
    except (TypeError, ValueError):
        raise ValueError("a list of gaps, each its start and its end in seconds") from None


class Inpaint(ModelProcessor):
    """Fill gaps with what the model makes of what is around them; everything else stays as it is, bit for bit.

    The whole signal is needed at once.
    """

    gaps: Parameter[Sequence[tuple[float, float]]] = Parameter(
        (), _gap_list, "The gaps: a list of starts and ends in seconds."
    )
    find: Parameter[bool] = Parameter(False, flag, "Also fill stretches of digital silence.")

    def _process(self, audio: Array, sample_rate: float) -> Array:
        model = self.loaded_model(sample_rate)
        rate = model.sample_rate
        clip = AudioClip(audio, rate)
        given = [(round(start * rate), round(stop * rate)) for start, stop in self.gaps]
        found = gap_tools.silences(clip) if self.find else []
        if not given and not found:
            return audio
        gaps = gap_tools.checked([*given, *found], clip)
        seconds = [(start / rate, stop / rate) for start, stop in gaps]
        filled = on_model_channels(model, audio, lambda part: model.fill(part, rate, seconds, seed=self.seed))
        return gap_tools.stitched(audio, filled, gaps, rate)
