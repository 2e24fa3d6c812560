"""What the objectives without an adversary share: random crops, AdamW, a decaying rate, averaged weights."""

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.objectives.base import ScaleGenerator, ScaleTask, ScaleTrainer


@dataclass(frozen=True)
class RegressionOptions:
    """Options that the regression objectives share.

    Attributes:
        steps: of a scale when no time budget is given.
        passes: most passes over the recording, however long the time budget: beyond them, what is learnt is to copy.
        widths: channels of the network's levels.
        batch: crops a step.
        crop_frames: frames of the network in a crop.
        learning_rate: held for the first half, then lowered linearly to a fiftieth.
        averaging: decay of the running average of the weights that is used for generation.
    """

    steps: int = 1500
    passes: int = 3000
    widths: tuple[int, ...] = (64, 128, 256)
    batch: int = 16
    crop_frames: int = 1024
    learning_rate: float = 2e-3
    averaging: float = 0.999

    def __post_init__(self) -> None:
        for name in ("steps", "passes", "batch", "crop_frames", "learning_rate"):
            if not getattr(self, name) > 0:
                raise CawUsageError(f"{name} must be above 0, not {getattr(self, name)}")
        if min(self.widths) < 1:
            raise CawUsageError(f"widths must be above 0, not {list(self.widths)}")
        if not 0 <= self.averaging < 1:
            raise CawUsageError(f"averaging must be from 0 to below 1, not {self.averaging}")


def frame_samples(rate: int, seconds: float) -> int:
    """Samples in a frame of about `seconds`: a power of two.

    >>> frame_samples(16000, 0.004)
    64
    """
    return int(2 ** max(1, round(math.log2(rate * seconds))))


class RegressionTrainer(ScaleTrainer):
    """One scale's training by gradient descent on crops; subclasses give the generator and the loss.

    Args:
        generator: to be trained, its levels fitted.
        task: what to train on.
        options: of the objective.
        granule: samples in a frame of the network.
    """

    noise_std = 1.0

    def __init__(self, generator: ScaleGenerator, task: ScaleTask, options: RegressionOptions, granule: int) -> None:
        self.task = task
        self.options = options
        self.granule = granule
        self.total_steps = options.steps
        self.model = generator.to(task.device).train()
        self.average = copy.deepcopy(generator).eval().requires_grad_(False)
        self.steps_done = 0
        self.random = np.random.default_rng(task.seed)
        self.torch_random = torch.Generator().manual_seed(task.seed)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=options.learning_rate, betas=(0.9, 0.99), weight_decay=1e-3, fused=True
        )
        self.ranges = self._crop_ranges(task)
        recorded = sum(stop - start for start, stop in self.ranges)
        self.most_steps = math.ceil(options.passes * recorded / (options.batch * self.crop))

    @abstractmethod
    def loss(self, starts: list[int], crop: int) -> tuple[Tensor, dict[str, float]]:
        """Loss over crops of the training signal, and figures to report.

        Args:
            starts: first sample of each crop.
            crop: samples in a crop.
        """

    def _crop_ranges(self, task: ScaleTask) -> list[tuple[int, int]]:
        """Segments long enough to be cropped; if crops are longer than the longest segment, they are shortened."""
        longest = max(stop - start for start, stop in task.segments)
        unit = self.granule * 16
        self.crop = min(self.options.crop_frames * self.granule, longest // unit * unit)
        if self.crop < unit:
            raise CawError(f"the recording is too short to train the scale of {task.spec.rate} Hz on")
        return [(start, stop) for start, stop in task.segments if stop - start >= self.crop]

    def _draw_starts(self) -> list[int]:
        """Starts of a batch of crops, uniform over all places of all segments."""
        places = np.cumsum([stop - start - self.crop + 1 for start, stop in self.ranges])
        draws = self.random.integers(0, places[-1], self.options.batch)
        which = np.searchsorted(places, draws, side="right")
        return [
            self.ranges[k][0] + int(place - (places[k - 1] if k else 0)) for k, place in zip(which, draws, strict=True)
        ]

    def randn(self, *shape: int) -> Tensor:
        """Seeded standard normal noise on the training device."""
        return torch.randn(*shape, generator=self.torch_random).to(self.task.device)

    def rand(self, *shape: int) -> Tensor:
        """Seeded uniform noise in [0, 1) on the training device."""
        return torch.rand(*shape, generator=self.torch_random).to(self.task.device)

    def random_signs(self) -> Tensor:
        """+1 or -1 for each crop: the sign of a waveform carries no meaning."""
        return (self.rand(self.options.batch, 1, 1) < 0.5).float() * 2 - 1

    def step(self, progress: float) -> dict[str, float]:
        decay = 1.0 if progress < 0.5 else max(0.02, 2 * (1 - progress))
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.learning_rate * decay * min(1.0, (self.steps_done + 1) / 50)
        loss, figures = self.loss(self._draw_starts(), self.crop)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.steps_done += 1
        weight = min(self.options.averaging, (1 + self.steps_done) / (10 + self.steps_done))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - weight)
        return figures

    def generator(self) -> ScaleGenerator:
        return self.average

    def state_dict(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "steps_done": self.steps_done,
            "random": _portable(self.random.bit_generator.state),
            "torch_random": self.torch_random.get_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.steps_done = state["steps_done"]
        self.random.bit_generator.state = _from_portable(state["random"])
        self.torch_random.set_state(state["torch_random"])


def _portable(state: Any) -> Any:
    """Numpy's random state with its 128-bit integers as text."""
    if isinstance(state, Mapping):
        return {key: _portable(value) for key, value in state.items()}
    return f"int:{state}" if isinstance(state, int) else state


def _from_portable(state: Any) -> Any:
    if isinstance(state, Mapping):
        return {key: _from_portable(value) for key, value in state.items()}
    return int(state[4:]) if isinstance(state, str) and state.startswith("int:") else state
