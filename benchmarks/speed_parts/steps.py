"""Part (a): a training step of the paper's network at one scale, ours or the plain transcription, in its own process.

Both train the scale of `--rate` above the paper's coarser scales, whose output they draw anew in each step. For every
line on standard input the process does a step and prints its seconds; then its peak memory.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

import plain_transcription as plain
from caw_toolkit.pyramid.material import Material
from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.pyramid.scale import Scale
from caw_toolkit.training.coarse_signals import coarse_signals
from caw_toolkit.training.objectives import build_objective
from caw_toolkit.training.objectives.base import ScaleSpec, ScaleTask
from caw_toolkit.training.presets import Preset, load_preset
from speed_parts.machine import peak_gigabytes
from speed_parts.signals import clips, recording

LOWEST_RATE = 500
NOISE_STD = 0.01


def paper() -> Preset:
    return load_preset("paper", material=Material.SPEECH)


def scale_rates(rate: int) -> list[int]:
    """The paper's scales up to `rate`, from 500 Hz on."""
    return [candidate for candidate in paper().scales["candidate_rates"] if LOWEST_RATE <= candidate <= rate]


def our_step(seconds: float, rate: int, channels: int) -> Callable[[], object]:
    preset = paper()
    objective = build_objective(preset.objective, preset.objective_options)
    rates = scale_rates(rate)
    specs = [ScaleSpec(i, len(rates), r, rates[i - 1] if i else None, channels) for i, r in enumerate(rates)]
    scales = [
        Scale(spec.rate, objective.untrained_generator(spec).eval(), NOISE_STD if spec.index else 1.0)
        for spec in specs[:-1]
    ]
    below = PyramidModel(
        scales, channels, 1.0, "keys", reconstruction_noise=torch.randn(channels, round(seconds * rates[0]))
    )
    real = torch.from_numpy(recording(clips()[0], seconds, rate, channels).samples)
    task = ScaleTask(
        spec=specs[-1],
        real=real,
        coarse=None,
        segments=((0, real.shape[1]),),
        generate_coarse=coarse_signals(below, rate, seconds),
        seed=0,
        device=torch.device("cpu"),
        previous={"energy": 0.0},
    )
    trainer = objective.scale_trainer(task)
    return lambda: trainer.step(0.0)


def plain_step(seconds: float, rate: int, channels: int) -> Callable[[], object]:
    rates = scale_rates(rate)
    pyramid = [
        plain.PyramidScale(plain.Generator(channels, 96 if i else 16), r, NOISE_STD if i else 1.0)
        for i, r in enumerate(rates[:-1])
    ]
    real = torch.from_numpy(recording(clips()[0], seconds, rate, channels).samples)[None]
    step = plain.Step(plain.Generator(channels), plain.Discriminator(channels), real)
    length = real.shape[-1]

    def coarse() -> torch.Tensor:
        return plain.cubic_upsample(plain.generate(pyramid, seconds, channels), rates[-2], rate, length)

    reconstruction = coarse()
    silence = torch.zeros_like(real)

    def run() -> object:
        noise = NOISE_STD * torch.randn_like(real)
        return step(noise, coarse(), silence, reconstruction, float(torch.rand(())))

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", choices=["ours", "plain"], required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rate", type=int, required=True)
    parser.add_argument("--channels", type=int, default=1)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_flush_denormal(True)
    make = our_step if arguments.side == "ours" else plain_step
    step = make(arguments.seconds, arguments.rate, arguments.channels)
    print("ready", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        step()
        seconds = time.perf_counter() - began
        print(f"{seconds:.6f} {peak_gigabytes():.3f}", flush=True)


if __name__ == "__main__":
    main()
