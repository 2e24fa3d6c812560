"""What the objectives without an adversary share: random crops, AdamW, a decaying rate, a moving average."""

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
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.seeds import derived_seed
from caw_toolkit.training.adamw import AdamW
from caw_toolkit.training.cuda_graph import CudaGraph
from caw_toolkit.training.objectives.base import ScaleTask, ScaleTrainer, TrainedScale
from caw_toolkit.training.objectives.options import POSITIVE, REASONABLE_COUNT, Bounds, require_within

#: On a GPU the loss is read after so many steps: until then it may run behind.
REPORT_INTERVAL = 10
#: Of the network; model files may have no more.
MOST_LEVELS = 10
#: Bounds of the length of a frame.
FRAME_SECONDS = Bounds(above=0, most=0.3)
#: Crops are multiples of so many frames.
CROP_UNIT_FRAMES = 16
#: Decays of AdamW's averages of gradients and of their squares.
BETAS = (0.9, 0.99)
#: Weight decay of AdamW.
WEIGHT_DECAY = 1e-3
#: Steps over which the learning rate rises at first.
WARM_UP_STEPS = 50
#: Share of the learning rate that it falls to.
LEAST_RATE = 0.02


@dataclass(frozen=True)
class RegressionOptions:
    """Options that the regression objectives share.

    Attributes:
        steps: of a scale when no time budget is given.
        epochs: most passes over the recording, however long the time budget: beyond them, what is learnt is to copy.
        widths: channels of the network's levels.
        kernel_size: taps of the network's convolutions, odd.
        batch: crops a step.
        crop_frames: frames of the network in a crop.
        learning_rate: of AdamW.
        decay_after: share of a scale's training after which the rate is lowered, linearly to a fiftieth.
        ema_decay: decay of the running average of the weights that is used for generation.
    """

    steps: int = 1500
    epochs: int = 3000
    widths: tuple[int, ...] = (64, 128, 256)
    kernel_size: int = 5
    batch: int = 16
    crop_frames: int = 1024
    learning_rate: float = 2e-3
    decay_after: float = 0.5
    ema_decay: float = 0.999

    def __post_init__(self) -> None:
        positive = ("steps", "epochs", "crop_frames", "learning_rate")
        require_within(self, {**dict.fromkeys(positive, POSITIVE), "ema_decay": Bounds(least=0, below=1)})
        require_within(self, dict.fromkeys(("widths", "batch"), REASONABLE_COUNT))
        require_within(self, {"decay_after": Bounds(least=0, below=1), "kernel_size": Bounds(least=1, most=99)})
        if len(self.widths) > MOST_LEVELS:
            raise CawUsageError(f"widths may be up to {MOST_LEVELS}, not {len(self.widths)}")
        if self.kernel_size % 2 == 0:
            raise CawUsageError(f"kernel_size must be odd, not {self.kernel_size}")


def samples_of_frame(rate: int, seconds: float, most: int) -> int:
    """Samples in a frame of about `seconds`: a power of two.

    Args:
        rate: of the scale, Hz.
        seconds: `frame_seconds` of a preset.
        most: samples that the generator can have in a frame.

    Raises:
        CawUsageError: they would be more.

    >>> samples_of_frame(16000, 0.004, most=4096)
    64
    """
    samples = int(2 ** max(1, round(math.log2(max(rate * seconds, 1)))))
    if samples > most:
        raise CawUsageError(
            f"frame_seconds of {seconds:g} is {samples} samples at {rate} Hz, and a frame may have {most}: "
            f"use {most / rate:.2g} at the most"
        )
    return samples


class RegressionTrainer(ScaleTrainer):
    """One scale's training by gradient descent on crops; subclasses give the generator and the loss.

    Args:
        generator: to be trained, its levels fitted.
        task: what to train on.
        options: of the objective.
        frame_samples: samples in a frame of the network.
    """

    noise_std = 1.0
    loss_name: str
    closing_steps = 20.0  # measured: 7 to 20, for setting the level with three and four scales

    def __init__(
        self, generator: ScaleGenerator, task: ScaleTask, options: RegressionOptions, frame_samples: int
    ) -> None:
        self.task = task
        self.options = options
        self.frame_samples = frame_samples
        self.total_steps = options.steps
        self.model = generator.to(task.device).train()
        self.ema = copy.deepcopy(generator).eval().requires_grad_(False)
        self.steps_done = 0
        self.random = np.random.default_rng(task.seed)
        self.torch_random = torch.Generator(task.device).manual_seed(task.seed)
        self.optimiser = AdamW(
            self.model.parameters(),
            learning_rate=options.learning_rate,
            betas=BETAS,
            weight_decay=WEIGHT_DECAY,
            fused=True,
        )
        self.crop = self._crop_samples(task)
        self.ranges = [(start, stop) for start, stop in task.segments if stop - start >= self.crop]
        recorded = sum(stop - start for start, stop in self.ranges)
        self.most_steps = math.ceil(options.epochs * recorded / (options.batch * self.crop))
        self.graph: CudaGraph | None = None
        self.reported = math.nan

    @abstractmethod
    def loss(self, starts: Tensor) -> Tensor:
        """Loss over crops of the training signal.

        Args:
            starts: first sample of each crop, `(batch,)`, on the training device.
        """

    def _crop_samples(self, task: ScaleTask) -> int:
        """Samples in a crop; if there are more in it than in the longest segment, it is shortened."""
        longest = max(stop - start for start, stop in task.segments)
        unit = self.frame_samples * CROP_UNIT_FRAMES
        crop = min(self.options.crop_frames * self.frame_samples, longest // unit * unit)
        if crop < unit:
            raise CawError(f"the recording is too short to train the scale of {task.spec.rate} Hz on")
        return crop

    def _draw_starts(self) -> Tensor:
        """Starts of a batch of crops, uniform over all places of all segments."""
        places = np.cumsum([stop - start - self.crop + 1 for start, stop in self.ranges])
        draws = self.random.integers(0, places[-1], self.options.batch)
        which = np.searchsorted(places, draws, side="right")
        firsts = np.array([start for start, _ in self.ranges])
        return torch.from_numpy(firsts[which] + draws - np.concatenate([[0], places])[which])

    def cut(self, signal: Tensor, starts: Tensor, length: int) -> Tensor:
        """Stretches of a signal: `(channels, samples)`, `(batch,)` -> `(batch, channels, length)`."""
        places = starts[:, None] + torch.arange(length, device=starts.device)
        return signal[:, places].transpose(0, 1)

    def randn(self, *shape: int) -> Tensor:
        """Seeded standard normal noise on the training device."""
        return torch.randn(*shape, generator=self.torch_random, device=self.task.device)

    def rand(self, *shape: int) -> Tensor:
        """Seeded uniform noise in [0, 1) on the training device."""
        return torch.rand(*shape, generator=self.torch_random, device=self.task.device)

    def random_signs(self) -> Tensor:
        """+1 or -1 for each crop: the sign of a waveform carries no meaning."""
        return (self.rand(self.options.batch, 1, 1) < 0.5).float() * 2 - 1

    def step(self, progress: float) -> dict[str, float]:
        self._set_learning_rate(progress)
        loss = self._gradients(self._draw_starts())
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self._update_ema()
        if self.steps_done % REPORT_INTERVAL == 0 or self.task.device.type == "cpu" or math.isnan(self.reported):
            self.reported = loss.item()
        self.steps_done += 1
        return {self.loss_name: self.reported}

    def _set_learning_rate(self, progress: float) -> None:
        decay = max(LEAST_RATE, min(1.0, (1 - progress) / (1 - self.options.decay_after)))
        rise = min(1.0, (self.steps_done + 1) / WARM_UP_STEPS)
        self.optimiser.learning_rate = self.options.learning_rate * decay * rise

    def _gradients(self, starts: Tensor) -> Tensor:
        """Leave the gradients in the parameters; returns the loss."""
        if self.task.device.type != "cuda":
            return self._backward(starts.to(self.task.device))
        if self.graph is None:
            self.graph = CudaGraph(self._backward, starts, self.torch_random)
        return self.graph(starts)

    def _backward(self, starts: Tensor) -> Tensor:
        self.optimiser.zero_grad()
        loss = self.loss(starts)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    @torch.no_grad()
    def _update_ema(self) -> None:
        # A short average at first: the weights that it begins with are of no use.
        weight = min(self.options.ema_decay, (2 + self.steps_done) / (11 + self.steps_done))
        torch._foreach_lerp_(list(self.ema.parameters()), list(self.model.parameters()), 1 - weight)

    def finish(self) -> TrainedScale:
        return TrainedScale(self.ema, self.noise_std)

    @torch.no_grad()
    def start_from(self, generator: ScaleGenerator) -> bool:
        if generator.architecture != self.model.architecture:
            return False
        for network in (self.model, self.ema):
            # Only what was learnt: the levels are those of this recording.
            for name, weights in generator.named_parameters():
                network.get_parameter(name).copy_(weights)
        return True

    def state_dict(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "average": self.ema.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "steps_done": self.steps_done,
            "random": _portable(self.random.bit_generator.state),
            "torch_random": self.torch_random.get_state(),
            "device": self.task.device.type,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.steps_done = state["steps_done"]
        self.random.bit_generator.state = _from_portable(state["random"])
        if state.get("device", "cpu") == self.task.device.type:
            self.torch_random.set_state(state["torch_random"])
        else:
            self.torch_random.manual_seed(derived_seed(self.task.seed, "resumed", self.steps_done))


def _portable(state: Any) -> Any:
    """Numpy's random state with its 128-bit integers as text."""
    if isinstance(state, Mapping):
        return {key: _portable(value) for key, value in state.items()}
    return f"int:{state}" if isinstance(state, int) else state


def _from_portable(state: Any) -> Any:
    if isinstance(state, Mapping):
        return {key: _from_portable(value) for key, value in state.items()}
    return int(state[4:]) if isinstance(state, str) and state.startswith("int:") else state
