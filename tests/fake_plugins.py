"""Plugins for tests: entry points without a distribution on disk, and whole fake distributions on the path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

#: Five distributions, each with a plugin that is broken in another way: (distribution, entry point, source).
BROKEN: tuple[tuple[str, str, str], ...] = (
    ("broken-import", "importing", "import a_module_that_does_not_exist"),
    ("broken-exit", "exiting", "raise SystemExit('no such luck')"),
    (
        "broken-hook",
        "raising",
        "from caw_toolkit.hookspecs import hookimpl\n"
        "@hookimpl\n"
        "def register_commands(register):\n"
        "    raise ValueError('two\\nlines')\n",
    ),
    (
        "broken-signature",
        "misdeclared",
        "from caw_toolkit.hookspecs import hookimpl\n"
        "@hookimpl\n"
        "def register_commands(register, everything):\n"
        "    pass\n",
    ),
    ("broken-version", "futuristic", "caw_api_version = 99"),
)


@dataclass(frozen=True)
class FakeEntryPoint:
    """An entry point that leads to an object in memory.

    Args:
        name: name of the plugin.
        plugin: the plugin, or a function that raises when it is loaded.
        distribution: name of the distribution.
        version: version of the distribution.
    """

    name: str
    plugin: Any = None
    distribution: str = "fake"
    version: str = "1.0"
    error: BaseException | None = None
    value: str = field(default="fake.plugin")

    @property
    def dist(self) -> Any:
        return SimpleNamespace(metadata={"Name": self.distribution, "Version": self.version})

    def load(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.plugin


def module(**attributes: Any) -> ModuleType:
    """A module with these attributes."""
    made = ModuleType("fake_plugin")
    vars(made).update(attributes)
    return made


def plugin(**hooks: Callable[..., Any]) -> ModuleType:
    """A module whose functions are marked as hook implementations."""
    from caw_toolkit.hookspecs import hookimpl

    return module(**{name: hookimpl(function) for name, function in hooks.items()})


def install(folder: Path, distribution: str, sources: Mapping[str, str], version: str = "1.0") -> None:
    """Lay out a distribution as pip would, so that it is installed wherever `folder` is on the path.

    Args:
        folder: where packages go.
        distribution: its name.
        sources: source of the plugin module of each entry point.
        version: its version.
    """
    stem = distribution.replace("-", "_")
    lines = ["[caw_toolkit]"]
    for name, source in sources.items():
        module_name = f"{stem}_{name.replace('-', '_')}"
        (folder / f"{module_name}.py").write_text(source, encoding="utf-8")
        lines.append(f"{name} = {module_name}")
    metadata = folder / f"{stem}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")


def install_broken(folder: Path) -> None:
    """Install the five broken distributions."""
    for distribution, name, source in BROKEN:
        install(folder, distribution, {name: source})
