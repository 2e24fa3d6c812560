"""`Freeze`, for chains with pedalboard's effects."""

from __future__ import annotations

import numpy as np
from caw_toolkit import Array, Processor
from caw_toolkit.processors.parameters import Parameter, integer, number

from caw_freeze.pad import hold, moment

_FADE_SECONDS = 0.05


class Freeze(Processor):
    """Lets audio pass up to a moment, and holds the moment from there to the end.

    The pad needs the recording as a whole, so that it cannot be given chunk by chunk.
    """

    at_seconds: Parameter[float] = Parameter(
        default=0.0,
        check=number(0),
        summary="The moment; audio that ends before it passes as it is.",
    )
    seed: Parameter[int] = Parameter(default=0, check=integer(0, 2**63 - 1), summary="Seed of the pad.")

    def _process(self, audio: Array, sample_rate: float) -> Array:
        start = round(self.at_seconds * sample_rate)
        length = audio.shape[1] - start
        if length <= 0:
            return audio
        pad = hold(moment(audio, round(sample_rate), at_seconds=self.at_seconds), length, seed=self.seed)
        fade = np.minimum(1, np.arange(1, length + 1, dtype=np.float32) / max(1, round(_FADE_SECONDS * sample_rate)))
        audio[:, start:] = audio[:, start:] * np.sqrt(1 - fade) + pad * np.sqrt(fade)
        return audio
