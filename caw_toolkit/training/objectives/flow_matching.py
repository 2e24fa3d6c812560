"""Objective `flow_matching`: regress the velocity from noise to signal (see `caw_toolkit.generators.flow`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from caw_toolkit.errors import CawUsageError
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.generators.flow import FlowGenerator
from caw_toolkit.training.objectives.base import Objective, ScaleSpec, ScaleTask, ScaleTrainer
from caw_toolkit.training.objectives.options import options_from_mapping
from caw_toolkit.training.objectives.regression import RegressionOptions, RegressionTrainer, frame_samples

#: Length of the sample from which the level of what is generated is measured.
LEVEL_SECONDS = 30


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
        for name in ("frame_seconds", "companding", "solver_steps", "solver_spacing"):
            if not getattr(self, name) > 0:
                raise CawUsageError(f"{name} must be above 0, not {getattr(self, name)}")


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
            fold=frame_samples(spec.rate, self.options.frame_seconds),
            widths=self.options.widths,
            companding=self.options.companding,
            solver_steps=self.options.solver_steps,
            solver_spacing=self.options.solver_spacing,
        )

    def scale_trainer(self, task: ScaleTask) -> ScaleTrainer:
        torch.manual_seed(task.seed)
        generator = self.untrained_generator(task.spec).to(task.device)
        generator.fit_levels(task.real, task.coarse)
        return FlowTrainer(generator, task, self.options)


class FlowTrainer(RegressionTrainer):
    """One scale of `flow_matching`."""

    model: FlowGenerator
    average: FlowGenerator
    options: FlowOptions
    loss_name = "velocity error"

    def __init__(self, generator: FlowGenerator, task: ScaleTask, options: FlowOptions) -> None:
        super().__init__(generator, task, options, granule=generator.fold)
        self.target, self.condition = generator.normalised(task.real, task.coarse)

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

    def generator(self) -> ScaleGenerator:
        self._match_level()
        return self.average

    def reconstruction_noise(self) -> Tensor | None:
        if self.task.coarse is not None:
            return None
        with torch.inference_mode():
            return self.average.noise_of(self.task.real[None], None)[0].cpu().clone()

    @torch.inference_mode()
    def _match_level(self) -> None:
        """Give what is generated the level of the recording, which errors of the velocity lower."""
        if self.task.coarse is not None:
            return
        self.average.gain.fill_(1.0)
        random = torch.Generator().manual_seed(self.task.seed)
        samples = LEVEL_SECONDS * self.task.spec.rate
        noise = torch.randn(1, self.task.spec.channels, samples, generator=random).to(self.task.device)
        generated = self.average(noise, None)
        trained = torch.cat([self.task.real[:, start:stop] for start, stop in self.task.segments], dim=1)
        level = trained.square().mean().sqrt() / generated.square().mean().sqrt()
        if torch.isfinite(level):
            self.average.gain.copy_(level.clamp(0.5, 2.0))
