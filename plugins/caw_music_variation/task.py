"""Making a variation of given audio with a model."""

from __future__ import annotations

import math

import numpy as np

from caw_toolkit import Array, PyramidModel
from caw_toolkit.dsp.resampling import resample, resampled_length
from caw_toolkit.processors.model_processor import at_least_a_second, on_model_channels

#: What is given to the model beside a passage on each side, and the crossfades at its ends, within it; seconds.
CONTEXT_SECONDS, FADE_SECONDS = 2, 0.03


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
        keep_below: frequency in Hz below which the audio is kept; default: by strength.
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


def vary_passage(
    model: PyramidModel,
    audio: Array,
    sample_rate: int,
    *,
    start: float,
    stop: float,
    strength: float,
    scale: int | None = None,
    keep_below: float | None = None,
    seed: int,
) -> Array:
    """Audio of which a passage is varied; the rest stays as it is, bit for bit.

    Args:
        model: as for `vary`.
        audio: as for `vary`.
        sample_rate: Hz.
        start: of the passage, in seconds.
        stop: its end.
        strength: as for `vary`.
        scale: as for `vary`.
        keep_below: as for `vary`.
        seed: as for `vary`.

    Returns:
        `(channels, samples)`, as long as `audio` and at its rate.
    """
    first, last = (min(audio.shape[1], max(0, round(second * sample_rate))) for second in (start, stop))
    first_second = max(0, math.floor(start) - CONTEXT_SECONDS)
    begin = first_second * sample_rate
    given = audio[:, begin : last + CONTEXT_SECONDS * sample_rate]
    made = vary(
        model,
        given,
        sample_rate,
        strength=strength,
        scale=scale,
        keep_below=keep_below,
        seed=seed,
        first_second=first_second,
    )
    passage = resample(made, model.sample_rate, sample_rate)[:, first - begin : last - begin]
    weight = _fades(last - first, round(FADE_SECONDS * sample_rate), at_start=first > 0, at_end=last < audio.shape[1])
    result = np.array(audio)
    result[:, first:last] += weight * (passage - audio[:, first:last])
    return result


def _fades(samples: int, fade: int, *, at_start: bool, at_end: bool) -> Array:
    """Weights of a passage that rise at its start and fall at its end."""
    weight = np.ones(samples, np.float32)
    ramp = np.linspace(0, 1, min(fade, samples // 2), endpoint=False, dtype=np.float32)
    if at_start:
        weight[: len(ramp)] = ramp
    if at_end and len(ramp):
        weight[-len(ramp) :] = ramp[::-1]
    return weight
