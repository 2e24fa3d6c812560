"""What plugins may import is what docs/api.md lists, and the plugins here import nothing else of the toolkit."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from paths import ROOT

_SECTION = re.compile(r"^## `(?P<module>[\w.]+)`$(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_DOCTEST = re.compile(r"^ *>>> ", re.MULTILINE)
_ROW = re.compile(r"^\| `(\w+)` \| \S", re.MULTILINE)


def documented() -> dict[str, list[str]]:
    """Names in docs/api.md, by module."""
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    return {match["module"]: _ROW.findall(match["text"]) for match in _SECTION.finditer(page)}


DOCUMENTED = documented()
FOLDERS = sorted(path.parent for path in (*ROOT.glob("plugins/*/plugin.py"), *ROOT.glob("examples/*/*/plugin.py")))


def imports(source: str) -> Iterator[tuple[str, str]]:
    """Module and name of everything that a source imports; the name of a whole module is `*`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "*") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from ((node.module or "", alias.name) for alias in node.names)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.name))
def test_plugins_import_nothing_but_the_public_api(folder: Path) -> None:
    for path in folder.rglob("*.py"):
        for module, name in imports(path.read_text(encoding="utf-8")):
            package = module.partition(".")[0]
            if package.startswith("caw_") and package != folder.name:
                assert name in DOCUMENTED.get(module, ()), f"{path.name} imports {name} from {module}"


def test_all_plugins_are_looked_at() -> None:
    assert {"caw_unconditional", "caw_denoising", "caw_freeze"} < {folder.name for folder in FOLDERS}


@pytest.mark.parametrize("module", DOCUMENTED)
def test_the_page_lists_each_module_as_it_is(module: str) -> None:
    exported = importlib.import_module(module).__all__
    assert sorted(DOCUMENTED[module]) == sorted(exported)
    assert len(set(exported)) == len(exported)


def test_every_name_has_one_home() -> None:
    names = [name for names in DOCUMENTED.values() for name in names]
    assert sorted(set(names)) == sorted(names)


def functions(thing: Any) -> list[FunctionType]:
    """A function, or the public methods that are a class's own."""
    if not inspect.isclass(thing):
        return [thing]
    members = [value for name, value in vars(thing).items() if not name.startswith("_")]
    members = [getattr(member, "__func__", getattr(member, "fget", member)) for member in members]
    return [member for member in members if inspect.isfunction(member)]


def has_example(thing: Any) -> bool:
    """Whether the docstring has a doctest, or one of the methods of a class does."""
    methods = [value for value in vars(thing).values() if inspect.isfunction(value)] if inspect.isclass(thing) else []
    return any(_DOCTEST.search(each.__doc__ or "") for each in (thing, *methods))


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in DOCUMENTED.items() for name in names])
def test_what_is_public_has_an_example_docstrings_and_types(module: str, name: str) -> None:
    thing = inspect.unwrap(getattr(importlib.import_module(module), name))
    own = str(getattr(thing, "__module__", "")).startswith("caw_toolkit.")
    if not own or not (inspect.isclass(thing) or inspect.isfunction(thing)):  # a constant, a type alias, an option
        commented = re.compile(rf"^#: .+\n{name}\b", re.MULTILINE)
        assert any(commented.search(path.read_text(encoding="utf-8")) for path in ROOT.glob("caw_toolkit/**/*.py"))
        return
    assert has_example(thing), f"{name} has no example: a doctest under `Example:`"
    for function in functions(thing):
        parameters = set(inspect.signature(function).parameters) - {"self", "cls"}
        assert parameters | {"return"} <= set(function.__annotations__), function
        assert inspect.getdoc(function), function
