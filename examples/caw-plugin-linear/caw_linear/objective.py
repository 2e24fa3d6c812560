"""Learning the filters, frame by frame."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from caw_toolkit import CawError, CawUsageError
from caw_toolkit.training.objectives.base import Objective, ScaleSpec, ScaleTask, ScaleTrainer, TrainedScale
from caw_toolkit.training.objectives.options import AT_LEAST_ONE, Bounds, options_from_mapping, require_within
from scipy.linalg import solve_toeplitz
from scipy.signal import lfilter

from caw_linear.generator import LinearGenerator

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LinearOptions:
    """Options of `linear`.

    Attributes:
        frame_seconds: from frame to frame; frames are twice as long.
        order: coefficients of the prediction: two for each partial that is to ring.
        ring_seconds: length of the filters' impulse responses.
        batch: frames that are learnt in a step.
    """

    frame_seconds: float = 0.064
    order: int = 24
    ring_seconds: float = 0.5
    batch: int = 4

    def __post_init__(self) -> None:
        # With longer ones the generator would reach further than the context that stretches are rendered with.
        seconds = {"frame_seconds": Bounds(least=0.001, most=0.5), "ring_seconds": Bounds(least=0.001, most=2)}
        require_within(self, {**seconds, "order": AT_LEAST_ONE, "batch": AT_LEAST_ONE})


class LinearObjective(Objective):
    """Linear prediction of the coarsest scale."""

    def __init__(self, options: LinearOptions) -> None:
        self.options = options

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> LinearObjective:
        return cls(options_from_mapping(LinearOptions, options, objective="linear"))

    def untrained_generator(self, spec: ScaleSpec) -> LinearGenerator:
        return self._generator(spec, frames=1)

    def scale_trainer(self, task: ScaleTask) -> LinearTrainer:
        frames = math.floor(task.real.shape[1] / self._hop(task.spec.rate)) - 1
        if frames < 1:
            raise CawError(f"the recording is too short for a frame of {2 * self.options.frame_seconds:g} s")
        return LinearTrainer(self._generator(task.spec, frames).to(task.device), task, self.options)

    def _generator(self, spec: ScaleSpec, frames: int) -> LinearGenerator:
        if spec.index:
            raise CawUsageError("objective 'linear' makes the coarsest scale only: use it as the first in 'staged'")
        taps = round(self.options.ring_seconds * spec.rate)
        return LinearGenerator(audio_channels=spec.channels, frames=frames, hop=self._hop(spec.rate), taps=taps)

    def _hop(self, rate: int) -> int:
        return max(1, round(self.options.frame_seconds * rate))


class LinearTrainer(ScaleTrainer):
    """Each step learns the filters of some frames."""

    def __init__(self, generator: LinearGenerator, task: ScaleTask, options: LinearOptions) -> None:
        self._generator = generator
        self._signal = task.real.cpu().double().numpy()
        self._options = options
        self.total_steps = math.ceil(len(generator.responses) / options.batch)
        self.most_steps = self.total_steps  # nothing is left to learn after them

    def step(self, progress: float) -> dict[str, float]:
        generator, first = self._generator, int(self._generator.learnt)
        errors = []
        for frame in range(first, min(first + self._options.batch, len(generator.responses))):
            stretch = self._signal[:, frame * generator.hop :][:, : 2 * generator.hop]
            for channel, samples in enumerate(stretch):
                response, error = synthesis_filter(samples, self._options.order, generator.taps)
                generator.responses[frame, channel] = torch.from_numpy(response)
                errors.append(error)
            generator.learnt += 1
        return {"prediction error": float(np.mean(errors)) if errors else 0.0}

    def finish(self) -> TrainedScale:
        if not self._generator.learnt:  # no time was left for a single step
            self.step(0.0)
        return TrainedScale(self._generator, noise_std=1.0)

    def state_dict(self) -> dict[str, Any]:
        return {name: tensor.cpu().clone() for name, tensor in self._generator.state_dict().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._generator.load_state_dict(state)


def synthesis_filter(samples: Samples, order: int, taps: int) -> tuple[Samples, float]:
    """The filter that leads from white noise of unit variance to a sound, by the autocorrelation method.

    Args:
        samples: of one frame, `(samples,)`.
        order: coefficients of the prediction.
        taps: length of the impulse response.

    Returns:
        The impulse response, faded out, `(taps,)`; and the share of the power that cannot be predicted.
    """
    windowed = samples * np.hanning(len(samples) + 2)[1:-1]
    correlation = np.correlate(windowed, windowed, "full")[len(samples) - 1 :][: order + 1]
    correlation = np.pad(correlation, (0, order + 1 - len(correlation)))
    power = float(np.mean(samples**2))
    if power == 0:
        return np.zeros(taps), 0.0
    # A little white noise beside the sound keeps the equations of a pure tone solvable.
    correlation[0] *= 1 + 1e-6
    prediction = solve_toeplitz(correlation[:-1], correlation[1:])
    unpredicted = float(max(0.0, 1 - prediction @ correlation[1:] / correlation[0]))
    impulse = np.zeros(taps)
    impulse[0] = math.sqrt(unpredicted * power)
    response = lfilter([1.0], np.concatenate([[1.0], -prediction]), impulse)
    return response * np.cos(np.linspace(0, np.pi / 2, taps, endpoint=False)) ** 2, unpredicted
