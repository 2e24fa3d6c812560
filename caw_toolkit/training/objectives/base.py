"""The interface between the trainer and a training objective.

An objective builds the generator of each scale and trains it, one scale at a time, coarse to fine. The trainer owns
the loop, the budget, the checkpoints and the reporting; the objective owns networks, losses, optimisers and schedules.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from caw_toolkit.generators.base import ScaleGenerator, new_band

#: For plugins that add an objective.
__all__ = ["Objective", "ScaleSpec", "ScaleTask", "ScaleTrainer", "TrainedScale"]


@dataclass(frozen=True)
class ScaleSpec:
    """Place of a scale in its pyramid.

    Example:
        >>> spec = ScaleSpec(index=1, count=2, rate=16000, coarser_rate=500, channels=1)
        >>> spec.rate / spec.coarser_rate  # by how much the coarser signal is upsampled
        32.0
    """

    index: int  # 0 is the coarsest
    count: int  # number of scales
    rate: int  # Hz
    coarser_rate: int | None  # of the scale below, Hz
    channels: int  # audio channels


@dataclass(frozen=True)
class ScaleTask:
    """Everything an objective needs to train one scale.

    Attributes:
        spec: place of the scale in the pyramid.
        real: the training signal at this scale, `(channels, samples)`, on the training device.
        coarse: the real signal of the scale below, upsampled to this rate, `(channels, samples)`; None at the coarsest.
        segments: `(start, stop)` ranges of `real` that may be trained on; no window crosses their ends.
        previous: state that the previous scale's trainer left for warm starts (`ScaleTrainer.warm_start_state`).
        generate_coarse: draws the coarser signal from the generators trained so far, upsampled to this rate:
            `generate_coarse(start, stop, seed)` gives `(1, channels, stop - start)`; with `seed=None` it returns the
            paper's reconstruction of the coarser scales. None at the coarsest scale.
        seed: of every random draw of this scale's training.
        device: where to train.

    Example:
        >>> spec = ScaleSpec(index=1, count=2, rate=16000, coarser_rate=500, channels=1)
        >>> real, coarse = torch.tensor([[0.5, 0.25]]), torch.tensor([[0.25, 0.25]])
        >>> ScaleTask(spec, real, coarse, ((0, 2),), None, seed=1, device=torch.device("cpu")).band
        tensor([[0.2500, 0.0000]])
    """

    spec: ScaleSpec
    real: Tensor
    coarse: Tensor | None
    segments: tuple[tuple[int, int], ...]
    generate_coarse: Callable[[int, int, int | None], Tensor] | None
    seed: int
    device: torch.device
    previous: Mapping[str, Any] = field(default_factory=dict)

    @property
    def band(self) -> Tensor:
        """What the scale has to add to `coarse`: all of `real` at the coarsest scale, `(channels, samples)`."""
        return new_band(self.real, self.coarse)


@dataclass(frozen=True)
class TrainedScale:
    """What the training of a scale ends with.

    Attributes:
        generator: in evaluation mode.
        noise_std: standard deviation of the noise that it expects.
        reconstruction_noise: at the coarsest scale, the noise `(channels, samples)` that it maps to the real signal, on
            the CPU; None above, and where an objective has none.

    Example:
        >>> from caw_toolkit.generators.dilated import DilatedGenerator
        >>> trained = TrainedScale(DilatedGenerator(hidden_channels=4, blocks=3).eval(), noise_std=0.1)
        >>> trained.reconstruction_noise is None
        True
    """

    generator: ScaleGenerator
    noise_std: float
    reconstruction_noise: Tensor | None = None


class ScaleTrainer(ABC):
    """Training of one scale in progress.

    Example:
        >>> from caw_toolkit.generators.dilated import DilatedGenerator
        >>> class Level(ScaleTrainer):  # learns how loud the noise of a scale is
        ...     total_steps = 1
        ...
        ...     def __init__(self, task: ScaleTask) -> None:
        ...         self.task, self.noise_std = task, 1.0
        ...
        ...     def step(self, progress):
        ...         self.noise_std = float(self.task.band.std())
        ...         return {}
        ...
        ...     def finish(self):
        ...         return TrainedScale(DilatedGenerator(hidden_channels=4, blocks=3).eval(), self.noise_std)
        ...
        ...     def state_dict(self):
        ...         return {"noise_std": self.noise_std}
        ...
        ...     def load_state_dict(self, state):
        ...         self.noise_std = state["noise_std"]
        >>> real = torch.tensor([[-0.5, 0.5]])
        >>> task = ScaleTask(ScaleSpec(0, 1, 500, None, 1), real, None, ((0, 2),), None, 0, torch.device("cpu"))
        >>> trainer = Level(task)
        >>> losses = trainer.step(0.0)
        >>> round(trainer.finish().noise_std, 3)
        0.707
    """

    #: Steps after which the scale is finished when no time budget is given.
    total_steps: int

    #: Steps that no time budget makes it exceed.
    most_steps: float = math.inf

    #: Whether a step goes over the whole recording, so that its cost grows with the recording's length.
    whole_signal: bool = False

    #: What follows the last step of a training takes as long as so many: `finish`, and setting the model's level.
    closing_steps: float = 1.0

    #: Whether the scale can be used before its first step.
    usable_untrained: bool = False

    def trained_share(self, steps: int) -> float:
        """Share of the planned training that a number of steps is, from 0 to 1."""
        planned = min(self.total_steps, self.most_steps)
        return min(1.0, steps / planned) if planned else 1.0

    @abstractmethod
    def step(self, progress: float) -> dict[str, float]:
        """One update. `progress` in [0, 1) is the share of this scale's training that is done; returns the losses."""

    @abstractmethod
    def finish(self) -> TrainedScale:
        """The scale as it stands, with the moving average of the weights if there is one. Steps may follow."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Plain types and tensors from which `load_state_dict` continues, random state included."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state_dict`."""

    def start_from(self, generator: ScaleGenerator) -> bool:
        """Take over the weights of the same scale of a finished model, before the first step.

        Returns:
            Whether they fit; if not, nothing is changed.
        """
        return False

    def warm_start_state(self) -> dict[str, Any]:
        """What the next scale's trainer may start from; plain types and tensors."""
        return {}


class Objective(ABC):
    """How the generators of a pyramid are built and trained.

    Example:
        >>> from caw_toolkit.generators.dilated import DilatedGenerator
        >>> class Untrained(Objective):  # networks as they are initialised, with noise as loud as the recording
        ...     @classmethod
        ...     def from_options(cls, options):
        ...         return cls()
        ...
        ...     def scale_trainer(self, task):
        ...         return Level(task)  # the example of `ScaleTrainer`
        ...
        ...     def untrained_generator(self, spec):
        ...         return DilatedGenerator(audio_channels=spec.channels, hidden_channels=4, blocks=3)
        >>> Untrained.from_options({}).untrained_generator(ScaleSpec(0, 2, 500, None, channels=2)).architecture["type"]
        'dilated'
    """

    @classmethod
    @abstractmethod
    def from_options(cls, options: Mapping[str, Any]) -> Objective:
        """Make the objective from a preset's table; CawUsageError if an option is unknown or wrong."""

    def time_weight(self, index: int) -> float:
        """Training time that scale `index` is worth, relative to the other scales; 0 if it needs none."""
        return 1.0

    def check_rate(self, index: int, rate: int) -> None:
        """Raise CawUsageError where scale `index` cannot have a rate, Hz; any will do by default."""
        return None

    @abstractmethod
    def scale_trainer(self, task: ScaleTask) -> ScaleTrainer:
        """Start training a scale."""

    @abstractmethod
    def untrained_generator(self, spec: ScaleSpec) -> ScaleGenerator:
        """The generator that a scale would get, untrained: for sizes, receptive fields and dry runs."""
