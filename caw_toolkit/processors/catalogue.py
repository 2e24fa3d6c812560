"""Every effect that a chain can hold, with its parameters as declared: what a program makes controls from.

    for effect in effects():
        print(effect.name, [parameter.name for parameter in effect.parameters])

.. versionadded:: 0.2
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from caw_toolkit.errors import CawError
from caw_toolkit.processors.checks import ChoiceCheck, IntegerCheck, NumberCheck, OptionalCheck
from caw_toolkit.processors.native import NativeParameter, native_bounds, native_effects, native_parameters
from caw_toolkit.processors.parameters import Parameter, flag, path

__all__ = ["DeclaredParameter", "Effect", "ParameterKind", "declared", "effects"]

#: What a value of a parameter is.
ParameterKind = Literal["number", "integer", "flag", "choice", "path", "text"]

PlainValue = bool | int | float | str | None

#: Units by the last part of a name.
_UNITS: Mapping[str, str] = MappingProxyType(
    {"db": "dB", "hz": "Hz", "ms": "ms", "seconds": "s", "semitones": "semitones", "rate": "Hz"}
)
#: Of native effects that are code from files.
_FROM_FILES = frozenset({"AudioUnitPlugin", "VST3Plugin"})


@dataclass(frozen=True)
class DeclaredParameter:
    """A parameter, in plain types.

    Attributes:
        name: keyword.
        kind: what its values are.
        default: value of a new effect; None if it must be given, or if None is the default.
        is_required: whether it must be given.
        is_optional: whether None will do.
        low: least number; None if there is no bound, or it isn't declared.
        high: greatest number.
        choices: words to choose from.
        unit: of numbers, if it is known.
        summary: what it does.

    Example:
        >>> gain = DeclaredParameter("gain_db", "number", default=0.0, low=-60.0, high=24.0, unit="dB")
        >>> f"{gain.name} from {gain.low:g} to {gain.high:g} {gain.unit}"
        'gain_db from -60 to 24 dB'

    .. versionadded:: 0.2
    """

    name: str
    kind: ParameterKind
    default: PlainValue = None
    is_required: bool = False
    is_optional: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    summary: str = ""


@dataclass(frozen=True)
class Effect:
    """A native effect of pedalboard, or a registered processor.

    Attributes:
        name: in chains.
        origin: `pedalboard`, or the distribution that it comes from.
        summary: one line; empty for native effects.
        parameters: in the order of their declaration.
        problem: why it cannot be used; None if it can.

    Example:
        >>> effect = next(effect for effect in effects() if effect.name == "Reverb")
        >>> effect.origin, effect.parameters[0].name, effect.problem
        ('pedalboard', 'room_size', None)

    .. versionadded:: 0.2
    """

    name: str
    origin: str
    summary: str
    parameters: tuple[DeclaredParameter, ...]
    problem: str | None = None


def effects() -> list[Effect]:
    """All effects: registered processors, then pedalboard's, but for plugins that are loaded from files.

    Example:
        >>> next(effect for effect in effects() if effect.name == "Gain").parameters[0].unit
        'dB'

    .. versionadded:: 0.2
    """
    from caw_toolkit.plugins import get_host

    host = get_host()
    found = []
    for name, item in sorted(host.items("processor").items()):
        try:
            parameters, problem = declared(getattr(host.processor(name), "parameters", {}).values()), None
        except CawError as error:
            parameters, problem = (), str(error)
        found.append(Effect(name, item.origin.distribution, item.summary, parameters, problem))
    for name, effect in sorted(native_effects().items()):
        if name not in _FROM_FILES:
            native = tuple(_native(name, parameter) for parameter in native_parameters(effect))
            found.append(Effect(name, "pedalboard", "", native))
    return found


def declared(parameters: Iterable[Parameter[Any]]) -> tuple[DeclaredParameter, ...]:
    """Declared parameters of a class, in plain types.

    Args:
        parameters: such as `Processor.parameters.values()`.

    Example:
        >>> from caw_toolkit.processors.parameters import number
        >>> from caw_toolkit.processors.base import Processor
        >>> class Fade(Processor):
        ...     seconds: Parameter[float] = Parameter(default=0.5, check=number(0, 10), summary="Length in seconds.")
        >>> (seconds,) = declared(Fade.parameters.values())
        >>> seconds.kind, seconds.default, seconds.low, seconds.high, seconds.unit
        ('number', 0.5, 0, 10, 's')

    .. versionadded:: 0.2
    """
    return tuple(map(_declared, parameters))


def _declared(parameter: Parameter[Any]) -> DeclaredParameter:
    check, default = parameter.check, None if parameter.is_required else parameter.default
    is_optional = isinstance(check, OptionalCheck)
    given = check.given if isinstance(check, OptionalCheck) else check
    kind: ParameterKind = "text"
    low = high = None
    if isinstance(given, NumberCheck | IntegerCheck):
        kind = "number" if isinstance(given, NumberCheck) else "integer"
        low, high = _finite(given.low), _finite(given.high)
    elif given is flag:
        kind = "flag"
    elif isinstance(given, ChoiceCheck):
        kind = "choice"
    elif given is path or parameter.name == "model":
        kind = "path"
    return DeclaredParameter(
        name=parameter.name,
        kind=kind,
        default=default if isinstance(default, bool | int | float | str) else None,
        is_required=parameter.is_required,
        is_optional=is_optional,
        low=low,
        high=high,
        choices=given.choices if isinstance(given, ChoiceCheck) else (),
        unit=_unit(parameter.name, parameter.summary),
        summary=parameter.summary,
    )


def _native(effect: str, parameter: NativeParameter) -> DeclaredParameter:
    default = None if parameter.default is None else ast.literal_eval(parameter.default)
    bounds = native_bounds(effect, parameter.name)
    kind: ParameterKind = "text"
    if parameter.choices:
        kind = "choice"
    elif isinstance(default, bool):
        kind = "flag"
    elif isinstance(default, int | float):
        kind = "number"
    elif parameter.default is None:
        kind = "path"
    return DeclaredParameter(
        name=parameter.name,
        kind=kind,
        default=default,
        is_required=parameter.default is None,
        is_optional=parameter.default is not None and default is None,
        low=None if bounds is None else bounds.low,
        high=None if bounds is None else bounds.high,
        choices=tuple(parameter.choices),
        unit=_unit(parameter.name, ""),
    )


def _unit(name: str, summary: str) -> str:
    stated = re.search(r"\bin (Hz|dB|ms|s|seconds)\b", summary)
    if stated:
        return "s" if stated[1] == "seconds" else stated[1]
    return _UNITS.get(name.rpartition("_")[2], "")


def _finite(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None
