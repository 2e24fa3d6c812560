"""Objective `conditional_gaussian`: likelihood of the next band given the coarser signal (`generators.gaussian`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from caw_toolkit.errors import CawUsageError
from caw_toolkit.generators.gaussian import GaussianGenerator
from caw_toolkit.generators.limits import MOST_BANDS
from caw_toolkit.training.objectives.base import Objective, ScaleSpec, ScaleTask
from caw_toolkit.training.objectives.options import Bounds, options_from_mapping, require_within
from caw_toolkit.training.objectives.regression import (
    FRAME_SECONDS,
    RegressionOptions,
    RegressionTrainer,
    samples_of_frame,
)


@dataclass(frozen=True)
class GaussianOptions(RegressionOptions):
    """Options of `conditional_gaussian`.

    Attributes:
        frame_seconds: hop of the lapped transform, rounded to a power of two samples.
        coarse_noise: noise added to the coarser signal in training, relative to the level of each of its subbands.
        coarse_jitter: noise added to each of its coefficients, relative to that coefficient.
        variance_weighting: exponent of the variance in the weight of each coefficient (beta of the beta-NLL): 0 is
            plain likelihood, 1 fits the mean as least squares do.
        smoothing: coefficients over which the power that the network sees is averaged, odd.
        has_mean: whether to predict the mean, too. It is soon learnt by heart and rarely known for other audio.
    """

    frame_seconds: float = 0.004
    coarse_noise: float = 0.002
    coarse_jitter: float = 0.1
    variance_weighting: float = 0.5
    smoothing: int = 3
    has_mean: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_within(self, {"frame_seconds": FRAME_SECONDS, "smoothing": Bounds(least=1, most=101)})
        if self.smoothing % 2 == 0:
            raise CawUsageError(f"smoothing must be odd, not {self.smoothing}")


class ConditionalGaussianObjective(Objective):
    """A conditional Gaussian at every scale but the coarsest.

    Args:
        options: of all scales.
        most_bands: subbands that its generators may have.
    """

    def __init__(self, options: GaussianOptions | None = None, most_bands: int = MOST_BANDS) -> None:
        self.options = options or GaussianOptions()
        self._most_bands = most_bands

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> ConditionalGaussianObjective:
        return cls(options_from_mapping(GaussianOptions, options, objective="conditional_gaussian"))

    def untrained_generator(self, spec: ScaleSpec) -> GaussianGenerator:
        if spec.index == 0:
            raise CawUsageError("objective 'conditional_gaussian' cannot train the coarsest scale: use it in 'staged'")
        bands = samples_of_frame(spec.rate, self.options.frame_seconds, self._most_bands)
        return GaussianGenerator(
            audio_channels=spec.channels,
            bands=bands,
            widths=self.options.widths,
            smoothing=self.options.smoothing,
            has_mean=self.options.has_mean,
            kernel_size=self.options.kernel_size,
        )

    def scale_trainer(self, task: ScaleTask) -> GaussianTrainer:
        torch.manual_seed(task.seed)
        generator = self.untrained_generator(task.spec).to(task.device)
        assert task.coarse is not None
        generator.fit_levels(task.real, task.coarse)
        return GaussianTrainer(generator, task, self.options)


class GaussianTrainer(RegressionTrainer):
    """One scale of `conditional_gaussian`."""

    model: GaussianGenerator
    ema: GaussianGenerator
    options: GaussianOptions
    loss_name = "weighted negative log-likelihood"

    def __init__(self, generator: GaussianGenerator, task: ScaleTask, options: GaussianOptions) -> None:
        super().__init__(generator, task, options, frame_samples=generator.transform.bands)
        assert task.coarse is not None
        self.band = generator.analyse(task.band[None])[0] / generator.band_level
        self.coarse = generator.analyse(task.coarse[None])[0]

    def loss(self, starts: Tensor) -> Tensor:
        bands = self.model.transform.bands
        # frame k sees the samples from (k - 1) * bands to (k + 1) * bands
        first = (starts + bands - 1) // bands + 1
        frames = self.crop // bands - 2
        signs = self.random_signs()
        band = self.cut(self.band, first, frames) * signs
        coarse = self.cut(self.coarse, first, frames) * signs
        mean, log_std = self.model.predict(self._disturb(coarse))
        variance = (2 * log_std).exp()
        likelihood = 0.5 * (band - mean).square() / variance + log_std
        return (likelihood * variance.detach() ** self.options.variance_weighting).mean()

    def _disturb(self, coarse: Tensor) -> Tensor:
        """The coarser signal with the kind of errors that a generated one has."""
        batch = self.options.batch
        added = self.options.coarse_noise * self.model.coarse_level * self.rand(batch, 1, 1)
        scaled = self.options.coarse_jitter * coarse.abs() * self.rand(batch, 1, 1)
        return coarse + added * self.randn(*coarse.shape) + scaled * self.randn(*coarse.shape)
