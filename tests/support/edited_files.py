"""Model files and checkpoints with something in them changed: a value, a byte, a part of the archive."""

from __future__ import annotations

import math
import random
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

Place = tuple[Any, ...]

#: What values are replaced by.
_PLAIN: Sequence[Any] = (
    *("x", "", None, -1, 0, 1, 10**9, 2**31, 2**70, True, False, 1.5, 1e308, math.nan, math.inf),
    *([], {}, [[]], ["x"], {"a": 1}, (1, 2), "\x1b[2J", [20000] * 3),
)
_TENSORS: Sequence[Callable[[], torch.Tensor]] = (
    lambda: torch.tensor(math.nan),
    lambda: torch.zeros(0),
    lambda: torch.zeros(3, 3, dtype=torch.int64),
    lambda: torch.zeros(1).expand(10**10),
)


def places(content: Any, at: Place = ()) -> Iterator[Place]:
    """Every place below a content."""
    items: Any = ()
    if isinstance(content, Mapping):
        items = content.items()
    elif isinstance(content, list):
        items = enumerate(content)
    for key, value in items:
        yield (*at, key)
        yield from places(value, (*at, key))


def edited(content: Any, at: Place, change: Callable[[Any], Any]) -> Any:
    """A content with the dict or list that holds a place changed; the rest is shared.

    Args:
        content: of a file.
        at: the place.
        change: takes a copy of the dict or list and returns what is to be in its place.
    """
    copied = content.copy()
    if len(at) == 1:
        return change(copied)
    copied[at[0]] = edited(content[at[0]], at[1:], change)
    return copied


def with_value(content: Any, at: Place, value: Any) -> Any:
    """A content with another value at a place."""

    def change(inner: Any) -> Any:
        inner[at[-1]] = value
        return inner

    return edited(content, at, change)


def without(content: Any, at: Place) -> Any:
    """A content with a place left out."""

    def change(inner: Any) -> Any:
        del inner[at[-1]]
        return inner

    return edited(content, at, change)


def edited_at_random(content: Any, draw: random.Random) -> Any:
    """A content with a value replaced by junk, left out, or put in another value's place."""
    known = list(places(content))
    at = draw.choice(known)
    if draw.random() < 0.15:
        return without(content, at)
    if draw.random() < 0.15:
        value = content
        for key in draw.choice(known):
            value = value[key]
        return with_value(content, at, value)
    junk = draw.choice(_TENSORS)() if draw.random() < 0.15 else draw.choice(_PLAIN)
    return with_value(content, at, junk)


def flipped_at_random(data: bytes, draw: random.Random) -> bytes:
    """A file with bytes changed: anywhere, or where the archive's own structure lies."""
    damaged = bytearray(data)
    first, last = draw.choice(((0, len(data)), (0, 2000), (len(data) - 3000, len(data))))
    for _ in range(draw.choice((1, 3, 50))):
        damaged[draw.randrange(max(0, first), min(last, len(data)))] = draw.randrange(256)
    return bytes(damaged)


def archive(path: Path, pickled: bytes, *, compression: int = zipfile.ZIP_STORED, extra: int = 0) -> Path:
    """An archive as torch writes it, with a given pickle and some more empty parts."""
    with zipfile.ZipFile(path, "w", compression) as written:
        written.writestr("archive/data.pkl", pickled)
        written.writestr("archive/version", "3\n")
        for number in range(extra):
            written.writestr(f"archive/data/{number}", b"")
    return path


def with_pickle(source: Path, path: Path, change: Callable[[bytes], bytes]) -> Path:
    """A copy of an archive with its pickle changed."""
    with zipfile.ZipFile(source) as whole, zipfile.ZipFile(path, "w") as written:
        for name in whole.namelist():
            data = whole.read(name)
            written.writestr(name, change(data) if name.endswith("/data.pkl") else data)
    return path
