"""What earlier versions called things that presets, model files and checkpoints hold: all of it stays readable."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from caw_toolkit.errors import CawUsageError

Names = Mapping[str, str]  # present names by former ones

_REGRESSION = {"passes": "epochs", "averaging": "ema_decay"}
_EXEMPLAR = {"continuity": "concatenation_cost", "variety": "selection_noise"}

#: Options in presets, by objective.
OPTIONS: Mapping[str, Names] = MappingProxyType(
    {
        "conditional_gaussian": _REGRESSION,
        "exemplar": _EXEMPLAR,
        "exemplar_or_gaussian": {**_REGRESSION, **_EXEMPLAR},
        "flow_matching": _REGRESSION,
    }
)
#: Keys of a preset's `[generation]`, and of model files.
GENERATION: Names = MappingProxyType({"own_noise": "inverted_noise"})
#: Arguments of generators in model files.
ARCHITECTURE: Names = MappingProxyType({**_EXEMPLAR, "fold": "frame_samples"})


def present(table: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """A table with the names that are in use now.

    >>> present({"passes": 400, "batch": 8}, OPTIONS["flow_matching"])
    {'epochs': 400, 'batch': 8}

    Raises:
        CawUsageError: if something is given under both of its names.
    """
    for former, now in names.items():
        if former in table and now in table:
            raise CawUsageError(f"{former} is called {now} now: give one of them, not both")
    return {names.get(name, name): value for name, value in table.items()}


def former_options(objective: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """An objective's options by the names that they had first: what digests of settings are made of.

    >>> former_options("staged", {"stages": [{"name": "exemplar", "selection_noise": 0.1}]})
    {'stages': [{'name': 'exemplar', 'variety': 0.1}]}
    """
    if objective == "staged":
        stages = [former_options(stage.get("name", ""), stage) for stage in options.get("stages", ())]
        return {**options, "stages": stages}
    return former(options, OPTIONS.get(objective, {}))


def former(table: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """The inverse of `present`."""
    first = {now: name for name, now in names.items()}
    return {first.get(name, name): value for name, value in table.items()}
