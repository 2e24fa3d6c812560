"""Training objectives, by the name that a preset selects them with."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from caw_toolkit.errors import CawUsageError, did_you_mean
from caw_toolkit.training.objectives.base import Objective

OBJECTIVES = {
    "adversarial": "caw_toolkit.training.objectives.adversarial:AdversarialObjective",
    "conditional_gaussian": "caw_toolkit.training.objectives.conditional_gaussian:ConditionalGaussianObjective",
    "exemplar": "caw_toolkit.training.objectives.exemplar:ExemplarObjective",
    "exemplar_or_gaussian": "caw_toolkit.training.objectives.exemplar_or_gaussian:ExemplarOrGaussianObjective",
    "flow_matching": "caw_toolkit.training.objectives.flow_matching:FlowMatchingObjective",
    "staged": "caw_toolkit.training.objectives.staged:StagedObjective",
}


def build_objective(name: str, options: Mapping[str, Any]) -> Objective:
    """The objective of a name with its options.

    Raises:
        CawUsageError: if the name or an option is unknown.
    """
    if name not in OBJECTIVES:
        raise CawUsageError(f"unknown objective {name!r}: {did_you_mean(name, OBJECTIVES)}")
    module, attribute = OBJECTIVES[name].split(":")
    objective: Objective = getattr(importlib.import_module(module), attribute).from_options(options)
    return objective
