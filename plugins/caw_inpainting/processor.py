"""Filling gaps within a chain."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from caw_inpainting import gaps as gap_tools
from caw_inpainting.task import fill
from caw_toolkit import Array, AudioClip, Gap
from caw_toolkit.processors.model_processor import ModelProcessor, at_least_a_second, on_model_channels
from caw_toolkit.processors.parameters import Parameter, flag, number

_logger = logging.getLogger(f"caw_toolkit.{__name__}")  # commands show what the toolkit's loggers say


def _gap_list(value: Any) -> tuple[tuple[float, float], ...]:
    seconds = number(0)
    try:
        gaps = tuple((seconds(start), seconds(stop)) for start, stop in value)
    except (TypeError, ValueError):
        gaps = ((1, 0),)
    if any(start >= stop for start, stop in gaps):
        raise ValueError("a list of gaps, each its start and its end in seconds")
    return gaps


class Inpaint(ModelProcessor):
    """Fill gaps with what the model makes of what is around them; everything else stays as it is, bit for bit.

    What lies beyond the end of the signal is left out, with a warning. The whole signal is needed at once.
    """

    gaps: Parameter[Sequence[tuple[float, float]]] = Parameter(
        default=(),
        check=_gap_list,
        summary="The gaps: a list of starts and ends in seconds.",
    )
    find: Parameter[bool] = Parameter(default=False, check=flag, summary="Also fill stretches of digital silence.")

    def _process(self, audio: Array, sample_rate: float) -> Array:
        model = self.loaded_model(sample_rate)
        rate = model.sample_rate
        gaps = self._gaps_within(AudioClip(audio, rate))
        if not gaps:
            return audio
        known = at_least_a_second(audio, rate)
        whole = on_model_channels(model, known, lambda part: fill(model, part, gaps, seed=self.seed))
        return whole[:, : audio.shape[1]]

    def _gaps_within(self, clip: AudioClip) -> list[Gap]:
        """The gaps in samples, those that touch or overlap joined."""
        for start, stop in self.gaps:
            if stop > clip.seconds:
                left_out = "is filled to there" if start < clip.seconds else "is not filled"
                _logger.warning(
                    "Inpaint: the audio ends at %g s, and the gap from %g s to %g s %s",
                    clip.seconds,
                    start,
                    stop,
                    left_out,
                )
        given = [(round(start * clip.sample_rate), round(stop * clip.sample_rate)) for start, stop in self.gaps]
        found = gap_tools.find_silences(clip) if self.find else []
        return gap_tools.join_gaps([*given, *found], clip.samples.shape[1])
