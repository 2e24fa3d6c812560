"""Objective `staged`: one objective for the coarse scales, which decide the piece, another for the scales above them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from caw_toolkit.errors import CawUsageError
from caw_toolkit.objectives.base import Objective, ScaleGenerator, ScaleSpec, ScaleTask, ScaleTrainer


class StagedObjective(Objective):
    """Two objectives in one.

    Args:
        lower: trains the coarsest scale, and all scales up to `split_rate`.
        upper: trains the others.
        split_rate: Hz.
    """

    def __init__(self, lower: Objective, upper: Objective, split_rate: int) -> None:
        self.lower = lower
        self.upper = upper
        self.split_rate = split_rate
        self.variation_strengths = upper.variation_strengths

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> StagedObjective:
        """Make the objective from two tables, `lower` and `upper`, each with the `name` and options of another."""
        from caw_toolkit.objectives import build_objective

        if set(options) != {"lower", "upper", "split_rate"}:
            raise CawUsageError("the staged objective takes split_rate and two tables, lower and upper, each with a name")
        tables = (dict(options["lower"]), dict(options["upper"]))
        return cls(*(build_objective(table.pop("name", ""), table) for table in tables), options["split_rate"])

    def _part(self, spec: ScaleSpec) -> Objective:
        return self.upper if spec.index and spec.rate > self.split_rate else self.lower

    def untrained_generator(self, spec: ScaleSpec) -> ScaleGenerator:
        return self._part(spec).untrained_generator(spec)

    def scale_trainer(self, task: ScaleTask) -> ScaleTrainer:
        return self._part(task.spec).scale_trainer(task)
