"""Objective `staged`: different objectives for different scales, since the coarse ones decide the piece."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from caw_toolkit.errors import CawUsageError
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.training.objectives.base import Objective, ScaleSpec, ScaleTask, ScaleTrainer


class StagedObjective(Objective):
    """Several objectives in one.

    Args:
        stages: of the scales, coarsest first; the last is used for all scales that are left.
    """

    def __init__(self, stages: Sequence[Objective]) -> None:
        self.stages = stages

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> StagedObjective:
        """Make the objective from `stages`, a list of tables, each with the `name` and the options of an objective."""
        from caw_toolkit.training.objectives import build_objective

        for name in set(options) - {"stages"}:
            raise CawUsageError(
                f"the staged objective takes 'stages', whose tables hold all options: it has no option {name!r}"
            )
        stages = options.get("stages", ())
        if not _is_list_of_named_tables(stages):
            raise CawUsageError("the staged objective takes 'stages', a list of tables, each with a name and options")
        return cls([build_objective(stage["name"], _without_name(stage)) for stage in stages])

    def _stage(self, index: int) -> Objective:
        return self.stages[min(index, len(self.stages) - 1)]

    def time_weight(self, index: int) -> float:
        return self._stage(index).time_weight(index)

    def check_rate(self, index: int, rate: int) -> None:
        self._stage(index).check_rate(index, rate)

    def untrained_generator(self, spec: ScaleSpec) -> ScaleGenerator:
        return self._stage(spec.index).untrained_generator(spec)

    def scale_trainer(self, task: ScaleTask) -> ScaleTrainer:
        return self._stage(task.spec.index).scale_trainer(task)


def _is_list_of_named_tables(value: object) -> bool:
    if not isinstance(value, Sequence) or not value:
        return False
    return all(isinstance(item, Mapping) and isinstance(item.get("name"), str) for item in value)


def _without_name(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != "name"}
