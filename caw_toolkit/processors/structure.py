"""Which plugins are on a board, and how they are nested."""

from __future__ import annotations

from collections.abc import Iterator, MutableSequence
from typing import Any

import pedalboard

from caw_toolkit.processors.native import leaves
from caw_toolkit.processors.protocols import AudioProcessor

#: A plugin, and the structures of what it holds.
Structure = list[Any]


def structure_of(plugin: Any) -> Structure:
    """What decides whether a plan still holds: which objects there are, and how they are nested.

    The objects themselves, not their `id()`: pybind11 makes a new wrapper of a native plugin whenever none is alive.
    """
    holds = isinstance(plugin, (MutableSequence, pedalboard.PluginContainer))
    return [plugin, [structure_of(inner) for inner in plugin] if holds else []]


def is_same(structure: Structure, planned: Structure | None) -> bool:
    """Whether two structures are of the same objects."""
    if planned is None or structure[0] is not planned[0] or len(structure[1]) != len(planned[1]):
        return False
    return all(is_same(inner, planned_inner) for inner, planned_inner in zip(structure[1], planned[1], strict=True))


def leaves_of(plugin: Any) -> Iterator[AudioProcessor]:
    """The plugins that are no containers, in their order."""
    if isinstance(plugin, MutableSequence):
        for inner in plugin:
            yield from leaves_of(inner)
    else:
        yield from leaves(plugin)


def refuse_duplicates(container: MutableSequence[Any]) -> None:
    """See to it that no plugin is there twice: it would hear two signals as one.

    Raises:
        RuntimeError: one is.
    """
    seen: dict[int, AudioProcessor] = {}  # the leaves are kept alive: an `id()` is of use only as long as its object is
    for leaf in leaves_of(container):
        if id(leaf) in seen:
            raise RuntimeError(f"{leaf!r} is on the board more than once: make one plugin for each place")
        seen[id(leaf)] = leaf
