"""Plugins for tests: entry points without a distribution on disk, whole distributions on the path, and wheels."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

#: Distributions, each with a plugin that is broken in another way: (distribution, entry point, source).
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
    (
        "broken-duplicate",
        "grabbing",
        "from caw_toolkit.hookspecs import hookimpl\n"
        "@hookimpl\n"
        "def register_commands(register):\n"
        "    register('generate', 'os.path:join')\n",
    ),
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
    for path, text in _files(distribution, sources, version).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def write_wheel(folder: Path, distribution: str, sources: Mapping[str, str], version: str = "1.0") -> Path:
    """Pack a distribution into a wheel, for pip to install; arguments as for `install`."""
    files = _files(distribution, sources, version)
    stem = f"{distribution.replace('-', '_')}-{version}"
    files[f"{stem}.dist-info/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = f"{stem}.dist-info/RECORD"
    files[record] = "".join(f"{path},,\n" for path in (*files, record))
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


def _files(distribution: str, sources: Mapping[str, str], version: str) -> dict[str, str]:
    """Text of every file that a distribution installs, by path."""
    stem = distribution.replace("-", "_")
    modules = {name: f"{stem}_{name.replace('-', '_')}" for name in sources}
    points = "".join(f"{name} = {module}\n" for name, module in modules.items())
    return {
        **{f"{modules[name]}.py": source for name, source in sources.items()},
        f"{stem}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n",
        f"{stem}-{version}.dist-info/entry_points.txt": f"[caw_toolkit]\n{points}" if points else "",
    }


def install_broken(folder: Path) -> None:
    """Install the broken distributions."""
    for distribution, name, source in BROKEN:
        install(folder, distribution, {name: source})
