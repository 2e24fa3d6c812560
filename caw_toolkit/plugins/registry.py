"""The items of one kind that plugins registered, and the callback that its hook is handed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import click

from caw_toolkit.errors import CawError, CawUsageError, did_you_mean, one_line
from caw_toolkit.parts import load_target
from caw_toolkit.plugins.boundary import PluginCodeError, plugin_code
from caw_toolkit.plugins.kinds import ItemKind
from caw_toolkit.plugins.records import PluginError, PluginOrigin, Registration

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class Registry:
    """Items of one kind, by name. The first to register a name keeps it.

    Args:
        kind: what the items are.
        engine: where the engine's own items come from, for messages.
        reserved: names of the engine's own items.

    .. versionadded:: 0.1
    """

    def __init__(self, kind: ItemKind, engine: PluginOrigin, reserved: Iterable[str] = ()) -> None:
        self.kind = kind
        self.items: dict[str, Registration[Any]] = {}
        self._engine = engine
        self._reserved = frozenset(reserved)

    def callback(self, origin: PluginOrigin, refuse: Callable[[str], None]) -> Callable[..., None]:
        """What one plugin's hook is handed.

        Args:
            origin: the plugin.
            refuse: called with the reason, once for each item that is refused.
        """

        def register(name: str, target: Any, *, summary: str = "") -> None:
            complaint = self._add(name, target, summary, origin)
            if complaint:
                refuse(complaint)

        return register

    def _add(self, name: object, target: Any, summary: object, origin: PluginOrigin) -> str | None:
        """Add an item; returns why it was refused, None if it was added."""
        kind = self.kind.name
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            return f"{kind} name {name!r} refused: use lower-case letters, digits, '-' and '_'"
        if not isinstance(summary, str):
            return f"{kind} {name!r} refused: its summary must be text, not {summary!r}"
        complaint = self.kind.complaint(target)
        if complaint:
            return f"{kind} {name!r} refused: {complaint}"
        subject = f"{kind} {name!r} of {origin.source} refused"
        if name in self._reserved:
            return f"{subject}: the engine ({self._engine.source}) has a {kind} of this name"
        if name in self.items:
            return f"{subject}: {self.items[name].origin} has registered this name already"
        if isinstance(target, click.Command):
            summary = summary or target.get_short_help_str(limit=80)
        self.items[name] = Registration(name, self.kind.stored(target), one_line(summary), origin)
        return None

    def load(self, name: str) -> Any:
        """Find an item, and import it if its target is lazy.

        Raises:
            CawUsageError: there is no item of this name.
            PluginError: the import failed, or it leads to something that cannot be used.
        """
        if name not in self.items:
            raise CawUsageError(f"no plugin has a {self.kind.name} named {name!r}; {did_you_mean(name, self.items)}")
        item = self.items[name]
        if not isinstance(item.target, str):
            return item.target
        try:
            with plugin_code(item.origin, f"loading the {self.kind.name} {name!r} of"):
                loaded = load_target(item.target)
        except PluginCodeError as failure:
            if isinstance(failure.exception, CawError):
                raise failure.exception from None
            raise PluginError(
                f"{item.origin}: {self.kind.name} {name!r} could not be loaded: {failure}"
            ) from failure.exception
        complaint = self.kind.loaded_complaint(loaded)
        if complaint:
            raise PluginError(f"{item.origin}: {self.kind.name} {name!r} {complaint}")
        return loaded

    def forget(self, origin: PluginOrigin) -> None:
        """Take out what one plugin registered."""
        for name in self.names_of(origin):
            del self.items[name]

    def names_of(self, origin: PluginOrigin) -> tuple[str, ...]:
        """Names that one plugin registered, sorted."""
        return tuple(sorted(name for name, item in self.items.items() if item.origin == origin))
