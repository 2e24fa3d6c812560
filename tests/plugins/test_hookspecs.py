from __future__ import annotations

import importlib.metadata
import inspect
import re
from typing import Any

import pytest

from caw_toolkit import hookspecs
from caw_toolkit.hookspecs import HOOK_NAMES, PROJECT_NAME
from caw_toolkit.plugins.registry import Registrar
from paths import ROOT

DOCS = ROOT / "docs" / "plugin-hooks.md"

CALLBACKS = {
    "register_commands": (hookspecs.RegisterCommand, Registrar.command),
    "register_processors": (hookspecs.RegisterTarget, Registrar.processor),
    "register_training_modes": (hookspecs.RegisterTarget, Registrar.training_mode),
    "register_presets": (hookspecs.RegisterPreset, Registrar.preset),
    "register_evaluations": (hookspecs.RegisterEvaluation, Registrar.evaluation),
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


@pytest.mark.parametrize("hook", CALLBACKS)
def test_documented_callbacks_have_their_exact_arguments(hook: str) -> None:
    text = DOCS.read_text(encoding="utf-8")
    section = text.split(f"### `{hook}(", 1)[1].split("\n###", 1)[0]
    protocol, implementation = CALLBACKS[hook]
    documented = re.search(r"`register(\([^`]*\))`", section)
    assert documented is not None
    assert documented[1] == shown_signature(protocol.__call__) == shown_signature(implementation)


@pytest.mark.parametrize("hook", HOOK_NAMES)
def test_every_hook_is_typed_and_says_since_when(hook: str) -> None:
    spec = specifications()[hook]
    parameters = inspect.signature(spec).parameters
    assert set(parameters) < set(inspect.get_annotations(spec))
    docstring = inspect.getdoc(spec) or ""
    assert ".. versionadded::" in docstring
    for name in parameters:
        assert f"    {name}: " in docstring


@pytest.mark.parametrize(
    "entry_point", importlib.metadata.entry_points(group=PROJECT_NAME), ids=lambda entry_point: str(entry_point.name)
)
def test_installed_plugins_implement_nothing_but_hooks(entry_point: importlib.metadata.EntryPoint) -> None:
    plugin = entry_point.load()
    marked = {name for name in dir(plugin) if hasattr(inspect.getattr_static(plugin, name), f"{PROJECT_NAME}_impl")}
    assert marked and marked <= set(HOOK_NAMES)
