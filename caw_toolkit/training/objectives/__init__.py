"""Training objectives: how the generators of a pyramid are built and trained. `base` is their interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from caw_toolkit import former_names
from caw_toolkit.errors import CawUsageError, did_you_mean
from caw_toolkit.parts import find_part, part_names
from caw_toolkit.training.objectives.base import Objective


def build_objective(name: str, options: Mapping[str, Any]) -> Objective:
    """The objective of a name, the engine's own or a plugin's, with its options.

    Raises:
        CawUsageError: if the name or an option is unknown.
        CawError: if the plugin that registered it is broken.
    """
    part = find_part("objective", name)
    if part is None:
        raise CawUsageError(f"unknown objective {name!r}: {did_you_mean(name, part_names('objective'))}")
    named = former_names.present(options, former_names.OPTIONS.get(name, {}))
    objective: Objective = part.load().from_options(named)
    return objective
