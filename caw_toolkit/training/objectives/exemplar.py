"""Objective `exemplar`: hold the recording and look its material up (`generators.exemplar`). No training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.generators.exemplar import ExemplarGenerator
from caw_toolkit.training.objectives.base import Objective, ScaleSpec, ScaleTask, ScaleTrainer, TrainedScale
from caw_toolkit.training.objectives.options import Bounds, options_from_mapping, require_within

#: Largest shift of a candidate when it is brought in phase, in samples of the coarser signal.
SHIFT = 6
#: Rates that are taken where another is out of the question, Hz, and how many times the hop may be what is asked for.
USUAL_RATES = (4000, 8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000, 192000)
MOST_DEVIATION = 4.0


@dataclass(frozen=True)
class ExemplarOptions:
    """Options of `exemplar`.

    Attributes:
        hop_seconds: from frame to frame, at the nearest that divides a second; segments are twice as long.
        candidates: segments that are compared in phase for each frame.
        concatenation_cost: of leaving the segment of the recording that is playing, beside similarity from -1 to 1. The
            higher, the smoother, and the longer the runs that are copied.
        selection_noise: weight of the noise in the selection of segments.
        short_segment_cost: of leaving a segment within its first hops, beside `concatenation_cost`: fewer joins, and
            hardly longer runs.
    """

    hop_seconds: float = 0.032
    candidates: int = 24
    concatenation_cost: float = 0.1
    selection_noise: float = 0.03
    short_segment_cost: float = 0.0

    def __post_init__(self) -> None:
        require_within(self, {"hop_seconds": Bounds(least=0.005, most=1), "candidates": Bounds(least=1, most=1000)})


class ExemplarObjective(Objective):
    """Exemplars at every scale but the coarsest."""

    def __init__(self, options: ExemplarOptions | None = None) -> None:
        self.options = options or ExemplarOptions()

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> ExemplarObjective:
        return cls(options_from_mapping(ExemplarOptions, options, objective="exemplar"))

    def time_weight(self, index: int) -> float:
        return 0.0

    def check_rate(self, index: int, rate: int) -> None:
        """Refuse rates of which hardly a number is a divisor: frames would be far too short, or too long."""
        wanted = self.options.hop_seconds
        if not 1 / MOST_DEVIATION <= hop_samples(rate, wanted) / rate / wanted <= MOST_DEVIATION:
            near = min(USUAL_RATES, key=lambda usual: abs(math.log(usual / rate)))
            raise CawUsageError(
                f"a scale of {rate} Hz cannot be divided into frames of about {wanted:g} s: take a usual rate, "
                f"such as {near} Hz (caw train --sample-rate {near})"
            )

    def untrained_generator(self, spec: ScaleSpec) -> ExemplarGenerator:
        return self._generator(spec, samples=1)

    def scale_trainer(self, task: ScaleTask) -> ScaleTrainer:
        return ExemplarTrainer(self.holding(task))

    def holding(self, task: ScaleTask) -> ExemplarGenerator:
        """A generator that holds the recording."""
        if task.coarse is None:
            raise CawUsageError("objective 'exemplar' cannot train the coarsest scale: use it in 'staged'")
        generator = self._generator(task.spec, samples=task.real.shape[1]).to(task.device)
        if max(stop - start for start, stop in task.segments) < 4 * generator.hop:
            raise CawError(f"the recording is too short for the scale of {task.spec.rate} Hz")
        generator.hold(task.real, task.coarse, task.segments)
        return generator

    def _generator(self, spec: ScaleSpec, samples: int) -> ExemplarGenerator:
        ratio = spec.rate / (spec.coarser_rate or spec.rate)
        return ExemplarGenerator(
            audio_channels=spec.channels,
            samples=samples,
            hop=hop_samples(spec.rate, self.options.hop_seconds),
            ratio=math.ceil(ratio),
            shift=round(SHIFT * ratio),
            candidates=self.options.candidates,
            concatenation_cost=self.options.concatenation_cost,
            selection_noise=self.options.selection_noise,
            short_segment_cost=self.options.short_segment_cost,
        )


def hop_samples(rate: int, seconds: float) -> int:
    """The hop nearest to `seconds` of which a whole number makes a second, so that blocks of audio share their frames.

    >>> hop_samples(44100, 0.032)
    1470
    """
    hops = [rate // count for count in range(1, rate) if rate % count == 0]
    return min(hops, key=lambda hop: abs(hop / rate - seconds))


class ExemplarTrainer(ScaleTrainer):
    """Nothing to train."""

    total_steps = 0
    most_steps = 0
    usable_untrained = True

    def __init__(self, generator: ExemplarGenerator) -> None:
        self._generator = generator

    def step(self, progress: float) -> dict[str, float]:
        return {}

    def finish(self) -> TrainedScale:
        return TrainedScale(self._generator, noise_std=1.0)

    def start_from(self, generator: ScaleGenerator) -> bool:
        return isinstance(generator, ExemplarGenerator)  # the recording is held anew

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        return None
