from __future__ import annotations

import sys
from pathlib import Path

from paths import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def packages_on_disk() -> dict[str, Path]:
    found = {"caw_toolkit_presets": ROOT / "presets", "caw_toolkit_examples": ROOT / "examples" / "audio"}
    for root in (ROOT, ROOT / "plugins"):
        for top in root.glob("caw_*/__init__.py"):
            for init in top.parent.rglob("__init__.py"):
                found[".".join(init.parent.relative_to(root).parts)] = init.parent
    return found


def test_every_package_is_listed_and_every_listed_one_exists() -> None:
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == sorted(packages_on_disk())


def test_every_package_is_mapped_to_its_folder() -> None:
    folders = {name: ROOT / path for name, path in PROJECT["tool"]["setuptools"]["package-dir"].items()}
    assert folders == {name: path for name, path in packages_on_disk().items() if "." not in name}


def test_every_template_is_packaged() -> None:
    files = {path for path in (ROOT / "caw_toolkit" / "plugins" / "template").rglob("*") if path.is_file()}
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["caw_toolkit.plugins"]
    assert files == {path for pattern in patterns for path in (ROOT / "caw_toolkit" / "plugins").glob(pattern)}
    assert not any(part.startswith(".") for path in files for part in path.relative_to(ROOT).parts)  # globs pass these


def test_every_part_of_a_page_is_packaged() -> None:
    folder = ROOT / "caw_toolkit" / "pages"
    files = {path for path in folder.iterdir() if path.is_file() and path.suffix != ".py"}
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["caw_toolkit.pages"]
    assert files == {path for pattern in patterns for path in folder.glob(pattern)}


def test_every_plugin_is_advertised() -> None:
    targets = PROJECT["project"]["entry-points"]["caw_toolkit"].values()
    folders = {path.name for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").exists()}
    assert sorted(targets) == sorted(f"{name}.plugin" for name in folders)
