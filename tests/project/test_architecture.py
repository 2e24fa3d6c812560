"""docs/architecture.md names every module of the engine and of the plugins, and none that is not there."""

from __future__ import annotations

import re
from collections.abc import Container
from pathlib import Path

from paths import ROOT

ENGINE, PLUGINS = ROOT / "caw_toolkit", ROOT / "plugins"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

#: Rows of the tables of modules: the first cell is a dotted name.
_MODULE = re.compile(r"^\| `([\w.]+)` \|", re.MULTILINE)
#: Paths in the running text and in the table of places to change.
_PATH = re.compile(r"`((?:plugins/caw_\w+/|[\w]+/)+[\w]+\.py)`")

#: A section of a docstring, from the empty line before it to the next one or to the end of the docstring.
_EXAMPLE = re.compile(r'^\n +Example:\n(?: +(?!""").+\n)+', re.MULTILINE)


def modules_below(folder: Path, *, without: Container[str]) -> set[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*.py"))
    return {".".join(path.with_suffix("").parts) for path in paths if path.stem not in without}


def test_the_page_lists_exactly_the_modules_of_the_tree() -> None:
    engine = modules_below(ENGINE, without=("__init__", "__main__"))
    plugins = modules_below(PLUGINS, without=("__init__", "plugin"))
    assert sorted(_MODULE.findall(PAGE)) == sorted({*engine, *plugins})


def test_every_path_on_the_page_exists() -> None:
    paths = _PATH.findall(PAGE)
    assert len(paths) > 10
    for path in paths:
        assert any((root / path).is_file() for root in (ROOT, ENGINE)), path


def test_every_folder_of_the_engine_is_a_room_of_the_page() -> None:
    rooms = {path.name for path in ENGINE.iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(re.findall(r"^### `(\w+)/`$", PAGE, re.MULTILINE)) - {"caw_toolkit"}


def test_every_plugin_has_a_table_of_its_own() -> None:
    tables = re.findall(r"^### `plugins/(\w+)/`$(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert {name for name, _ in tables} == {path.parent.name for path in PLUGINS.glob("*/plugin.py")}
    for name, table in tables:
        assert {module.partition(".")[0] for module in _MODULE.findall(table)} == {name}


def test_no_module_is_longer_than_350_lines() -> None:
    """Examples of docstrings apart: a module is not split for the sake of what shows how it is used."""
    for folder in (ENGINE, PLUGINS, ROOT / "benchmarks"):
        for path in Path(folder).rglob("*.py"):
            assert len(_EXAMPLE.sub("", path.read_text(encoding="utf-8")).splitlines()) <= 350, path
