"""Objective `flow_matching`: regress the velocity from noise to signal (see `caw_toolkit.generators.flow`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from caw_toolkit.generators.flow import FlowGenerator
from caw_toolkit.generators.limits import MOST_FRAME_SAMPLES
from caw_toolkit.training.matching import LEVEL_SECONDS, level_gain
from caw_toolkit.training.objectives.base import Objective, ScaleSpec, ScaleTask, ScaleTrainer, TrainedScale
from caw_toolkit.training.objectives.options import Bounds, options_from_mapping, require_within
from caw_toolkit.training.objectives.regression import (
    FRAME_SECONDS,
    RegressionOptions,
    RegressionTrainer,
    samples_of_frame,
)


@dataclass(frozen=True)
class FlowOptions(RegressionOptions):
    """Options of `flow_matching`.

    Attributes:
        frame_seconds: neighbouring samples that make one frame of the network, rounded to a power of two.
        companding: exponent of the companding.
        solver_steps: steps of Heun's method in generation.
        solver_spacing: exponent of the spacing of these steps in time: 1 is even, above 1 they are shorter near noise.
        even_times: whether the times of a training step are spread evenly over their distribution (`draw_times`).
        coarse_noise: noise added to the coarser signal in training, relative to its level.
    """

    frame_seconds: float = 0.004
    companding: float = 0.6
    solver_steps: int = 6
    solver_spacing: float = 1.0
    even_times: bool = False
    coarse_noise: float = 0.03

    def __post_init__(self) -> None:
        super().__post_init__()
        require_within(self, {"frame_seconds": FRAME_SECONDS, "solver_steps": Bounds(above=0, most=1000)})
        require_within(self, dict.fromkeys(("companding", "solver_spacing"), Bounds(above=0, most=100)))


class FlowMatchingObjective(Objective):
    """Flow matching at every scale."""

    def __init__(self, options: FlowOptions | None = None) -> None:
        self.options = options or FlowOptions()

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> FlowMatchingObjective:
        return cls(options_from_mapping(FlowOptions, options, objective="flow_matching"))

    def untrained_generator(self, spec: ScaleSpec) -> FlowGenerator:
        return FlowGenerator(
            audio_channels=spec.channels,
            conditional=spec.index > 0,
            frame_samples=samples_of_frame(spec.rate, self.options.frame_seconds, MOST_FRAME_SAMPLES),
            widths=self.options.widths,
            companding=self.options.companding,
            solver_steps=self.options.solver_steps,
            solver_spacing=self.options.solver_spacing,
            kernel_size=self.options.kernel_size,
        )

    def scale_trainer(self, task: ScaleTask) -> ScaleTrainer:
        torch.manual_seed(task.seed)
        generator = self.untrained_generator(task.spec).to(task.device)
        generator.fit_levels(task.real, task.coarse)
        return FlowTrainer(generator, task, self.options)


class FlowTrainer(RegressionTrainer):
    """One scale of `flow_matching`."""

    model: FlowGenerator
    ema: FlowGenerator
    options: FlowOptions
    loss_name = "velocity error"

    def __init__(self, generator: FlowGenerator, task: ScaleTask, options: FlowOptions) -> None:
        super().__init__(generator, task, options, frame_samples=generator.frame_samples)
        self.target, self.condition = generator.normalise(task.real, task.coarse)
        # The inversion: forward passes over the recording, two for each step of the solver; a step costs about three.
        passes = 2 * options.solver_steps * task.real.shape[1] / (3 * options.batch * self.crop)
        self.closing_steps = RegressionTrainer.closing_steps + passes

    def loss(self, starts: Tensor) -> Tensor:
        batch, signs = self.options.batch, self.random_signs()
        target = self.cut(self.target, starts, self.crop) * signs
        condition = None
        if self.condition is not None:
            condition = self.cut(self.condition, starts, self.crop) * signs
            spread = 2 * self.options.coarse_noise * self.rand(batch, 1, 1)
            condition = condition + spread * self.randn(*condition.shape)
        noise = self.randn(*target.shape)
        time = self.draw_times()
        place = time[:, None, None]
        velocity = self.model.velocity((1 - place) * noise + place * target, time, condition)
        return functional.mse_loss(velocity, target - noise)

    def draw_times(self) -> Tensor:
        """A time for each crop of a step, logit-normal (Esser et al., 2024).

        Errors differ more from time to time than from crop to crop. With `even_times` there is one from each equal part
        of the distribution, so that the mean of a step varies less (stratified sampling).
        """
        batch = self.options.batch
        if not self.options.even_times:
            return torch.sigmoid(self.randn(batch))
        parts = torch.arange(batch, device=self.task.device)
        return torch.sigmoid(torch.special.ndtri((parts + self.rand(batch)) / batch))

    def finish(self) -> TrainedScale:
        if self.task.coarse is not None:
            return TrainedScale(self.ema, self.noise_std)
        # The level first: the noise that is inverted depends on the gain.
        self._match_level()
        with torch.inference_mode():
            noise = self.ema.invert(self.task.real[None], None)[0].cpu().clone()
        return TrainedScale(self.ema, self.noise_std, noise)

    @torch.inference_mode()
    def _match_level(self) -> None:
        """Give what is generated the level of the recording, which errors of the velocity lower."""
        self.ema.gain.fill_(1.0)
        random = torch.Generator().manual_seed(self.task.seed)
        samples = LEVEL_SECONDS * self.task.spec.rate
        noise = torch.randn(1, self.task.spec.channels, samples, generator=random).to(self.task.device)
        generated = self.ema(noise, None)
        trained = torch.cat([self.task.real[:, start:stop] for start, stop in self.task.segments], dim=1)
        wanted, made = (float(signal.square().mean().sqrt()) for signal in (trained, generated))
        self.ema.gain.fill_(level_gain(wanted, made))
