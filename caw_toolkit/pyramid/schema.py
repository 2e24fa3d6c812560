"""Small checks of plain values, put together to say what a file may hold (`model_schema`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from caw_toolkit.errors import CawError, CawUsageError

#: Says what is wrong with a value that stands at a place, if something is.
Check = Callable[[Any, str], None]

#: Characters of a value, or a key, that a message shows.
_SHOWN = 40


class SchemaError(ValueError):
    """A value is not what it should be; the message names its place."""


@contextmanager
def schema_errors(named: Callable[[str], CawError]) -> Iterator[None]:
    """Turn what checks refuse within the block into an error that names the file.

    Args:
        named: makes that error of the reason.
    """
    try:
        yield
    except (SchemaError, CawUsageError) as error:
        raise named(str(error)) from error


def refuse(where: str, expected: str, value: object) -> SchemaError:
    """The error for a value.

    >>> refuse("scales[1].rate", "a whole number from 1 to 384000", "x")
    SchemaError("scales[1].rate must be a whole number from 1 to 384000, not 'x'")
    """
    return SchemaError(f"{where} must be {expected}, not {shown(value)}")


def shown(value: object) -> str:
    r"""A value in a message: short, and without anything that a terminal obeys.

    >>> shown("\x1b[2J"), shown({"a": 1}), shown(2.5)
    ("'\\x1b[2J'", 'a dict', '2.5')
    """
    if isinstance(value, str):
        return repr(value[:_SHOWN]) if len(value) <= _SHOWN else repr(value[:_SHOWN]) + "..."
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)[:_SHOWN]
    return f"a {type(value).__name__}" if not hasattr(value, "shape") else f"a tensor {tuple(value.shape)}"


def dtype_of(tensor: Any) -> str:
    """The name of a tensor's type: checkpoints hold tensors of torch, files that are checked unread only their names.

    >>> import torch
    >>> dtype_of(torch.ones(1))
    'float32'
    """
    return str(tensor.dtype).removeprefix("torch.")


def whole(least: int, most: int) -> Check:
    """A whole number within bounds."""

    def check(value: Any, where: str) -> None:
        if type(value) is not int or not least <= value <= most:
            raise refuse(where, f"a whole number from {least} to {most}", value)

    return check


def number(least: float, most: float, *, above: bool = False) -> Check:
    """A finite number within bounds; with `above`, more than the lower one."""

    def check(value: Any, where: str) -> None:
        valid = type(value) in (int, float) and math.isfinite(value) and least <= value <= most
        if not valid or (above and value == least):
            bounds = f"above {least:g} and at most {most:g}" if above else f"from {least:g} to {most:g}"
            raise refuse(where, f"a number {bounds}", value)

    return check


def flag(value: Any, where: str) -> None:
    """True or false."""
    if type(value) is not bool:
        raise refuse(where, "true or false", value)


def string(value: Any, where: str) -> None:
    """Any string."""
    if type(value) is not str:
        raise refuse(where, "a string", value)


def name(value: Any, where: str) -> None:
    """A string that can be shown: 1 to 200 characters, all of them printable."""
    if type(value) is not str or not 1 <= len(value) <= 200 or not value.isprintable():
        raise refuse(where, "a name of up to 200 printable characters", value)


def one_of(*values: str) -> Check:
    """One of some strings."""

    def check(value: Any, where: str) -> None:
        if type(value) is not str or value not in values:
            raise refuse(where, " or ".join(map(repr, values)), value)

    return check


def anything(value: Any, where: str) -> None:
    """No check."""


def optional(inner: Check) -> Check:
    """None, or what another check lets pass."""

    def check(value: Any, where: str) -> None:
        if value is not None:
            inner(value, where)

    return check


def list_of(inner: Check, least: int, most: int) -> Check:
    """A list of so many values, each of which passes a check."""

    def check(value: Any, where: str) -> None:
        if type(value) is not list or not least <= len(value) <= most:
            given = f"{len(value)} of them" if type(value) is list else shown(value)
            raise SchemaError(f"{where} must be a list of {least} to {most} values, not {given}")
        for index, item in enumerate(value):
            inner(item, f"{where}[{index}]")

    return check


def table(
    required: Mapping[str, Check], optionals: Mapping[str, Check] | None = None, *, others: Check | None = anything
) -> Check:
    """A dict.

    Args:
        required: keys that it must have, with the checks of their values.
        optionals: keys that it may have.
        others: check of the values of all other keys, which are strings; None allows none.
    """
    known = {**required, **(optionals or {})}

    def check(value: Any, where: str) -> None:
        if type(value) is not dict:
            raise refuse(where, "a dict", value)
        for key in required:
            if key not in value:
                raise SchemaError(f"{inside(where, key)} is missing")
        for key, item in value.items():
            if type(key) is not str or (key not in known and others is None):
                raise SchemaError(f"{where} has an unknown key {shown(key)}")
            inner = known.get(key, others)
            if inner is not None:
                inner(item, inside(where, key))

    return check


def inside(where: str, key: str) -> str:
    """The place of a key's value.

    >>> inside("scales[0]", "rate"), inside("", "peak"), inside("weights", "network.exit.bias")
    ('scales[0].rate', 'peak', "weights['network.exit.bias']")
    """
    if not key.isidentifier():
        return f"{where}[{shown(key)}]"
    return f"{where}.{key}" if where else key
