"""Denoising within a chain."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from caw_toolkit import Array, CawError, Processor, Reader
from caw_toolkit.processors.model_processor import model_or_path
from caw_toolkit.processors.parameters import Parameter, flag, number, optional

if TYPE_CHECKING:
    from caw_toolkit import PyramidModel


_LOWEST_SAMPLE_RATE = 4000


class Denoise(Processor):
    """Remove clicks, hum and steady noise from a recording: hiss, surface noise, rumble.

    The recording's own repetitions tell its sound from its noise, so that all of it has to be heard before the first
    sample comes out; a long one does not have to fit into memory (`process_blocks`). A model of a cleaner recording of
    the same source adds what the notes sound like without noise.
    """

    model: Parameter[PyramidModel | str | os.PathLike[str] | None] = Parameter(
        default=None,
        check=optional(model_or_path),
        summary="Model of a cleaner recording of the same source: a file, or a PyramidModel.",
    )
    strength: Parameter[float] = Parameter(
        default=1.0,
        check=number(0, 1),
        summary="Share of the noise to remove, from 0 to 1.",
    )
    declick: Parameter[bool] = Parameter(default=True, check=flag, summary="Whether to remove clicks and crackle.")

    def _prepare(self) -> None:
        super()._prepare()
        self._recordings: dict[int, Array] = {}  # by sample rate

    def parameter_changed(self, name: str) -> None:
        if name == "model":
            self._recordings = {}

    def _process_blocks(self, read: Reader, channels: int, sample_rate: float) -> Iterator[Array]:
        from caw_denoising.task import Settings, clean_blocks

        if sample_rate < _LOWEST_SAMPLE_RATE:
            raise CawError(f"Denoise works from {_LOWEST_SAMPLE_RATE} Hz on, not at {sample_rate:g} Hz")
        rate = round(sample_rate)
        settings = Settings(self.strength, self._reference(rate), self.declick)
        cleaned = clean_blocks(read, rate, settings, channels=channels)
        return (np.asarray(part.samples, np.float32) for part in cleaned)

    def _reference(self, sample_rate: int) -> Array | None:
        """The recording of the model, if there is one; its file is read once."""
        recordings, model = self._recordings, self.model  # in this order: the model may be changed meanwhile
        if model is None:
            return None
        if sample_rate not in recordings:
            from caw_denoising.reference import reference_recording  # loads torch

            recordings[sample_rate] = reference_recording(model, sample_rate)
        return recordings[sample_rate]
