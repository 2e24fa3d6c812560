"""Generators and objectives by name: the engine's own, and those that plugins registered.

A part is imported when it is asked for. What can be asked for is what an *installed* distribution registered: a file
can name a part, never a module.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from caw_toolkit import engine_parts

#: Name of the distribution that ships the engine.
DISTRIBUTION = "caw-toolkit"

PartKind = Literal["generator", "objective"]


@dataclass(frozen=True)
class Part:
    """Something that can be built by name.

    Attributes:
        name: as a model file or a preset has it.
        load: imports it.
        distribution: that registered it.
        version: of that distribution; empty for the engine's own.
    """

    name: str
    load: Callable[[], Any] = field(repr=False)
    distribution: str = DISTRIBUTION
    version: str = ""

    @property
    def is_own(self) -> bool:
        """Whether the engine brings it."""
        return self.distribution == DISTRIBUTION


def own_parts(kind: PartKind) -> Mapping[str, Part]:
    """The engine's own parts, by name.

    >>> sorted(own_parts("generator"))
    ['dilated', 'exemplar', 'exemplar_or_gaussian', 'flow', 'gaussian']
    """
    return _own_parts()[kind]


def find_part(kind: PartKind, name: str) -> Part | None:
    """The part of a name, or None. Plugins are loaded only if the engine has none of this name."""
    own = own_parts(kind).get(name)
    if own is not None:
        return own
    host = _host()
    item = host.items(kind).get(name)
    if item is None:
        return None
    return Part(name, functools.partial(host.load, kind, name), item.origin.distribution, item.origin.version)


def part_names(kind: PartKind) -> list[str]:
    """Names of all parts of a kind, sorted."""
    return sorted({*own_parts(kind), *_host().items(kind)})


def load_target(target: str) -> object:
    """Import `"package.module:attribute"`.

    >>> load_target("os.path:join").__name__
    'join'

    Raises:
        ImportError: the module cannot be imported. Importing runs its code, which may raise anything else as well.
        AttributeError: the module has no such attribute.
    """
    module, _, attribute = target.partition(":")
    return functools.reduce(getattr, attribute.split("."), importlib.import_module(module))


@functools.cache
def _own_parts() -> Mapping[PartKind, Mapping[str, Part]]:
    found: dict[PartKind, dict[str, Part]] = {"generator": {}, "objective": {}}

    def register_generator(name: str, target: str, *, summary: str = "") -> None:
        found["generator"][name] = Part(name, functools.partial(load_target, target))

    def register_objective(name: str, target: str, *, summary: str = "") -> None:
        found["objective"][name] = Part(name, functools.partial(load_target, target))

    engine_parts.register_generators(register_generator)
    engine_parts.register_objectives(register_objective)
    return found


def _host() -> Any:
    """The plugin host, which stands above this module: it is named, not imported, and loads when it is needed."""
    host: Any = load_target("caw_toolkit.plugins:get_host")
    return host()
