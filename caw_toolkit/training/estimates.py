"""What a training will cost, without training."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.pyramid.upsampling import UPSAMPLERS
from caw_toolkit.training.objectives.base import ScaleTask, ScaleTrainer
from caw_toolkit.training.plan import Plan

__all__ = ["estimate"]

#: Length of the noise on which a step is timed, in samples of the scale; less where a step goes over all of it.
PROBE_SAMPLES = 12000
WHOLE_PROBE_SAMPLES = 4000
#: The GPU on which a step of the paper's preset was timed (docs/performance.md#on-a-gpu).
GPU_NAME = "H100"
#: What a step takes on it, however short the recording.
GPU_STEP_SECONDS = 0.023
#: What it takes besides for each sample of the recording, with a generator of `GPU_PARAMETERS`.
GPU_SAMPLE_SECONDS = 1.91e-6
#: Parameters of the generator that was timed.
GPU_PARAMETERS = 750_722
#: What torch and its libraries take by themselves.
BASE_GIGABYTES = 0.6
BYTES_A_PARAMETER = 32  # weights, gradients, two moments, the moving average, a checkpoint in memory


def estimate(plan: Plan) -> dict[str, Any]:
    """Sizes of a plan's scales, and its time and memory.

    Returns:
        Plain types: `scales` (rate, receptive_field_seconds, parameters), `minutes`, `gpu_minutes` (on an H100, None
        where that was not measured), `memory_gigabytes`, `seed`, `material`, `pulse`, `is_texture`, `preset`. Without a
        time budget the time is that of a step on noise, scaled up to the recording's length: expect it to be right
        within a factor of two.

    Example:
        >>> from caw_toolkit import AudioClip, make_plan
        >>> noise = np.random.default_rng(0).uniform(-1, 1, (1, 48000)).astype(np.float32)
        >>> costs = estimate(make_plan(AudioClip(noise, 16000), material="ambience", minutes=5))
        >>> costs["minutes"], [scale["rate"] for scale in costs["scales"]]
        (5, [1000, 4000, 16000])
    """
    generators = [plan.objective.untrained_generator(plan.spec(index)) for index in range(len(plan.rates))]
    sizes = [sum(parameter.numel() for parameter in generator.parameters()) for generator in generators]
    scales = [
        {"rate": rate, "receptive_field_seconds": generator.receptive_field / rate, "parameters": size}
        for rate, generator, size in zip(plan.rates, generators, sizes, strict=True)
    ]
    found = plan.findings.content()
    signal = plan.recording.samples.size * 4 * 6
    activations = _step_bytes(plan, generators)
    return {
        "preset": plan.preset.name,
        "material": plan.material.value,
        "pulse": found["pulse"],
        "is_texture": found["is_texture"],
        "seed": plan.seed,
        "scales": scales,
        "minutes": plan.minutes or _minutes(plan, sizes),
        "gpu_minutes": _gpu_minutes(plan, sizes),
        "memory_gigabytes": BASE_GIGABYTES + (signal + sum(sizes) * BYTES_A_PARAMETER + activations) / 1e9,
    }


def _minutes(plan: Plan, sizes: Sequence[int]) -> float:
    """Time of all steps of all scales, from a step of each network that there is; networks are told by their sizes."""
    probes: dict[int, _Probe] = {}
    seconds = 0.0
    for index, (rate, network) in enumerate(zip(plan.rates, sizes, strict=True)):
        if network not in probes:
            probes[network] = _probe(plan, index)
        probe = probes[network]
        length = plan.recording.seconds * rate / WHOLE_PROBE_SAMPLES if probe.whole_signal else 1.0
        seconds += probe.step_seconds * length * probe.steps
    return seconds / 60


class _Probe(NamedTuple):
    step_seconds: float
    steps: int
    whole_signal: bool


def _probe(plan: Plan, index: int) -> _Probe:
    """A step of a scale, in time of the processor: what it would take if nothing else ran."""
    trainer = _on_noise(plan, index, PROBE_SAMPLES)
    if trainer.whole_signal:
        trainer = _on_noise(plan, index, WHOLE_PROBE_SAMPLES)
    began = time.process_time()
    trainer.step(0.0)
    step_seconds = (time.process_time() - began) / torch.get_num_threads()
    return _Probe(step_seconds, trainer.total_steps, trainer.whole_signal)


def _on_noise(plan: Plan, index: int, samples: int) -> ScaleTrainer:
    """Training of a scale on a short stretch of noise."""
    rate = plan.rates[index]
    noise = np.random.default_rng(0).standard_normal((plan.recording.channels, samples), np.float32) * 0.1
    short = dataclasses.replace(plan.recording, samples=noise, sample_rate=rate, segments=((0, samples),), peak=1.0)
    real = torch.from_numpy(short.samples)
    coarse, generate = None, None
    if index:
        lower = torch.from_numpy(short.at(plan.rates[index - 1]))
        coarse = UPSAMPLERS[plan.preset.upsampling](lower, plan.rates[index - 1], rate, samples)

        def generate(start: int, stop: int, seed: int | None) -> torch.Tensor:
            return coarse[None, :, start:stop]

    task = ScaleTask(plan.spec(index), real, coarse, short.segments, generate, 0, torch.device("cpu"))
    return plan.objective.scale_trainer(task)


def _gpu_minutes(plan: Plan, sizes: Sequence[int]) -> float | None:
    """What the published training takes on the GPU on which it was measured; None for other objectives."""
    if plan.preset.objective != "adversarial" or plan.minutes is not None:
        return None
    steps = _on_noise(plan, 0, WHOLE_PROBE_SAMPLES).total_steps
    seconds = 0.0
    for rate, parameters in zip(plan.rates, sizes, strict=True):
        size = plan.recording.seconds * rate * parameters / GPU_PARAMETERS
        seconds += steps * (GPU_STEP_SECONDS + GPU_SAMPLE_SECONDS * size)
    return seconds / 60


def _step_bytes(plan: Plan, generators: Sequence[ScaleGenerator]) -> float:
    """Activations of one step, from the memory that the widest layer's output takes."""
    widths = [p.shape[0] for generator in generators for p in generator.parameters() if p.dim() == 3]
    widest = max(widths, default=0)
    samples = min(plan.recording.samples.shape[1], 16 * 1024 * 16)
    return float(samples * widest * 4.0)
