"""Parameters of processors: declared once on the class, checked whenever they are set.

class Fade(Processor):
    seconds: Parameter[float] = Parameter(default=0.5, check=number(0, 10), summary="Length of the fade, in seconds.")

Type checkers see a keyword of the class in it, and whether it must be given, if its arguments are named.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar, overload

from caw_toolkit.errors import CawUsageError, did_you_mean

__all__ = [
    "REQUIRED",
    "Parameter",
    "ParameterError",
    "flag",
    "integer",
    "number",
    "one_of",
    "optional",
    "path",
]

Value = TypeVar("Value")


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


#: Default of a parameter that has to be given.
REQUIRED: Any = _Required()


class ParameterError(CawUsageError, ValueError):
    """A parameter of a processor has a value that it cannot have."""


class ParameterOwner(Protocol):
    """What has parameters: a processor."""

    def parameter_changed(self, name: str) -> None:
        """Called after a parameter was set."""


class Parameter(Generic[Value]):
    """A keyword parameter of a processor.

    Args:
        default: value of a new processor; left out, or `REQUIRED`, if there is none.
        check: returns the value to store, or raises ValueError with what the value must be ("a number from 0 to 1").
            Any value will do without one.
        summary: what it does, with its unit; one sentence.
    """

    name: str

    def __init__(
        self, default: Value = REQUIRED, check: Callable[[Any], Value] = lambda value: value, summary: str = ""
    ) -> None:
        self.default = default
        self.check = check
        self.summary = summary

    @property
    def is_required(self) -> bool:
        """Whether it has no default."""
        return self.default is REQUIRED

    @property
    def description(self) -> str:
        """Its line under `Args:` in the documentation of the class."""
        default = "" if self.is_required else f" Default: {_show(self.default)}."
        return f"    {self.name}: {self.summary}{default}"

    def __repr__(self) -> str:
        return f"<Parameter {self.name}={_show(self.default)}: {self.summary}>"

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Parameter[Value]: ...

    @overload
    def __get__(self, instance: ParameterOwner, owner: type) -> Value: ...

    def __get__(self, instance: ParameterOwner | None, owner: type) -> Parameter[Value] | Value:
        if instance is None:
            return self
        value: Value = instance.__dict__[self.name]
        return value

    def __set__(self, instance: ParameterOwner, value: Value) -> None:
        try:
            checked = self.check(value)
        except ValueError as error:
            raise ParameterError(
                f"{self.name} of {type(instance).__name__} must be {error}, not {_show(value)}"
            ) from None
        instance.__dict__[self.name] = checked
        instance.parameter_changed(self.name)


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def number(low: float = -math.inf, high: float = math.inf) -> Callable[[Any], float]:
    """A finite number within bounds.

    >>> number(0, 1)(1)
    1.0
    """
    if math.isinf(low):
        wanted = "a number" if math.isinf(high) else f"a number up to {high:g}"
    else:
        wanted = f"a number from {low:g}" + ("" if math.isinf(high) else f" to {high:g}")

    def check(value: Any) -> float:
        if isinstance(value, bool) or not hasattr(value, "__float__"):
            raise ValueError(wanted)
        try:
            converted = float(value)
        except (TypeError, OverflowError):
            raise ValueError(wanted) from None
        if not (math.isfinite(converted) and low <= converted <= high):
            raise ValueError(wanted)
        return converted

    return check


def integer(low: int, high: int) -> Callable[[Any], int]:
    """A whole number within bounds.

    >>> integer(0, 9)(7)
    7
    """

    def check(value: Any) -> int:
        if isinstance(value, bool) or not hasattr(value, "__index__") or not low <= value.__index__() <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value.__index__())

    return check


def one_of(choices: Sequence[str]) -> Callable[[Any], str]:
    """One of several words.

    >>> one_of(["auto", "cpu"])("cpu")
    'cpu'
    """

    def check(value: Any) -> str:
        if value not in choices:
            hint = f" ({did_you_mean(value, choices)})" if isinstance(value, str) else ""
            raise ValueError(f"one of {', '.join(choices)}{hint}")
        return str(value)

    return check


def path(value: Any) -> str:
    """The path of a file, as text; whether it exists shows when it is opened."""
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise ValueError("a path")
    return os.fsdecode(value)


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def optional(check: Callable[[Any], Value]) -> Callable[[Any], Value | None]:
    """None, or what another check accepts.

    >>> optional(integer(0, 9))(None), optional(integer(0, 9))(4)
    (None, 4)
    """

    def check_given(value: Any) -> Value | None:
        if value is None:
            return None
        try:
            return check(value)
        except ValueError as error:
            raise ValueError(f"{error}, or None") from None

    return check_given
