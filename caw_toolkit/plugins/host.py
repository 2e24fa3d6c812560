"""The plugin host: finds plugins, loads them one by one, and keeps a broken one from harming anything else.

`get_host()` is the host of the process. The environment variable `CAW_DISABLE_PLUGINS` (names separated by commas, or
`*`) leaves plugins out, by their own names or by those of their commands; `CAW_PLUGINS` leaves out all others than
those it names. `CAW_STRICT_PLUGINS=1` turns the first problem of any plugin into an error.

Each plugin gets a pluggy manager of its own: pluggy then validates the hooks, and every call and every failure belongs
to one plugin.
"""

from __future__ import annotations

import copy
import functools
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
import pluggy

from caw_toolkit import hookspecs
from caw_toolkit.errors import did_you_mean
from caw_toolkit.hookspecs import HOOK_NAMES, PROJECT_NAME, ScaleTrained
from caw_toolkit.parts import DISTRIBUTION, own_parts
from caw_toolkit.plugins.boundary import PluginCodeError, plugin_code
from caw_toolkit.plugins.discovery import (
    EntryPoint,
    check_plugin,
    discover,
    in_order,
    shipped_presets,
    toolkit_version,
    unmarked_hooks,
    unrun_hooks,
)
from caw_toolkit.plugins.engine_commands import ENGINE_COMMANDS
from caw_toolkit.plugins.kinds import ITEM_KINDS
from caw_toolkit.plugins.pedalboard_names import CLASS_NAMES
from caw_toolkit.plugins.records import (
    PluginError,
    PluginOrigin,
    PluginProblem,
    PluginRecord,
    Registration,
)
from caw_toolkit.plugins.registry import Registry
from caw_toolkit.plugins.selection import Selection

_logger = logging.getLogger(__name__)

#: A plugin can be disabled by its own name, or by that of an item of these kinds.
NAMED_BY = ("command", "processor")


@dataclass
class _Plugin:
    origin: PluginOrigin
    manager: pluggy.PluginManager | None = None
    seconds: float = 0.0  # that it took at start
    hooks: tuple[str, ...] = ()
    disabled: bool = False
    problems: list[PluginProblem] = field(default_factory=list)


class PluginHost:
    """Loads plugins and knows what they added.

    Args:
        entry_points: the plugins to load; by default those of all installed distributions.
        disabled: names of plugins to leave out, or of their commands or processors; `*` stands for all. A plugin that
            is named by what it adds is imported to find out.
        allowed: names of the only plugins to load, or of their commands or processors; None stands for all.
        strict: raise on the first problem instead of collecting it.
        reserved_commands: names of commands that plugins may not take.
        reserved_presets: names of presets that plugins may not take.

    Raises:
        PluginError: a plugin has a problem and `strict` is set.

    Example:
        >>> host = PluginHost([])  # without any plugin
        >>> host.plugins, dict(host.items("command"))
        ((), {})

    .. versionadded:: 0.1
    """

    def __init__(
        self,
        entry_points: Iterable[EntryPoint] | None = None,
        *,
        disabled: Iterable[str] = (),
        allowed: Iterable[str] | None = None,
        strict: bool = False,
        reserved_commands: Iterable[str] = (),
        reserved_presets: Iterable[str] = (),
    ) -> None:
        self._strict = strict
        self._plugins: list[_Plugin] = []
        self._addable: set[str] = set()  # names of commands and processors, those of disabled plugins included
        engine = PluginOrigin("engine", DISTRIBUTION, toolkit_version())
        reserved = {
            "command": reserved_commands,
            "preset": reserved_presets,
            "generator": own_parts("generator"),
            "objective": own_parts("objective"),
        }
        self._registries = {kind.name: Registry(kind, engine, reserved.get(kind.name, ())) for kind in ITEM_KINDS}
        found, problems = discover() if entry_points is None else (entry_points, [])
        for problem in problems:
            self._report(self._add(problem.origin), problem.message, fatal=True, exception=problem.exception)
        self._load_all(found, Selection(frozenset(disabled), None if allowed is None else frozenset(allowed)))

    # What plugins added

    @property
    def plugins(self) -> tuple[PluginRecord, ...]:
        """All plugins that were found, by name."""
        return tuple(sorted(map(self._record, self._plugins), key=lambda record: (record.name, record.distribution)))

    @property
    def problems(self) -> tuple[PluginProblem, ...]:
        """Everything that went wrong so far."""
        return tuple(problem for plugin in self._plugins for problem in plugin.problems)

    def items(self, kind: str) -> Mapping[str, Registration[Any]]:
        """What all plugins registered of a kind, by name.

        Args:
            kind: `command`, `processor`, `generator`, `objective`, `preset`, `evaluation` or `panel`.
        """
        return MappingProxyType(self._registries[kind].items)

    @property
    def start_seconds(self) -> dict[str, float]:
        """What each plugin took at start, in seconds, by its name; modules that several import count for the first."""
        return {plugin.origin.name: plugin.seconds for plugin in self._plugins}

    @property
    def preset_paths(self) -> dict[str, Path]:
        """Files of the presets of all plugins, by name, as `training.presets.load_preset` takes them."""
        return {name: item.target for name, item in self.items("preset").items()}

    def load(self, kind: str, name: str) -> Any:
        """Import what a plugin registered.

        Args:
            kind: as for `items`.
            name: that it was registered under.

        Raises:
            CawUsageError: no plugin has an item of this kind and name.
            PluginError: it cannot be imported, or is nothing that can be used.
        """
        return self._registries[kind].load(name)

    def command(self, name: str) -> click.Command:
        """Import a plugin's command (`load`)."""
        command: click.Command = self.load("command", name)
        return command

    def processor(self, name: str) -> Callable[..., Any]:
        """Import a processor's class (`load`)."""
        processor: Callable[..., Any] = self.load("processor", name)
        return processor

    # What plugins are told

    def notify_scale_trained(self, event: ScaleTrained) -> None:
        """Tell all plugins that a scale has been trained. A plugin that fails is reported, and training goes on."""
        for plugin in self._plugins:
            self._call(plugin, "scale_trained", event=copy.deepcopy(event))

    def describe_model(self, info: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        """Ask all plugins about a model.

        Args:
            info: the model file's metadata.

        Returns:
            Text by label, by name of the plugin; plugins with nothing to say are left out.
        """
        descriptions: dict[str, dict[str, str]] = {}
        for plugin in self._plugins:
            for answer in self._call(plugin, "describe_model", info=copy.deepcopy(info)):
                try:
                    lines = {str(label): str(text) for label, text in answer.items()}
                except Exception as error:
                    message = f"describe_model returned {type(answer).__name__}, not a mapping of text to text"
                    self._report(plugin, message, exception=error)
                else:
                    if lines:
                        descriptions[plugin.origin.name] = lines
        return descriptions

    # Loading

    def _load_all(self, entry_points: Iterable[EntryPoint], selection: Selection) -> None:
        owners: dict[str, PluginOrigin] = {}
        ordered = in_order(entry_points)
        names = {origin.name for origin, _ in ordered}
        for origin, entry_point in ordered:
            plugin = self._add(origin)
            owner = owners.setdefault(origin.name, origin)  # it keeps the name whether or not it loads
            if selection.leaves_out(origin.name, names):
                plugin.disabled = True
            elif len([other for other in self._plugins if other.origin.name == origin.name]) > 1:
                message = f"refused: {owner.source} and {origin.source} both have a plugin named {origin.name!r}"
                self._report(plugin, message, fatal=True)
            else:
                self._load(plugin, entry_point)
        for plugin in self._plugins:
            self._register(plugin, selection)
        known = {*owners, *self._addable}
        for name in sorted(selection.disabled.difference(known, "*")):
            _logger.warning("no plugin named %r to disable; %s", name, did_you_mean(name, known))
        for name in sorted((selection.allowed or frozenset()).difference(known)):
            _logger.warning("no plugin named %r to allow; %s", name, did_you_mean(name, known))

    def _register(self, plugin: _Plugin, selection: Selection) -> None:
        """Let a plugin register its items; take them out again if it is left out by one of its names."""
        for registry in self._registries.values():
            register = registry.callback(plugin.origin, functools.partial(self._report, plugin))
            self._call(plugin, registry.kind.hook, register=register)
        added = {name for kind in NAMED_BY for name in self._registries[kind].names_of(plugin.origin)}
        self._addable |= added
        if plugin.manager is not None and selection.leaves_out_by_items(plugin.origin.name, added):
            plugin.disabled, plugin.hooks, plugin.manager = True, (), None
            for registry in self._registries.values():
                registry.forget(plugin.origin)
        else:
            self._report_class_clashes(plugin)

    def _report_class_clashes(self, plugin: _Plugin) -> None:
        """Say which processors `caw_toolkit.processors` cannot give by name, as pedalboard's names come first there."""
        processors = self._registries["processor"]
        for name in processors.names_of(plugin.origin):
            class_name = processors.items[name].class_name
            if class_name in CLASS_NAMES:
                message = f"pedalboard has a class {class_name}, too: get_processor({name!r}) finds this one"
                self._report(plugin, f"processor {name!r}: {message}")

    def _add(self, origin: PluginOrigin) -> _Plugin:
        self._plugins.append(_Plugin(origin))
        return self._plugins[-1]

    def _load(self, plugin: _Plugin, entry_point: EntryPoint) -> None:
        manager = pluggy.PluginManager(PROJECT_NAME)
        manager.add_hookspecs(hookspecs)
        try:
            with _timed(plugin), plugin_code(plugin.origin, "loading"):
                loaded = entry_point.load()
                complaint = check_plugin(loaded)
                if complaint is None:
                    manager.register(loaded, plugin.origin.name)
                    implemented = {caller.name for caller in manager.get_hookcallers(loaded) or ()}
                    unmarked, unrun = unmarked_hooks(loaded), unrun_hooks(loaded)
        except PluginCodeError as failure:
            self._report(plugin, str(failure), fatal=True, exception=failure.exception)
            return
        if complaint is not None:
            self._report(plugin, complaint, fatal=True)
            return
        plugin.manager = manager
        plugin.hooks = tuple(name for name in HOOK_NAMES if name in implemented)
        for name in sorted(implemented.difference(HOOK_NAMES)):
            self._report(plugin, f"unknown hook {name!r}; {did_you_mean(name, HOOK_NAMES)}")
        for name in unmarked:
            self._report(plugin, f"{name} lacks the @hookimpl marker and is never called")
        for name in unrun:
            self._report(
                plugin, f"{name} is a generator or a coroutine, whose body a call does not run: no yield, no async"
            )

    def _call(self, plugin: _Plugin, hook: str, **arguments: Any) -> list[Any]:
        """Call one plugin's implementation of a hook; report what it raises."""
        if plugin.manager is None or hook not in plugin.hooks:
            return []
        try:
            with _timed(plugin), plugin_code(plugin.origin, f"calling {hook} of"):
                return list(getattr(plugin.manager.hook, hook)(**arguments))
        except PluginCodeError as failure:
            error = failure.exception
            if self._strict and isinstance(error, PluginError):  # raised by _report, from within the hook
                raise error from None
            self._report(plugin, f"{hook} failed: {failure}", exception=error)
            return []

    # Reporting

    def _report(
        self, plugin: _Plugin, message: str, *, fatal: bool = False, exception: BaseException | None = None
    ) -> None:
        problem = PluginProblem(plugin.origin, message, fatal, exception)
        if problem in plugin.problems:  # a hook that fails at every scale is reported once
            return
        plugin.problems.append(problem)
        if self._strict:
            raise PluginError(str(problem)) from exception
        _logger.warning("%s", problem)
        if exception is not None:
            _logger.debug("traceback of %s", plugin.origin, exc_info=exception)

    def _record(self, plugin: _Plugin) -> PluginRecord:
        return PluginRecord(
            name=plugin.origin.name,
            distribution=plugin.origin.distribution,
            version=plugin.origin.version,
            hooks=plugin.hooks,
            items={registry.kind.plural: registry.names_of(plugin.origin) for registry in self._registries.values()},
            error=next((problem.message for problem in plugin.problems if problem.fatal), None),
            problems=tuple(problem.message for problem in plugin.problems if not problem.fatal),
            disabled=plugin.disabled,
        )


@contextmanager
def _timed(plugin: _Plugin) -> Iterator[None]:
    start = time.perf_counter()
    try:
        yield
    finally:
        plugin.seconds += time.perf_counter() - start


def _names(variable: str) -> list[str]:
    """Names in an environment variable, separated by commas."""
    return [name for name in map(str.strip, os.environ.get(variable, "").split(",")) if name]


@functools.cache
def get_host() -> PluginHost:
    """The host of this process, with all installed plugins; made on the first call.

    Raises:
        PluginError: a plugin has a problem and `CAW_STRICT_PLUGINS` is set.

    Example:
        >>> get_host() is get_host()
        True

    .. versionadded:: 0.1
    """
    return PluginHost(
        disabled=_names("CAW_DISABLE_PLUGINS"),
        allowed=_names("CAW_PLUGINS") or None,
        strict=os.environ.get("CAW_STRICT_PLUGINS", "") not in ("", "0"),
        reserved_commands=ENGINE_COMMANDS,
        reserved_presets=shipped_presets(),
    )
