"""Writing a new plugin: a project with a command, a processor, tests and continuous integration, from templates."""

from __future__ import annotations

import importlib.util
import keyword
import re
import secrets
import shutil
import string
from dataclasses import dataclass
from pathlib import Path, PurePath

from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.hookspecs import API_VERSION
from caw_toolkit.plugins.discovery import toolkit_version

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PREFIX = "caw-"
_LONGEST_NAME = 40

_TEMPLATES = Path(__file__).with_name("template")
_SUFFIX = ".template"


class _Template(string.Template):
    """Text with `%name` to fill in, so that `$` means what it means in the files."""

    delimiter = "%"


@dataclass(frozen=True)
class PluginNames:
    """What the parts of a plugin are called.

    Attributes:
        name: of the plugin, its command and its processor: `tape-stop`.

    Raises:
        CawUsageError: the name cannot be used.

    .. versionadded:: 0.2
    """

    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.name) > _LONGEST_NAME:
            raise CawUsageError(
                f"{self.name!r} cannot name a plugin: use lower-case letters, digits and single '-' between "
                f"them, beginning with a letter, {_LONGEST_NAME} characters at the most"
            )
        if keyword.iskeyword(self.name):
            raise CawUsageError(f"{self.name!r} cannot name a plugin: it is a keyword of Python")

    @property
    def distribution(self) -> str:
        """`caw-tape-stop`."""
        return f"{_PREFIX}{self.name}"

    @property
    def package(self) -> str:
        """`caw_tape_stop`."""
        return self.distribution.replace("-", "_")

    @property
    def function(self) -> str:
        """`tape_stop`."""
        return self.name.replace("-", "_")

    @property
    def class_name(self) -> str:
        """`TapeStop`."""
        return "".join(word.capitalize() for word in self.name.split("-"))


def plugin_names(name: str) -> PluginNames:
    """What the parts of a new plugin are called; `caw-tape-stop` stands for `tape-stop`.

    Raises:
        CawUsageError: the name cannot be used, or an importable package has it.
    """
    names = PluginNames(name.removeprefix(_PREFIX))
    if importlib.util.find_spec(names.package) is not None:
        raise CawUsageError(f"{name!r} cannot name a new plugin: there is a package {names.package} already")
    return names


def write_plugin(names: PluginNames, directory: Path) -> list[Path]:
    """Write a new plugin, completely or not at all.

    Args:
        names: of its parts.
        directory: folder to make.

    Returns:
        The files.

    Raises:
        CawUsageError: the folder exists.
        CawError: it cannot be written.
    """
    if directory.exists() or directory.is_symlink():
        raise CawUsageError(f"{directory} exists; name another folder with --directory")
    contents = _render(names)
    partial = directory.with_name(f".caw-{secrets.token_hex(4)}.part")
    try:
        try:
            for path, text in contents.items():
                (partial / path).parent.mkdir(parents=True, exist_ok=True)
                (partial / path).write_text(text, encoding="utf-8")
            partial.rename(directory)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise CawError(f"cannot write {directory}: {error.strerror or error}") from error
    return [directory / path for path in contents]


def _render(names: PluginNames) -> dict[PurePath, str]:
    """Text of every file, by path."""
    values = {
        "api_version": API_VERSION,
        "class_name": names.class_name,
        "distribution": names.distribution,
        "function": names.function,
        "name": names.name,
        "package": names.package,
        "toolkit_version": ".".join(toolkit_version().split(".")[:2]).partition("+")[0],
    }
    return {
        _target(file.relative_to(_TEMPLATES), names): _Template(file.read_text(encoding="utf-8")).substitute(values)
        for file in sorted(_TEMPLATES.rglob(f"*{_SUFFIX}"))
    }


def _target(path: PurePath, names: PluginNames) -> PurePath:
    """Where a template's text goes: `dot-` stands for a dot, `package` for the package's name."""
    parts = [names.package if part == "package" else re.sub("^dot-", ".", part) for part in path.parts]
    return PurePath(*parts[:-1], parts[-1].removesuffix(_SUFFIX))
