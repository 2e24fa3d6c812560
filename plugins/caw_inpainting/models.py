"""The models that fill gaps: one for each group, or a finished one for all."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING

from caw_toolkit import PyramidModel, make_plan
from caw_toolkit.cli.training import load_or_train
from caw_toolkit.training.estimates import estimate

if TYPE_CHECKING:
    from caw_inpainting.gaps import SampleReader
    from caw_inpainting.groups import Group
    from caw_inpainting.listing import Work


@dataclasses.dataclass(frozen=True)
class ModelSource:
    """Where models come from: a finished one, or trainings.

    Attributes:
        model_path: of a finished model for all gaps; None trains.
        minutes: to spend on all trainings for a recording together; None is the preset's for each.
        seed: of the trainings.
        device: where to compute.
        quiet: show no progress.
    """

    model_path: Path | None
    minutes: float | None
    seed: int
    device: str
    quiet: bool

    @functools.cached_property
    def finished(self) -> PyramidModel:
        """The model of the file, loaded once."""
        assert self.model_path is not None
        return PyramidModel.load(self.model_path, self.device)


@dataclasses.dataclass(frozen=True)
class Models:
    """The models that fill the gaps of a recording.

    Attributes:
        recording: what they are trained on.
        work: which gaps share one.
        source: where they come from.
    """

    recording: SampleReader
    work: Work
    source: ModelSource

    def of(self, group: Group) -> PyramidModel:
        """The finished model, or one that is trained now; of several, nothing says that they are rough."""
        if self.source.model_path is not None:
            return self.source.finished
        return load_or_train(
            group.clips(self.recording),
            None,
            sample_rate=self.recording.sample_rate,
            minutes=self._minutes_each,
            seed=self.source.seed,
            device=self.source.device,
            quiet=self.source.quiet,
            warns=len(self.work.fillable) == 1,
        )

    def expected_minutes(self) -> float:
        """How long all trainings will take, within a factor of two: the steps of one are timed."""
        if self.source.model_path is not None:
            return 0.0
        groups = self.work.fillable
        plan = make_plan(groups[0].clips(self.recording), sample_rate=self.recording.sample_rate, seed=self.source.seed)
        timed: float = estimate(dataclasses.replace(plan, minutes=None))["minutes"]
        limit = self._minutes_each or plan.minutes or timed
        seconds = [
            sum(stop - start for start, stop in group.stretches) / self.recording.sample_rate for group in groups
        ]
        return sum(min(limit, timed * each / seconds[0]) for each in seconds)

    @property
    def share_of_filling(self) -> float:
        """Of the work on a group: most of it is the training, if there is one."""
        return 0.1 if self.source.model_path is None else 1.0

    @property
    def _minutes_each(self) -> float | None:
        return None if self.source.minutes is None else self.source.minutes / len(self.work.fillable)
