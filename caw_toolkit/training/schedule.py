"""The time of a training: what is spent, how much of it each scale may take, and what the rest is likely to take."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from caw_toolkit.training.checkpoints import Checkpoint
from caw_toolkit.training.objectives.base import ScaleSpec, ScaleTrainer
from caw_toolkit.training.plan import Plan

#: Of a time budget, kept for what follows the last step as long as no step has shown how fast the machine is.
_UNKNOWN_CLOSING_SECONDS, _UNKNOWN_CLOSING_SHARE = 2.0, 0.1
#: What is kept for it at the most, lest a budget that is much too small go into it altogether.
_MOST_CLOSING_SHARE = 0.4
#: Of what follows the last step, what setting the level takes.
_LEVEL_SHARE = 0.7


@dataclass(frozen=True)
class Progress:
    """Sent after every step, when another stage begins, and at the end.

    Attributes:
        spec: the scale in training.
        step: steps of it that are done.
        fraction: share of the whole training that is done, 0 to 1.
        losses: of this step, by name; empty at the beginning of a stage.
        elapsed_seconds: since the training began, earlier runs included.
        remaining_seconds: estimate.
        stage: what is being done, in words.
    """

    spec: ScaleSpec
    step: int
    fraction: float
    losses: Mapping[str, float]
    elapsed_seconds: float
    remaining_seconds: float
    stage: str


class Schedule:
    """Keeps a training within its time budget, and knows how far it is.

    Args:
        plan: what is carried out.
        state: of the training; its `seconds` are kept up to date.
        spent_seconds: of the budget, before the training.
    """

    def __init__(self, plan: Plan, state: Checkpoint, spent_seconds: float = 0.0) -> None:
        self._plan = plan
        self._state = state
        self._spent_seconds = spent_seconds
        self._shares = plan.shares()
        self._closing_seconds: float | None = None
        self._fraction = 0.0
        self._started = self._first_step = time.monotonic()
        self._steps = 0

    def begin_scale(self, index: int) -> None:
        """Count time for a scale from now on; earlier runs' comes on top."""
        if len(self._state.seconds) == index:
            self._state.seconds.append(0.0)
        self._started = time.monotonic() - self._state.seconds[index]
        self._steps = 0

    def note_time(self) -> None:
        """Keep in the state what the scale has taken until now."""
        self._state.seconds[-1] = time.monotonic() - self._started

    def note_step(self, trainer: ScaleTrainer) -> None:
        """Learn how fast the machine is now, other work on it included: what follows the last step is as fast."""
        self.note_time()
        now = time.monotonic()
        if self._steps == 0:  # it prepares what the others use again, and is no measure
            self._first_step = now
        else:
            self._closing_seconds = trainer.closing_steps * (now - self._first_step) / self._steps
        self._steps += 1

    def progress(self, index: int, trainer: ScaleTrainer) -> float:
        """Share of a scale's training that is done, by the clock or by steps, whichever is further."""
        self.note_time()
        budget = self._scale_budget(index)
        steps = self._state.steps
        done = self._state.seconds[index] / budget if budget else steps / max(1, trainer.total_steps)
        return max(done, steps / trainer.most_steps if trainer.most_steps else 1.0)

    def _scale_budget(self, index: int) -> float | None:
        """Seconds for this scale: its share of what is left over by all that came before, and will come after."""
        if self._plan.minutes is None:
            return None
        whole = 60 * self._plan.minutes
        left = whole - self._spent_seconds - sum(self._state.seconds[:index]) - self._closing_within(whole)
        return max(1e-3, left * self._shares[index] / (sum(self._shares[index:]) or 1.0))

    def _closing_within(self, whole: float) -> float:
        if self._closing_seconds is None:
            return min(_UNKNOWN_CLOSING_SECONDS, _UNKNOWN_CLOSING_SHARE * whole)
        return min(self._closing_seconds, _MOST_CLOSING_SHARE * whole)

    def report(self, index: int, stage: str, *, progress: float, losses: Mapping[str, float] | None = None) -> Progress:
        """How far the training is.

        Args:
            index: of the scale.
            stage: what is being done.
            progress: share of the scale's steps that is done.
            losses: of the step that was done.
        """
        stepped = min(1.0, sum(self._shares[:index]) + self._shares[index] * progress)
        return self._report(index, stage, stepped, self._closing_seconds or 0.0, losses or {})

    def report_level(self, *, is_set: bool) -> Progress:
        """How far the training is when the level is all that is left, or nothing."""
        closing = 0.0 if is_set else _LEVEL_SHARE * (self._closing_seconds or 1.0)
        return self._report(len(self._shares) - 1, "setting the level", 1.0, closing, {})

    def _report(self, index: int, stage: str, stepped: float, closing: float, losses: Mapping[str, float]) -> Progress:
        elapsed = sum(self._state.seconds)
        if stepped:
            remaining = elapsed * (1 - stepped) / stepped + closing
        elif self._plan.minutes is None:
            remaining = math.inf
        else:
            remaining = max(1.0, 60 * self._plan.minutes - self._spent_seconds - elapsed)
        done = elapsed / (elapsed + remaining) if remaining else 1.0
        self._fraction = max(self._fraction, done)
        return Progress(self._plan.spec(index), self._state.steps, self._fraction, losses, elapsed, remaining, stage)
