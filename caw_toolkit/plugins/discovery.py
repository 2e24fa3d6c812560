"""Finding plugins among the installed distributions, and checking what an entry point leads to."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import inspect
from collections.abc import Iterable
from typing import Any, Protocol

from caw_toolkit.errors import describe_exception
from caw_toolkit.hookspecs import API_VERSION, HOOK_NAMES, PROJECT_NAME
from caw_toolkit.parts import DISTRIBUTION
from caw_toolkit.plugins.records import PluginOrigin, PluginProblem

#: Import name under which the presets of the toolkit are installed.
PRESETS_PACKAGE = "caw_toolkit_presets"


class EntryPoint(Protocol):
    """The part of `importlib.metadata.EntryPoint` that the host uses.

    .. versionadded:: 0.1
    """

    @property
    def name(self) -> str:
        """Name of the plugin."""

    @property
    def value(self) -> str:
        """Where the plugin is: `"package.module"` or `"package.module:object"`."""

    @property
    def dist(self) -> Any:
        """Distribution that advertises the plugin."""

    def load(self) -> Any:
        """Import the plugin."""


def toolkit_version() -> str:
    """Version of the installed toolkit, `"0+unknown"` in a source tree that is not installed."""
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return "0+unknown"


def shipped_presets() -> list[str]:
    """Names of the presets that the toolkit ships; none in a source tree that is not installed."""
    try:
        files = importlib.resources.files(PRESETS_PACKAGE)
    except ModuleNotFoundError:
        return []
    return [file.name.removesuffix(".toml") for file in files.iterdir() if file.name.endswith(".toml")]


def discover() -> tuple[list[EntryPoint], list[PluginProblem]]:
    """Entry points of all installed distributions.

    Each distribution is read on its own: one with broken metadata must not hide the others.

    Returns:
        The entry points, and a problem for each distribution that should have some but cannot be read.
    """
    points: list[EntryPoint] = []
    problems: list[PluginProblem] = []
    seen: set[str] = set()
    for distribution in importlib.metadata.distributions():
        try:
            if PROJECT_NAME not in (distribution.read_text("entry_points.txt") or ""):
                continue
            found = [point for point in distribution.entry_points if point.group == PROJECT_NAME]
            name = str(distribution.metadata["Name"]).lower()
        except Exception as error:
            origin = PluginOrigin("?", _name_or_place(distribution), "")
            message = f"broken metadata: {describe_exception(error)}"
            problems.append(PluginProblem(origin, message, fatal=True, exception=error))
            continue
        if name not in seen:  # found twice on the path, it counts once, as for pip
            seen.add(name)
            points.extend(found)
    return points, problems


def _name_or_place(distribution: importlib.metadata.Distribution) -> str:
    """Name of a distribution whose metadata is broken; where it lies, if it has not even a name."""
    try:
        return str(distribution.metadata["Name"])
    except Exception:
        return str(distribution.locate_file(""))


def in_order(entry_points: Iterable[EntryPoint]) -> list[tuple[PluginOrigin, EntryPoint]]:
    """Sort entry points: the engine's own distribution first, so that nobody can take a name from it; then by name."""
    unique = {(origin_of(point), str(point.value)): point for point in entry_points}
    ordered = sorted(unique, key=lambda key: (not key[0].is_own, key[0].name, key[0].distribution, key[1]))
    return [(key[0], unique[key]) for key in ordered]


def origin_of(entry_point: EntryPoint) -> PluginOrigin:
    """Where an entry point comes from, as far as its distribution says."""
    try:
        metadata = entry_point.dist.metadata
        return PluginOrigin(str(entry_point.name), str(metadata["Name"]), str(metadata["Version"]))
    except Exception:
        return PluginOrigin(str(entry_point.name), "unknown distribution", "")


def check_plugin(plugin: object) -> str | None:
    """Why an object cannot be a plugin of this host; None if it can."""
    if plugin is None or inspect.isclass(plugin):
        return f"the entry point must lead to a module or an instance, not to {plugin!r}"
    version = getattr(plugin, "caw_api_version", API_VERSION)
    if type(version) is not int:
        return f"caw_api_version is {version!r}, not an integer"
    if version != API_VERSION:
        return f"made for version {version} of the plugin API; this toolkit has version {API_VERSION}"
    return None


def unrun_hooks(plugin: object) -> list[str]:
    """Hook implementations of a plugin whose body a call does not run: generators and coroutines."""
    functions = {name: getattr(plugin, name, None) for name in HOOK_NAMES}
    return [
        name
        for name, function in functions.items()
        if inspect.isgeneratorfunction(function)
        or inspect.iscoroutinefunction(function)
        or inspect.isasyncgenfunction(function)
    ]


def unmarked_hooks(plugin: object) -> list[str]:
    """Functions of a plugin that are named like a hook and lack the `hookimpl` marker."""
    marks = (f"{PROJECT_NAME}_impl", f"{PROJECT_NAME}_spec")
    functions = ((name, inspect.getattr_static(plugin, name, None)) for name in HOOK_NAMES)
    return [name for name, function in functions if callable(function) and not any(hasattr(function, m) for m in marks)]
