"""Making a variation of given audio with a model."""

from __future__ import annotations

from caw_toolkit import Array, PyramidModel
from caw_toolkit.dsp.resampling import resampled_length
from caw_toolkit.processors.model_processor import at_least_a_second, on_model_channels


def vary(
    model: PyramidModel,
    audio: Array,
    sample_rate: int,
    *,
    strength: float,
    scale: int | None = None,
    keep_below: float | None = None,
    seed: int,
    first_second: int = 0,
) -> Array:
    """Audio with its structure kept and its detail new.

    Args:
        model: that makes the detail.
        audio: `(channels, samples)`; a mono model varies each channel by itself.
        sample_rate: of `audio`, Hz.
        strength: from 0 (the audio itself) over 0.5 (its structure, all detail new) to 1 (nothing of it is kept).
        scale: rate in Hz of the scale at which to enter the pyramid (paper, section 4.2). Models of the paper's preset
            always work like that; their default is the second-coarsest, and strength means nothing to them.
        keep_below: frequency in Hz below which the audio is kept; default: by the audio and strength.
        seed: of the noise.
        first_second: where `audio` begins in its signal, if it is a part of one.

    Returns:
        `(channels, samples)` at the model's rate.
    """

    def vary_part(part: Array) -> Array:
        where = {"seed": seed, "first_second": first_second}
        if "recompose" in model.capabilities:
            return model.recompose(part, sample_rate, strength=strength, keep_below=keep_below, at_rate=scale, **where)
        if scale is None and "revise" in model.capabilities:
            return model.revise(part, sample_rate, strength=strength, **where)
        return model.inject(part, sample_rate, at_rate=scale, **where)

    length = resampled_length(audio.shape[1], sample_rate, model.sample_rate)
    return on_model_channels(model, at_least_a_second(audio, sample_rate), vary_part)[:, :length]
