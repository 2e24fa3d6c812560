"""Objective `exemplar_or_gaussian`: hold the recording, learn to predict (`generators.band_extension`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from caw_toolkit.generators.band_extension.generator import BandExtensionGenerator
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.generators.exemplar import ExemplarGenerator
from caw_toolkit.generators.limits import MOST_EXTENDED_BANDS
from caw_toolkit.training.objectives.base import Objective, ScaleSpec, ScaleTask, ScaleTrainer, TrainedScale
from caw_toolkit.training.objectives.conditional_gaussian import ConditionalGaussianObjective, GaussianTrainer
from caw_toolkit.training.objectives.exemplar import ExemplarObjective, ExemplarOptions


class BandExtensionObjective(Objective):
    """Both at every scale but the coarsest.

    Args:
        exemplar: holds the recording.
        gaussian: learns to predict.
    """

    def __init__(self, exemplar: ExemplarObjective, gaussian: ConditionalGaussianObjective) -> None:
        self.exemplar = exemplar
        self.gaussian = gaussian

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> BandExtensionObjective:
        """Make the objective from the options of both, which have no name in common."""
        of_exemplar = {option.name for option in fields(ExemplarOptions)}
        gaussian = ConditionalGaussianObjective.from_options(
            {name: options[name] for name in options if name not in of_exemplar}
        )
        return cls(
            ExemplarObjective.from_options({name: options[name] for name in options if name in of_exemplar}),
            ConditionalGaussianObjective(gaussian.options, MOST_EXTENDED_BANDS),
        )

    def check_rate(self, index: int, rate: int) -> None:
        self.exemplar.check_rate(index, rate)

    def untrained_generator(self, spec: ScaleSpec) -> BandExtensionGenerator:
        return BandExtensionGenerator(self.exemplar.untrained_generator(spec), self.gaussian.untrained_generator(spec))

    def scale_trainer(self, task: ScaleTask) -> ScaleTrainer:
        return BandExtensionTrainer(self.exemplar.holding(task), self.gaussian.scale_trainer(task))


class BandExtensionTrainer(ScaleTrainer):
    """Training of the Gaussian; there is nothing to train in exemplars."""

    usable_untrained = True

    def __init__(self, exemplar: ExemplarGenerator, gaussian: GaussianTrainer) -> None:
        self._exemplar = exemplar
        self._gaussian = gaussian
        self.total_steps = gaussian.total_steps
        self.most_steps = gaussian.most_steps

    def step(self, progress: float) -> dict[str, float]:
        return self._gaussian.step(progress)

    def finish(self) -> TrainedScale:
        trained = self._gaussian.finish()
        share = self._gaussian.trained_share(self._gaussian.steps_done)
        generator = BandExtensionGenerator(self._exemplar, self._gaussian.ema, share)
        return TrainedScale(generator, trained.noise_std)

    def start_from(self, generator: ScaleGenerator) -> bool:
        return isinstance(generator, BandExtensionGenerator) and self._gaussian.start_from(generator.gaussian)

    def state_dict(self) -> dict[str, Any]:
        return self._gaussian.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._gaussian.load_state_dict(state)
