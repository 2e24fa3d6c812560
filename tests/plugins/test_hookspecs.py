from __future__ import annotations

import importlib.metadata
import inspect
import re
from typing import Any

import pytest

from caw_toolkit import hookspecs
from caw_toolkit.hookspecs import HOOK_NAMES, PROJECT_NAME
from caw_toolkit.plugins.kinds import ITEM_KINDS, ItemKind
from caw_toolkit.plugins.records import PluginOrigin
from caw_toolkit.plugins.registry import Registry
from paths import ROOT

DOCS = ROOT / "docs" / "plugin-hooks.md"

PROTOCOLS = {
    "register_commands": hookspecs.RegisterCommand,
    "register_processors": hookspecs.RegisterTarget,
    "register_generators": hookspecs.RegisterTarget,
    "register_objectives": hookspecs.RegisterTarget,
    "register_presets": hookspecs.RegisterPreset,
    "register_evaluations": hookspecs.RegisterTarget,
    "register_panels": hookspecs.RegisterTarget,
}


def specifications() -> dict[str, Any]:
    return {name: value for name, value in vars(hookspecs).items() if hasattr(value, f"{PROJECT_NAME}_spec")}


def shown_signature(function: Any) -> str:
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
    ]
    return str(inspect.Signature(parameters)).replace("'", '"')


def test_the_list_of_hooks_is_complete() -> None:
    assert tuple(specifications()) == HOOK_NAMES


def test_documented_hooks_are_the_hooks_with_their_exact_arguments() -> None:
    documented = re.findall(r"^### `(\w+\([^`]*\))`$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert documented == [f"{name}{shown_signature(spec)}" for name, spec in specifications().items()]


@pytest.mark.parametrize("kind", ITEM_KINDS, ids=lambda kind: str(kind.name))
def test_documented_callbacks_have_their_exact_arguments(kind: ItemKind) -> None:
    text = DOCS.read_text(encoding="utf-8")
    section = text.split(f"### `{kind.hook}(", 1)[1].split("\n###", 1)[0]
    documented = re.search(r"`register(\([^`]*\))`", section)
    assert documented is not None
    engine = PluginOrigin("engine", "caw-toolkit", "0")
    implementation = Registry(kind, engine).callback(engine, print)
    assert documented[1] == shown_signature(PROTOCOLS[kind.hook].__call__) == shown_signature(implementation)


def test_every_hook_that_registers_has_a_kind_of_item() -> None:
    assert [kind.hook for kind in ITEM_KINDS] == [name for name in HOOK_NAMES if name.startswith("register_")]


@pytest.mark.parametrize("hook", HOOK_NAMES)
def test_every_hook_is_typed_and_says_since_when(hook: str) -> None:
    spec = specifications()[hook]
    parameters = inspect.signature(spec).parameters
    assert set(parameters) < set(inspect.get_annotations(spec))
    docstring = inspect.getdoc(spec) or ""
    since = re.search(r"^\.\. versionadded:: ([\d.]+)$", docstring, re.MULTILINE)
    assert since is not None
    section = DOCS.read_text(encoding="utf-8").split(f"### `{hook}(", 1)[1].split("\n###", 1)[0]
    assert f"*New in version {since[1]}.*" in section
    for name in parameters:
        assert f"    {name}: " in docstring


@pytest.mark.parametrize(
    "entry_point", importlib.metadata.entry_points(group=PROJECT_NAME), ids=lambda entry_point: str(entry_point.name)
)
def test_installed_plugins_implement_nothing_but_hooks(entry_point: importlib.metadata.EntryPoint) -> None:
    plugin = entry_point.load()
    marked = {name for name in dir(plugin) if hasattr(inspect.getattr_static(plugin, name), f"{PROJECT_NAME}_impl")}
    assert marked and marked <= set(HOOK_NAMES)
