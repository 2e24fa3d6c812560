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

from caw_toolkit.errors import CawUsageError
from caw_toolkit.processors.checks import ChoiceCheck, IntegerCheck, NumberCheck, OptionalCheck

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
    """A parameter of a processor has a value that it cannot have.

    Example:
        >>> from caw_toolkit import Processor
        >>> class Fade(Processor):
        ...     seconds: Parameter[float] = Parameter(default=0.5, check=number(0, 10), summary="Length in seconds.")
        >>> Fade(seconds=11)
        Traceback (most recent call last):
        caw_toolkit.processors.parameters.ParameterError: seconds of Fade must be a number from 0 to 10, not 11
    """


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

    Example:
        >>> from caw_toolkit import Processor
        >>> class Fade(Processor):
        ...     seconds: Parameter[float] = Parameter(default=0.5, check=number(0, 10), summary="Length in seconds.")
        >>> Fade().seconds, Fade(seconds=2).seconds
        (0.5, 2.0)
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

    Args:
        low: least value. That it is at most `high` is not checked: every value is refused where it is not.
        high: greatest value.

    Returns:
        A check, for `Parameter`: it takes what converts to a float, but not True, False or text, and returns a float.

    Raises:
        ValueError: from the check, saying that the value must be "a number from LOW to HIGH", or what of it is bounded.

    Example:
        >>> number(0, 1)(1)
        1.0
        >>> number(0, 1)(2)
        Traceback (most recent call last):
        ValueError: a number from 0 to 1
    """
    return NumberCheck(low, high)


def integer(low: int, high: int) -> Callable[[Any], int]:
    """A whole number within bounds.

    Args:
        low: least value. That it is at most `high` is not checked: every value is refused where it is not.
        high: greatest value.

    Returns:
        A check, for `Parameter`: it takes an integer of any type, but not True, False or 7.0, and returns an int.

    Raises:
        ValueError: from the check, saying that the value must be "a whole number from LOW to HIGH".

    Example:
        >>> integer(0, 9)(7)
        7
        >>> integer(0, 9)(7.0)
        Traceback (most recent call last):
        ValueError: a whole number from 0 to 9
    """
    return IntegerCheck(low, high)


def one_of(choices: Sequence[str]) -> Callable[[Any], str]:
    """One of several words.

    Args:
        choices: the words, in the order in which the message lists them.

    Returns:
        A check, for `Parameter`: it takes one of the words and returns it.

    Raises:
        ValueError: from the check, saying that the value must be "one of" the words, with the one nearest to a text.

    Example:
        >>> one_of(["auto", "cpu"])("cpu")
        'cpu'
        >>> one_of(["auto", "cpu"])("cup")
        Traceback (most recent call last):
        ValueError: one of auto, cpu (did you mean 'cpu'?)
    """
    return ChoiceCheck(tuple(choices))


def path(value: Any) -> str:
    """The path of a file, as text; whether it exists shows when it is opened.

    A check itself, for `Parameter`.

    Args:
        value: text or `os.PathLike`; not bytes.

    Returns:
        The path as text.

    Raises:
        ValueError: if it is neither, or empty, saying that the value must be "a path".

    Example:
        >>> path("voice.pt")
        'voice.pt'
        >>> path("")
        Traceback (most recent call last):
        ValueError: a path
    """
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise ValueError("a path")
    return os.fsdecode(value)


def flag(value: Any) -> bool:
    """True or false.

    A check itself, for `Parameter`.

    Args:
        value: True or False; not 1, 0 or NumPy's.

    Returns:
        The same.

    Raises:
        ValueError: if it is anything else, saying that the value must be "true or false".

    Example:
        >>> flag(True)
        True
        >>> flag(1)
        Traceback (most recent call last):
        ValueError: true or false
    """
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def optional(check: Callable[[Any], Value]) -> Callable[[Any], Value | None]:
    """None, or what another check accepts.

    Args:
        check: of a value that is not None.

    Returns:
        A check, for `Parameter`: it returns None for None, and what `check` returns for anything else.

    Raises:
        ValueError: from the check, saying what `check` says, with ", or None".

    Example:
        >>> optional(integer(0, 9))(None), optional(integer(0, 9))(4)
        (None, 4)
        >>> optional(integer(0, 9))(10)
        Traceback (most recent call last):
        ValueError: a whole number from 0 to 9, or None
    """
    return OptionalCheck(check)
