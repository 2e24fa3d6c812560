"""Objective options: frozen dataclasses made from a preset's tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from caw_toolkit.errors import CawUsageError, did_you_mean

#: For plugins that add an objective.
__all__ = ["AT_LEAST_ONE", "NOT_NEGATIVE", "POSITIVE", "Bounds", "options_from_mapping", "require_within"]

Options = TypeVar("Options")

_LARGEST_NUMBER = 10**15


def options_from_mapping(cls: type[Options], values: Mapping[str, Any], *, objective: str) -> Options:
    """Make an options dataclass, whose fields all have defaults, from names and values.

    A value must be of the type of the field's default: a list of whole numbers may have any length, one of other
    numbers that of the default. Where the default is None, a whole number is expected.

    Args:
        cls: the dataclass.
        values: by field name; fields left out keep their defaults.
        objective: name of the objective, for error messages.

    Raises:
        CawUsageError: for an unknown name or a value of the wrong type; and what `cls` itself raises.

    Example:
        >>> @dataclass(frozen=True)
        ... class Options:
        ...     order: int = 8
        >>> options_from_mapping(Options, {"order": 12}, objective="linear")
        Options(order=12)
        >>> options_from_mapping(Options, {"ordre": 12}, objective="linear")
        Traceback (most recent call last):
        caw_toolkit.errors.CawUsageError: the linear objective has no option 'ordre': did you mean 'order'?
    """
    defaults = {option.name: option.default for option in fields(cls)}  # type: ignore[arg-type]
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name not in defaults:
            raise CawUsageError(f"the {objective} objective has no option {name!r}: {did_you_mean(name, defaults)}")
        checked[name] = _check_type(name, value, defaults[name])
    return cls(**checked)


@dataclass(frozen=True)
class Bounds:
    """Where a finite number must lie.

    Attributes:
        least: the smallest allowed.
        above: it must be more than this, where there is no `least`.
        most: the largest allowed.
        below: it must be less than this, where there is no `most`.

    Example:
        >>> 0.0 in Bounds(above=0), 3 in Bounds(least=1, most=4096)
        (False, True)
    """

    least: float | None = None
    above: float = -math.inf
    most: float | None = None
    below: float = math.inf

    def __contains__(self, value: float) -> bool:
        over = value > self.above if self.least is None else value >= self.least
        under = value < self.below if self.most is None else value <= self.most
        return over and under

    def __str__(self) -> str:
        """In words.

        >>> str(Bounds(least=0, below=1)), str(Bounds(above=0)), str(Bounds(above=0, most=9))
        ('from 0 to below 1', 'above 0', 'above 0 and at most 9')
        """
        top = f"{self.most:g}" if self.most is not None else "" if math.isinf(self.below) else f"below {self.below:g}"
        if self.least is None:
            most = "" if self.most is None else "at most "
            return f"above {self.above:g}" + (f" and {most}{top}" if top else "")
        return f"from {self.least:g} to {top}" if top else f"at least {self.least:g}"


#: Bounds of rates.
POSITIVE = Bounds(above=0)
#: Bounds of counts.
AT_LEAST_ONE = Bounds(least=1)
#: Bounds of counts that memory grows with: what is beyond them is a slip, and would end the process.
REASONABLE_COUNT = Bounds(above=0, most=4096)
#: Bounds of weights.
NOT_NEGATIVE = Bounds(least=0)


def require_within(options: object, bounds: Mapping[str, Bounds]) -> None:
    """Refuse options that are out of bounds; of a tuple, every item counts.

    Args:
        options: what they are attributes of.
        bounds: by name of the attribute.

    Raises:
        CawUsageError: naming the first that is, its value, and where it must lie.

    Example:
        >>> @dataclass(frozen=True)
        ... class Options:
        ...     order: int = 8
        >>> require_within(Options(order=0), {"order": AT_LEAST_ONE})
        Traceback (most recent call last):
        caw_toolkit.errors.CawUsageError: order must be at least 1, not 0
    """
    for name, bound in bounds.items():
        value = getattr(options, name)
        if not all(item in bound for item in (value if isinstance(value, tuple) else (value,))):
            raise CawUsageError(f"{name} must be {bound}, not {list(value) if isinstance(value, tuple) else value}")


def _check_type(name: str, value: Any, default: Any) -> Any:
    """The value in the type of the option's default."""
    if any(isinstance(item, int) and abs(item) > _LARGEST_NUMBER for item in (value if _is_list(value) else [value])):
        raise CawUsageError(f"{name} must be no more than {_LARGEST_NUMBER:g}")  # no float holds numbers of any length
    if isinstance(default, bool):
        expected, valid = "true or false", isinstance(value, bool)
    elif isinstance(default, str):
        expected, valid = "a string", isinstance(value, str)
    elif isinstance(default, tuple):
        whole = all(isinstance(item, int) for item in default)
        expected = "a list of whole numbers" if whole else f"a list of {len(default)} numbers"
        valid = _is_list(value) and all(map(_is_number, value)) and (whole or len(value) == len(default))
        valid = valid and len(value) > 0 and not (whole and any(isinstance(item, float) for item in value))
        value = tuple(value if whole else map(float, value)) if valid else value
    elif isinstance(default, float):
        expected, valid = "a number", _is_number(value)
        value = float(value) if valid else value
    else:
        expected = "a whole number"
        valid = (isinstance(value, int) and not isinstance(value, bool)) or (value is None and default is None)
    if not valid:
        raise CawUsageError(f"{name} must be {expected}, not {value!r}")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
