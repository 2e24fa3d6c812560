"""Generators and objectives by name: the engine's own, and those that plugins registered.

A part is imported when it is asked for. What can be asked for is what an *installed* distribution registered: a file
can name a part, never a module.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from caw_toolkit import engine_parts
from caw_toolkit.errors import CawError

#: Name of the distribution that ships the engine.
DISTRIBUTION = "caw-toolkit"

PartKind = Literal["generator", "objective"]


@dataclass(frozen=True)
class Part:
    """Something that can be built by name.

    Attributes:
        name: as a model file or a preset has it.
        target: `"package.module:Class"`.
        distribution: that registered it.
        version: of that distribution; empty for the engine's own.
    """

    name: str
    target: str
    distribution: str = DISTRIBUTION
    version: str = ""

    @property
    def is_own(self) -> bool:
        """Whether the engine brings it."""
        return self.distribution == DISTRIBUTION

    def load(self) -> Any:
        """Import it.

        Raises:
            CawError: its plugin is broken.
        """
        try:
            return load_target(self.target)
        except Exception as error:
            if self.is_own or isinstance(error, CawError):
                raise
            raise CawError(
                f"{self.name!r} of {self.distribution} {self.version} could not be loaded: {type(error).__name__}: "
                f"{error}"
            ) from error


def own_parts(kind: PartKind) -> Mapping[str, Part]:
    """The engine's own parts, by name.

    >>> sorted(own_parts("generator"))
    ['dilated', 'exemplar', 'exemplar_or_gaussian', 'flow', 'gaussian']
    """
    return _own_parts()[kind]


def find_part(kind: PartKind, name: str) -> Part | None:
    """The part of a name, or None. Plugins are loaded only if the engine has none of this name."""
    return own_parts(kind).get(name) or _parts_of_plugins(kind).get(name)


def part_names(kind: PartKind) -> list[str]:
    """Names of all parts of a kind, sorted."""
    return sorted({**own_parts(kind), **_parts_of_plugins(kind)})


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
        found["generator"][name] = Part(name, target)

    def register_objective(name: str, target: str, *, summary: str = "") -> None:
        found["objective"][name] = Part(name, target)

    engine_parts.register_generators(register_generator)
    engine_parts.register_objectives(register_objective)
    return found


def _parts_of_plugins(kind: PartKind) -> Mapping[str, Part]:
    """Asked of the host, which stands above this module: it is named, not imported, and loads when it is needed."""
    host: Any = load_target("caw_toolkit.plugins:get_host")
    return {
        name: Part(name, item.target, item.origin.distribution, item.origin.version)
        for name, item in host().items(kind).items()
    }
