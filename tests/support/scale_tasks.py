"""Scales to train in tests: specifications, tasks on noise, and options that make every objective small."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from caw_toolkit.training.objectives.base import ScaleSpec, ScaleTask

#: Options by objective: networks and batches that a step takes milliseconds for.
SMALL_OPTIONS: dict[str, dict[str, Any]] = {
    "adversarial": {"hidden_channels": 8, "coarsest_hidden_channels": 4, "blocks": 4},
    "conditional_gaussian": {"widths": [8, 8], "batch": 2, "crop_frames": 16},
    "exemplar": {},
    "exemplar_or_gaussian": {"widths": [8, 8], "batch": 2, "crop_frames": 16},
    "flow_matching": {"widths": [8, 8], "batch": 2, "crop_frames": 16, "solver_steps": 3},
    "staged": {
        "stages": [
            {"name": "flow_matching", "widths": [8, 8], "batch": 2, "crop_frames": 16, "solver_steps": 3},
            {"name": "conditional_gaussian", "widths": [8, 8], "batch": 2, "crop_frames": 16},
        ]
    },
}


def make_spec(index: int, rate: int, channels: int = 1) -> ScaleSpec:
    """Place in a pyramid of three scales, each of four times the rate of the one below."""
    return ScaleSpec(index=index, count=3, rate=rate, coarser_rate=rate // 4 if index else None, channels=channels)


def make_task(
    index: int,
    real: Tensor,
    coarse: Tensor | None = None,
    *,
    rate: int,
    segments: tuple[tuple[int, int], ...] | None = None,
    seed: int = 4,
) -> ScaleTask:
    """A task on given signals, `(channels, samples)`."""
    generate_coarse = None
    if coarse is not None:
        given = coarse

        def generate_coarse(start: int, stop: int, seed: int | None) -> Tensor:
            return given[None, :, start:stop]

    return ScaleTask(
        spec=make_spec(index, rate, real.shape[0]),
        real=real,
        coarse=coarse,
        segments=segments or ((0, real.shape[1]),),
        generate_coarse=generate_coarse,
        seed=seed,
        device=torch.device("cpu"),
    )


def noise_task(index: int, channels: int = 1) -> ScaleTask:
    """A task on three seconds of noise."""
    rate = 500 * 4**index
    random = torch.Generator().manual_seed(0)
    real, coarse = 0.3 * torch.randn(2, channels, 3 * rate, generator=random)
    if index == 0:
        return make_task(0, real, rate=rate)
    return make_task(index, real, coarse, rate=rate)
