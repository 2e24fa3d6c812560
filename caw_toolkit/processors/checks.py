"""What `number`, `integer`, `one_of` and `optional` return: checks that can be asked what they accept."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from caw_toolkit.errors import did_you_mean

Value = TypeVar("Value")


@dataclass(frozen=True)
class NumberCheck:
    """Of a finite number from `low` to `high`."""

    low: float
    high: float

    @property
    def _wanted(self) -> str:
        if math.isinf(self.low):
            return "a number" if math.isinf(self.high) else f"a number up to {self.high:g}"
        return f"a number from {self.low:g}" + ("" if math.isinf(self.high) else f" to {self.high:g}")

    def __call__(self, value: Any) -> float:
        """The value as a float."""
        if isinstance(value, bool) or not hasattr(value, "__float__"):
            raise ValueError(self._wanted)
        try:
            converted = float(value)
        except (TypeError, OverflowError):
            raise ValueError(self._wanted) from None
        if not (math.isfinite(converted) and self.low <= converted <= self.high):
            raise ValueError(self._wanted)
        return converted


@dataclass(frozen=True)
class IntegerCheck:
    """Of a whole number from `low` to `high`."""

    low: int
    high: int

    def __call__(self, value: Any) -> int:
        """The value as an int."""
        try:
            whole = None if isinstance(value, bool) else operator.index(value)
        except TypeError:  # an array has the method and no index
            whole = None
        if whole is None or not self.low <= whole <= self.high:
            raise ValueError(f"a whole number from {self.low} to {self.high}")
        return whole


@dataclass(frozen=True)
class ChoiceCheck:
    """Of one of the words `choices`."""

    choices: tuple[str, ...]

    def __call__(self, value: Any) -> str:
        """The value itself."""
        if not isinstance(value, str) or value not in self.choices:
            hint = f" ({did_you_mean(value, self.choices)})" if isinstance(value, str) else ""
            raise ValueError(f"one of {', '.join(self.choices)}{hint}")
        return str(value)


@dataclass(frozen=True)
class OptionalCheck(Generic[Value]):
    """Of None, or of what the check `given` accepts."""

    given: Callable[[Any], Value]

    def __call__(self, value: Any) -> Value | None:
        """None, or what `given` returns."""
        if value is None:
            return None
        try:
            return self.given(value)
        except ValueError as error:
            raise ValueError(f"{error}, or None") from None
