"""Making a variation of given audio with a model."""

from __future__ import annotations

from caw_toolkit import Array, PyramidModel
from caw_toolkit.processors.model_processor import on_model_channels


def vary(
    model: PyramidModel,
    audio: Array,
    sample_rate: int,
    *,
    strength: float,
    scale: int | None,
    seed: int,
    first_second: int = 0,
) -> Array:
    """Audio with its structure kept and its detail new.

    Args:
        model: that makes the detail.
        audio: `(channels, samples)`; a mono model varies each channel by itself.
        sample_rate: of `audio`, Hz.
        strength: from 0 (the structure of the audio) to 1 (a new one), for models whose coarsest scale can be led back.
        scale: rate in Hz of the scale at which to enter the pyramid instead (paper, section 4.2). Models of the paper's
            preset always work like that; their default is the second-coarsest.
        seed: of the noise.
        first_second: where `audio` begins in its signal, if it is a part of one.

    Returns:
        `(channels, samples)` at the model's rate.
    """

    def vary_part(part: Array) -> Array:
        if scale is None and "revise" in model.capabilities:
            return model.revise(part, sample_rate, strength=strength, seed=seed, first_second=first_second)
        return model.inject(part, sample_rate, at_rate=scale, seed=seed, first_second=first_second)

    return on_model_channels(model, audio, vary_part)
