"""Running a pyramid: a stretch of time is the same whatever it is made with."""

from __future__ import annotations

import math

import torch

from caw_toolkit import PyramidModel
from caw_toolkit.pyramid.noise import NoiseSource


def test_a_stretch_does_not_depend_on_where_its_block_begins(tiny_model: PyramidModel) -> None:
    renderer = tiny_model.renderer(NoiseSource(3, 1))
    context, rate = math.ceil(renderer.context_seconds(0)), tiny_model.sample_rate
    assert tiny_model.rates[0] % tiny_model.scales[0].generator.total_stride, (
        "a second must not be a whole number of strides"
    )
    early, late = renderer.render(0, 3 * context + 4), renderer.render(context + 1, 3 * context + 4)
    inside = slice((2 * context + 2) * rate, (2 * context + 3) * rate)
    shifted = slice(inside.start - (context + 1) * rate, inside.stop - (context + 1) * rate)
    error = (early[:, inside] - late[:, shifted]).norm() / early[:, inside].norm()
    assert error < 1e-2  # -40 dB: the solver's far reach, which context does not cover in full
    torch.testing.assert_close(early[:, inside], late[:, shifted], atol=0.02, rtol=0.1)


def test_context_changes_nothing_but_what_it_costs(tiny_model: PyramidModel) -> None:
    renderer = tiny_model.renderer(NoiseSource(3, 1))
    context, rate = math.ceil(renderer.context_seconds(0)), tiny_model.sample_rate
    whole = renderer.render(-context, 3 + context)[:, context * rate : (context + 3) * rate]
    made = renderer.render(0, 3, context_before=True, context_after=True)
    assert made.shape == whole.shape
    assert (made - whole).norm() / whole.norm() < 1e-2
