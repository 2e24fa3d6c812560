"""The items that plugins register: tables by name, and the callbacks that hooks are handed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic

import click

from caw_toolkit.errors import CawError, CawUsageError, did_you_mean
from caw_toolkit.plugins.records import (
    PLUGIN_FAILURES,
    PluginError,
    PluginOrigin,
    Registration,
    Target,
    describe_exception,
    load_target,
    one_line,
)

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class Registry(Generic[Target]):
    """Items of one kind, by name. The first to register a name keeps it.

    Args:
        kind: what the items are, for messages ("command").
        engine: where the engine's own items come from, for messages.
        reserved: names of the engine's own items.

    .. versionadded:: 0.1
    """

    def __init__(self, kind: str, engine: PluginOrigin, reserved: Iterable[str] = ()) -> None:
        self.kind = kind
        self.items: dict[str, Registration[Target]] = {}
        self._engine = engine
        self._reserved = frozenset(reserved)

    def add(self, item: Registration[Target]) -> str | None:
        """Add an item.

        Returns:
            Why it was refused; None if it was added.
        """
        if not isinstance(item.name, str) or not _NAME.fullmatch(item.name):
            return f"{self.kind} name {item.name!r} refused: use lower-case letters, digits, '-' and '_'"
        subject = f"{self.kind} {item.name!r} of {item.origin.source} refused"
        if item.name in self._reserved:
            return f"{subject}: the engine ({self._engine.source}) has a {self.kind} of this name"
        if item.name in self.items:
            return f"{subject}: {self.items[item.name].origin} has registered this name already"
        self.items[item.name] = item
        return None

    def resolve(self, name: str) -> Any:
        """Find an item, and import it if its target is lazy.

        Raises:
            CawUsageError: there is no item of this name.
            PluginError: the import failed.
        """
        if name not in self.items:
            raise CawUsageError(f"no plugin has a {self.kind} named {name!r}; {did_you_mean(name, self.items)}")
        item = self.items[name]
        if not isinstance(item.target, str):
            return item.target
        try:
            return load_target(item.target)
        except CawError:
            raise
        except PLUGIN_FAILURES as error:
            reason = describe_exception(error)
            raise PluginError(f"{item.origin}: {self.kind} {name!r} could not be loaded: {reason}") from error

    def resolve_command(self, name: str) -> click.Command:
        """Find an item that is a click command, and import it if its target is lazy.

        Raises:
            CawUsageError: there is no item of this name.
            PluginError: the import failed, or it is no click command.
        """
        command = self.resolve(name)
        if not isinstance(command, click.Command):
            raise PluginError(f"{self.items[name].origin}: {self.kind} {name!r} is no click command but {command!r}")
        return command

    def names_of(self, origin: PluginOrigin) -> tuple[str, ...]:
        """Names that one plugin registered, sorted."""
        return tuple(sorted(name for name, item in self.items.items() if item.origin == origin))


class Registries:
    """Everything that plugins registered.

    Args:
        engine: where the engine's own items come from, for messages.
        reserved_commands: names of the engine's commands.
        reserved_presets: names of the engine's presets.

    .. versionadded:: 0.1
    """

    def __init__(
        self, engine: PluginOrigin, *, reserved_commands: Iterable[str] = (), reserved_presets: Iterable[str] = ()
    ) -> None:
        self.commands = Registry[click.Command | str]("command", engine, reserved_commands)
        self.processors = Registry[str]("processor", engine)
        self.training_modes = Registry[str]("training mode", engine)
        self.presets = Registry[Path]("preset", engine, reserved_presets)
        self.evaluations = Registry[str]("evaluation", engine)


class Registrar:
    """The callbacks that one plugin is handed.

    Args:
        registries: where its items go.
        origin: the plugin.
        refuse: called with the reason, once for each item that is refused.

    .. versionadded:: 0.1
    """

    def __init__(self, registries: Registries, origin: PluginOrigin, refuse: Callable[[str], None]) -> None:
        self._registries = registries
        self._origin = origin
        self._refuse = refuse

    def command(self, name: str, command: click.Command | str, *, summary: str = "") -> None:
        """Add a command (`hookspecs.RegisterCommand`)."""
        if not isinstance(command, click.Command):
            self._add(self._registries.commands, name, command, summary, _check_target(command))
        else:
            self._add(self._registries.commands, name, command, summary or command.get_short_help_str(limit=80))

    def processor(self, name: str, target: str, *, summary: str = "") -> None:
        """Add a processor (`hookspecs.RegisterTarget`)."""
        self._add(self._registries.processors, name, target, summary, _check_target(target))

    def training_mode(self, name: str, target: str, *, summary: str = "") -> None:
        """Add a training mode (`hookspecs.RegisterTarget`)."""
        self._add(self._registries.training_modes, name, target, summary, _check_target(target))

    def preset(self, name: str, path: str | os.PathLike[str], *, summary: str = "") -> None:
        """Add a preset (`hookspecs.RegisterPreset`)."""
        file = Path(path)
        complaint = None if file.is_file() else f"file {str(file)!r} not found"
        self._add(self._registries.presets, name, file, summary, complaint)

    def evaluation(self, name: str, command: str, *, summary: str = "") -> None:
        """Add an evaluation (`hookspecs.RegisterEvaluation`)."""
        self._add(self._registries.evaluations, name, command, summary, _check_target(command))

    def _add(
        self, registry: Registry[Any], name: str, target: Any, summary: object, complaint: str | None = None
    ) -> None:
        if not isinstance(summary, str):
            complaint = f"its summary must be text, not {summary!r}"
        if complaint:
            complaint = f"{registry.kind} {name!r} refused: {complaint}"
        else:
            complaint = registry.add(Registration(name, target, one_line(str(summary)), self._origin))
        if complaint:
            self._refuse(complaint)


def _check_target(target: object) -> str | None:
    if isinstance(target, str) and _TARGET.fullmatch(target):
        return None
    return f"target {target!r} is not of the form 'package.module:attribute'"
