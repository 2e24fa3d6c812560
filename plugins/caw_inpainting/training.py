"""The models that fill gaps: one for each group, or a finished one for all."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from caw_toolkit import make_plan
from caw_toolkit.cli.progress import load_or_train
from caw_toolkit.training.estimates import estimate

if TYPE_CHECKING:
    from caw_inpainting.gaps import Recording
    from caw_inpainting.groups import Group
    from caw_inpainting.listing import Work
    from caw_toolkit import PyramidModel


@dataclasses.dataclass(frozen=True)
class Models:
    """The models that fill the gaps of a recording.

    Attributes:
        recording: what they are trained on.
        work: which gaps share one.
        model_path: of a finished model for all; None trains.
        minutes: to spend on all trainings together; None is the preset's for each.
        seed: of the trainings.
        device: where to compute.
        quiet: show no progress.
    """

    recording: Recording
    work: Work
    model_path: Path | None
    minutes: float | None
    seed: int
    device: str
    quiet: bool

    def of(self, group: Group) -> PyramidModel:
        """The finished model, or one that is trained now."""
        return load_or_train(
            [] if self.model_path else group.clips(self.recording),
            self.model_path,
            sample_rate=self.recording.sample_rate,
            minutes=self._minutes_each,
            seed=self.seed,
            device=self.device,
            quiet=self.quiet,
        )

    def expected_minutes(self) -> float:
        """How long all trainings will take, within a factor of two: the steps of one are timed."""
        if self.model_path is not None:
            return 0.0
        groups = self.work.fillable
        plan = make_plan(groups[0].clips(self.recording), sample_rate=self.recording.sample_rate, seed=self.seed)
        timed: float = estimate(dataclasses.replace(plan, minutes=None))["minutes"]
        limit = self._minutes_each or plan.minutes or timed
        seconds = [
            sum(stop - start for start, stop in group.stretches) / self.recording.sample_rate for group in groups
        ]
        return sum(min(limit, timed * each / seconds[0]) for each in seconds)

    @property
    def share_of_filling(self) -> float:
        """Of the work on a group: most of it is the training, if there is one."""
        return 0.1 if self.model_path is None else 1.0

    @property
    def _minutes_each(self) -> float | None:
        return None if self.minutes is None else self.minutes / len(self.work.fillable)
