"""What the plugin host knows about plugins: where they come from, what they registered, what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from caw_toolkit.errors import CawError, one_line
from caw_toolkit.parts import DISTRIBUTION

Target = TypeVar("Target")


class PluginError(CawError):
    """A plugin could not do its part.

    Example:
        >>> PluginError("plugin 'shout' (caw-shout 1.2) has no command").exit_code
        1

    .. versionadded:: 0.1
    """


@dataclass(frozen=True)
class PluginOrigin:
    """An entry point and the distribution that advertises it.

    Example:
        >>> str(PluginOrigin("shout", "caw-shout", "1.2"))
        "plugin 'shout' (caw-shout 1.2)"

    .. versionadded:: 0.1
    """

    name: str
    distribution: str
    version: str

    @property
    def is_own(self) -> bool:
        """Whether the toolkit's own distribution brings it."""
        return self.distribution == DISTRIBUTION

    @property
    def source(self) -> str:
        """Distribution and version."""
        return f"{self.distribution} {self.version}".strip()

    def __str__(self) -> str:
        return f"plugin {self.name!r} ({self.source})"


@dataclass(frozen=True)
class PluginProblem:
    """Something a plugin did wrong. The text of a problem is one line.

    Attributes:
        origin: the plugin.
        message: what is wrong, and with which item.
        fatal: the plugin was not loaded; otherwise only the item was lost.
        exception: what the plugin raised, if it did.

    Example:
        >>> str(PluginProblem(PluginOrigin("shout", "caw-shout", "1.2"), "command 'train' is the engine's"))
        "plugin 'shout' (caw-shout 1.2): command 'train' is the engine's"

    .. versionadded:: 0.1
    """

    origin: PluginOrigin
    message: str
    fatal: bool = False
    exception: BaseException | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return one_line(f"{self.origin}: {self.message}")


@dataclass(frozen=True)
class Registration(Generic[Target]):
    """A named item that a plugin added.

    Example:
        >>> origin = PluginOrigin("shout", "caw-shout", "1.2")
        >>> Registration("shout", "caw_shout.processor:Shout", "Louder.", origin).class_name
        'Shout'

    .. versionadded:: 0.1
    """

    name: str
    target: Target
    summary: str
    origin: PluginOrigin

    @property
    def class_name(self) -> str:
        """Name of what a lazy target leads to; empty for any other."""
        return self.target.rpartition(":")[2] if isinstance(self.target, str) else ""


@dataclass(frozen=True)
class PluginRecord:
    """One line of `caw plugins`: a plugin that was found, loaded or not.

    Attributes:
        name: name of the entry point.
        distribution: name of the distribution that advertises it.
        version: version of that distribution.
        hooks: hooks that the plugin implements.
        items: names of what it added, by kind in the plural (`commands`, `processors`, ...).
        error: why it was not loaded; None if it was.
        problems: items that it lost, and hooks that failed.
        disabled: it was left out on the user's request.

    Example:
        >>> record = PluginRecord("shout", "caw-shout", "1.2", items={"commands": ("shout",)})
        >>> record.items["commands"], record.error
        (('shout',), None)

    .. versionadded:: 0.1
    """

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...] = ()
    items: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    error: str | None = None
    problems: tuple[str, ...] = ()
    disabled: bool = False
