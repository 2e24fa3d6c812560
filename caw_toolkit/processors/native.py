"""The effects that pedalboard brings: their names, parameters and defaults, and making one from plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pedalboard

from caw_toolkit.errors import CawUsageError, did_you_mean, one_line

#: Classes that are no effects by themselves.
_ABSTRACT = frozenset({"Chain", "ExternalPlugin", "IIRFilter", "Mix", "Pedalboard", "Plugin", "PluginContainer"})

_PARAMETER = re.compile(r"(?P<name>\w+): (?P<type>[\w.]+(?:\[[^=]*\])?)(?: = (?P<default><[^>]*>|[^,]+))?")


@dataclass(frozen=True)
class NativeParameter:
    """A parameter of a native effect, as pedalboard describes it.

    Attributes:
        name: keyword.
        default: its text, or None if the parameter must be given.
        choices: members by name, if it is one of several.
    """

    name: str
    default: str | None
    choices: Mapping[str, Any]


def native_effects() -> dict[str, type[Any]]:
    """Classes of all native effects, by name."""
    return {
        name: value
        for name, value in vars(pedalboard).items()
        if isinstance(value, type)
        and issubclass(value, pedalboard.Plugin)
        and name not in _ABSTRACT
        and not name.startswith("_")
    }


def native_parameters(effect: type[Any]) -> list[NativeParameter]:
    """Parameters of a native effect, read from the signature that its documentation states."""
    signature = (effect.__init__.__doc__ or "").partition("\n")[0]
    found = []
    for match in _PARAMETER.finditer(signature.partition(", ")[2].rpartition(")")[0]):
        choices = getattr(_attribute(match["type"]), "__members__", {})
        default = match["default"]
        if default is not None and default.startswith("<"):
            default = repr(default[1:].partition(":")[0].rpartition(".")[2])
        found.append(NativeParameter(match["name"], default, choices))
    return found


def _attribute(dotted: str) -> object:
    """What a type like `pedalboard_native.Resample.Quality` is, as far as pedalboard shows it."""
    value: object = pedalboard
    for part in dotted.split(".")[1:]:
        value = getattr(value, part, None)
    return value


def make_native(name: str, values: Mapping[str, Any]) -> Any:
    """Make a native effect.

    Args:
        name: of its class.
        values: parameters by name; choices by the name of a member.

    Raises:
        CawUsageError: a parameter is unknown, or pedalboard refuses its value.
    """
    effect = native_effects()[name]
    known = {parameter.name: parameter for parameter in native_parameters(effect)}
    arguments = {}
    for key, value in values.items():
        if key not in known:
            hint = did_you_mean(key, known) if known else "it has none"
            raise CawUsageError(f"{name} has no parameter {key!r}; {hint}")
        choices = known[key].choices
        if choices and value not in list(choices):
            raise CawUsageError(f"{key} of {name} must be one of {', '.join(choices)}, not {value!r}")
        arguments[key] = choices[value] if choices else value
    try:
        made = effect(**arguments)
    except (TypeError, ValueError, RuntimeError, OverflowError, ImportError) as error:
        raise CawUsageError(f"{name}: {_reason(error, values)}") from error
    if not made.is_effect:
        raise CawUsageError(f"{name}({values}) is an instrument, and chains hold effects")
    return made


def _reason(error: Exception, values: Mapping[str, Any]) -> str:
    if isinstance(error, TypeError):  # pybind11 lists signatures over several lines
        return f"a parameter has a wrong type or is missing: {one_line(str(dict(values)))[:200]}"
    return one_line(str(error))
