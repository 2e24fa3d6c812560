"""What a training will cost, without training."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
import torch

from caw_toolkit.pyramid.upsampling import UPSAMPLERS
from caw_toolkit.training.objectives.base import ScaleTask
from caw_toolkit.training.plan import Plan

__all__ = ["estimate"]

#: Length of the noise on which a step is timed, in samples of the scale.
PROBE_SAMPLES = 12000
#: What torch and its libraries take by themselves.
BASE_GIGABYTES = 0.6
BYTES_A_PARAMETER = 32  # weights, gradients, two moments, the moving average, a checkpoint in memory


def estimate(plan: Plan) -> dict[str, Any]:
    """Sizes of a plan's scales, and its time and memory.

    Returns:
        Plain types: `scales` (rate, receptive_field_seconds, parameters), `minutes`, `memory_gigabytes`, `seed`,
        `material`, `preset`. Without a time budget the time is that of a few steps on noise, scaled up to the
        recording's length: expect it to be right within a factor of two.
    """
    scales = []
    for index, rate in enumerate(plan.rates):
        generator = plan.objective.untrained_generator(plan.spec(index))
        scales.append(
            {
                "rate": rate,
                "receptive_field_seconds": generator.receptive_field / rate,
                "parameters": sum(parameter.numel() for parameter in generator.parameters()),
            }
        )
    parameters = sum(scale["parameters"] for scale in scales)
    signal = plan.recording.samples.size * 4 * 6
    return {
        "preset": plan.preset.name,
        "material": plan.material.value,
        "seed": plan.seed,
        "scales": scales,
        "minutes": plan.minutes or sum(_scale_minutes(plan, index) for index in range(len(plan.rates))),
        "memory_gigabytes": BASE_GIGABYTES + (signal + parameters * BYTES_A_PARAMETER + _step_bytes(plan)) / 1e9,
    }


def _scale_minutes(plan: Plan, index: int) -> float:
    """Time of all steps of a scale, from one step on a short stretch of noise."""
    rate = plan.rates[index]
    noise = np.random.default_rng(0).standard_normal((plan.recording.channels, PROBE_SAMPLES), np.float32) * 0.1
    short = dataclasses.replace(
        plan.recording, samples=noise, sample_rate=rate, segments=((0, PROBE_SAMPLES),), peak=1.0
    )
    real = torch.from_numpy(short.samples)
    coarse, generate = None, None
    if index:
        lower = torch.from_numpy(short.at(plan.rates[index - 1]))
        coarse = UPSAMPLERS[plan.preset.upsampling](lower, plan.rates[index - 1], rate, PROBE_SAMPLES)

        def generate(start: int, stop: int, seed: int | None) -> torch.Tensor:
            return coarse[None, :, start:stop]

    task = ScaleTask(plan.spec(index), real, coarse, short.segments, generate, 0, torch.device("cpu"))
    trainer = plan.objective.scale_trainer(task)
    trainer.step(0.0)
    began = time.perf_counter()
    trainer.step(0.0)
    step_seconds = time.perf_counter() - began
    factor = plan.recording.seconds * rate / PROBE_SAMPLES if trainer.whole_signal else 1.0
    return float(step_seconds * factor * trainer.total_steps / 60)


def _step_bytes(plan: Plan) -> float:
    """Activations of one step, from the memory that the widest layer's output takes."""
    generators = (plan.objective.untrained_generator(plan.spec(index)) for index in range(len(plan.rates)))
    widths = [p.shape[0] for generator in generators for p in generator.parameters() if p.dim() == 3]
    widest = max(widths, default=0)
    samples = min(plan.recording.samples.shape[1], 16 * 1024 * 16)
    return float(samples * widest * 4.0)
