"""Chains of effects as the page builds them: checked against what effects declare, and written as TOML."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence

from caw_studio.library import MODEL_SUFFIX, Library
from caw_toolkit import CawUsageError
from caw_toolkit.audio.formats import AUDIO_SUFFIXES
from caw_toolkit.processors.catalogue import DeclaredParameter, Effect, effects

MOST_EFFECTS = 50


@functools.cache
def known_effects() -> Mapping[str, Effect]:
    """All effects, by name."""
    return {effect.name: effect for effect in effects()}


def chain_toml(chain: object, library: Library) -> str:
    """A chain as `caw process --chain` reads it.

    Args:
        chain: a list of effects, each with `effect`, its name, and `values`, its parameters by name.
        library: files that may be named in it.

    Raises:
        CawUsageError: it is anything else.
    """
    if not isinstance(chain, Sequence) or isinstance(chain, str) or not 0 < len(chain) <= MOST_EFFECTS:
        raise CawUsageError(f"a chain has 1 to {MOST_EFFECTS} effects")
    return "\n".join(_effect_toml(effect, library) for effect in chain)


def _effect_toml(table: object, library: Library) -> str:
    name, values = (table.get("effect"), table.get("values", {})) if isinstance(table, Mapping) else (None, None)
    if not isinstance(name, str) or name not in known_effects() or not isinstance(values, Mapping):
        raise CawUsageError(f"there is no effect {str(name)[:80]!r}")
    parameters = {parameter.name: parameter for parameter in known_effects()[name].parameters}
    lines = ["[[chain]]", f"effect = {json.dumps(name)}"]
    for key, value in values.items():
        if key not in parameters:
            raise CawUsageError(f"{name} has no parameter {str(key)[:80]!r}")
        if value is not None:
            checked = plain_value(parameters[key], value, library)
            lines.append(f"{key} = {json.dumps(checked, ensure_ascii=False)}")  # TOML writes them as JSON does
    return "\n".join([*lines, ""])


def plain_value(parameter: DeclaredParameter, value: object, library: Library) -> bool | float | str:
    """The value of a parameter, as the page gives it; the name of a file if it could lead to one.

    Args:
        parameter: that it is for.
        value: anything.
        library: files that may be named.

    Raises:
        CawUsageError: it is nothing plain, or leads out of the folder.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise CawUsageError(f"{parameter.name} must be a finite number")
    if isinstance(value, (bool, int, float)):
        return value
    if not isinstance(value, str) or not value.isprintable():
        raise CawUsageError(f"{parameter.name} must be a number, a text, true or false")
    if parameter.kind == "path" or "/" in value or "\\" in value:  # whatever it is for: no path leads elsewhere
        return library.name(library.path(value, AUDIO_SUFFIXES | {MODEL_SUFFIX}))
    return value
