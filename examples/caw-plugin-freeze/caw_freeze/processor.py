"""`Freeze`, a processor that is called as pedalboard's effects are."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from caw_freeze.pad import Array, hold, moment

_FADE_SECONDS = 0.05


class Freeze:
    """Lets audio pass up to a moment, and holds the moment from there to the end.

    Args:
        at_seconds: the moment; audio that ends before it passes as it is.
        seed: of the pad.

    Raises:
        ValueError: a parameter is out of range.
    """

    is_effect = True

    def __init__(self, *, at_seconds: float = 0.0, seed: int = 0) -> None:
        if not 0 <= at_seconds < float("inf"):
            raise ValueError(f"at_seconds must be 0 or more, not {at_seconds}")
        if seed < 0:
            raise ValueError(f"seed must be 0 or more, not {seed}")
        self.at_seconds = at_seconds
        self.seed = seed

    def process(
        self, input_array: npt.NDArray[Any], sample_rate: float, buffer_size: int = 8192, reset: bool = True
    ) -> Array:
        """Process a whole recording.

        Args:
            input_array: `(samples,)`, `(channels, samples)` or `(samples, channels)`; left as it is.
            sample_rate: Hz.
            buffer_size: as for pedalboard's effects; changes nothing.
            reset: must be on, as the pad needs the recording as a whole.

        Returns:
            float32 of the same shape.

        Raises:
            ValueError: an argument cannot be used.
        """
        if not reset:
            raise ValueError("Freeze cannot work chunk by chunk: pass the whole recording, with reset=True")
        if buffer_size < 1:
            raise ValueError(f"buffer_size must be 1 or more, not {buffer_size}")
        audio = np.array(input_array, np.float32)
        if audio.ndim == 2 and audio.shape[0] > audio.shape[1]:
            return self._frozen(audio.T, round(sample_rate)).T
        return self._frozen(np.atleast_2d(audio), round(sample_rate)).reshape(audio.shape)

    __call__ = process

    def reset(self) -> None:
        """Nothing is kept from call to call."""

    def _frozen(self, audio: Array, sample_rate: int) -> Array:
        start = round(self.at_seconds * sample_rate)
        length = audio.shape[1] - start
        if length <= 0:
            return audio
        pad = hold(moment(audio, sample_rate, at_seconds=self.at_seconds), length, seed=self.seed)
        fade = np.minimum(1, np.arange(1, length + 1, dtype=np.float32) / max(1, round(_FADE_SECONDS * sample_rate)))
        audio[:, start:] = audio[:, start:] * np.sqrt(1 - fade) + pad * np.sqrt(fade)
        return audio

    def __repr__(self) -> str:
        return f"Freeze(at_seconds={self.at_seconds}, seed={self.seed})"
