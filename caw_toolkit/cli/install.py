"""`caw install` and `caw uninstall`: plugins of the environment that `caw` runs in."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from caw_toolkit.cli.lines import say
from caw_toolkit.cli.options import examples
from caw_toolkit.errors import CawError, CawUsageError, did_you_mean
from caw_toolkit.parts import DISTRIBUTION
from caw_toolkit.plugins.discovery import discover, origin_of
from caw_toolkit.plugins.installers import failure_reason, find_installer
from caw_toolkit.plugins.kinds import ITEM_KINDS

#: A requirement that begins with the name of a distribution. Paths, archives and URLs do not.
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:[\[<>=!~;].*)?", re.ASCII)
_ARCHIVES = (".whl", ".zip", ".tar.gz")

_Plugin = Mapping[str, Any]


@click.command(epilog=examples("caw install ./caw-plugin-freeze"))
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("-U", "--upgrade", is_flag=True, help="Take a newer version of what is installed already.")
@click.option("-e", "--editable", is_flag=True, help="Use the folders as they are, so that changes in them count.")
def install(names: Sequence[str], upgrade: bool, editable: bool) -> None:
    """Install plugins into the environment that caw runs in.

    NAME is what pip takes: a distribution, a folder, a wheel or a URL. It is done with pip, or with pipx or uv where
    they look after the environment.
    """
    _refuse_options(names)
    for name in names:
        if editable and not Path(name.partition("[")[0]).is_dir():
            raise CawUsageError(f"--editable takes folders with the source of a plugin, and {name!r} is none")
    installer = find_installer()
    plugins_before, distributions_before = _listed_plugins(), _distributions()
    say(f"installing {', '.join(names)}")
    installer.install(names, upgrade=upgrade, editable=editable)
    if installer.caution:
        click.echo(installer.caution, err=True)
    plugins = _listed_plugins()
    new = [plugin for plugin in plugins if plugin not in plugins_before]
    for plugin in new:
        click.echo(f"installed {_describe(plugin)}")
    without_plugin = _without_plugin(names, plugins)
    if not new:
        without_plugin = without_plugin or sorted(_distributions() - distributions_before)
    if without_plugin:
        removal = shlex.join([*installer.uninstall_command, *without_plugin])
        raise CawError(f"{', '.join(without_plugin)}: installed, but without a plugin of caw; to remove: {removal}")
    if not new:
        click.echo("no new plugin: what was asked for is installed already")
    if any(plugin["error"] or plugin["problems"] for plugin in new):
        raise CawError("not everything works that was installed: caw plugins says what is wrong")


@click.command(epilog=examples("caw uninstall caw-plugin-freeze"))
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def uninstall(names: Sequence[str]) -> None:
    """Remove plugins from the environment that caw runs in.

    NAME is a distribution, as caw plugins shows it.
    """
    _refuse_options(names)
    added = _plugin_distributions() - {DISTRIBUTION}
    for name in map(canonical_name, names):
        if name == DISTRIBUTION:
            raise CawUsageError(f"{DISTRIBUTION} is caw itself: remove it with the program that installed it")
        if name not in added:
            others = did_you_mean(name, added) if added else "no plugins have been added"
            raise CawUsageError(f"no plugin comes from a distribution {name!r}; {others}")
    find_installer().uninstall(names)
    importlib.invalidate_caches()
    left = sorted(_plugin_distributions().intersection(map(canonical_name, names)))
    if left:
        places = ", ".join(str(importlib.metadata.distribution(name).locate_file("")) for name in left)
        raise CawError(f"{', '.join(left)} is still there, as it lies outside this environment: {places}")
    say(f"uninstalled {', '.join(names)}", err=False)


def canonical_name(distribution: str) -> str:
    """The name of a distribution in the one spelling that stands for all.

    >>> canonical_name("Caw_Shout")
    'caw-shout'
    """
    return re.sub(r"[-_.]+", "-", distribution).lower()


def required_distribution(requirement: str) -> str | None:
    """The distribution that a requirement names; None for a path, an archive or a URL.

    >>> required_distribution("Caw_Shout[all]>=1.0"), required_distribution("./caw-shout")
    ('caw-shout', None)
    """
    without_source = requirement.partition("@")[0].strip()
    match = _REQUIREMENT.fullmatch(without_source)
    return None if match is None or without_source.endswith(_ARCHIVES) else canonical_name(match["name"])


def _refuse_options(names: Iterable[str]) -> None:
    for name in names:
        if not name.strip() or name.startswith("-"):
            raise CawUsageError(f"{name!r} is not the name of a distribution")


def _without_plugin(names: Iterable[str], plugins: Iterable[_Plugin]) -> list[str]:
    """The distributions asked for by name that have no plugin."""
    having = {canonical_name(plugin["distribution"]) for plugin in plugins}
    return sorted({name for name in map(required_distribution, names) if name is not None and name not in having})


def _plugin_distributions() -> set[str]:
    """Distributions that advertise plugins, found without importing any."""
    return {canonical_name(origin_of(point).distribution) for point in discover()[0]}


def _distributions() -> set[str]:
    importlib.invalidate_caches()
    names = (distribution.metadata["Name"] for distribution in importlib.metadata.distributions())
    return {canonical_name(name) for name in names if name}


def _listed_plugins() -> list[_Plugin]:
    """What `caw plugins --json` lists in a new process, which sees the environment as it is now, and nothing beside it.

    Raises:
        CawError: `caw` no longer starts.
    """
    environment = {name: value for name, value in os.environ.items() if name not in ("CAW_STRICT_PLUGINS", "CAW_DEBUG")}
    done = subprocess.run(
        [sys.executable, "-m", "caw_toolkit", "plugins", "--json"],
        env={**environment, "CAW_DISABLE_PLUGINS": ""},
        cwd=sys.prefix,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise CawError(f"caw plugins fails in this environment: {failure_reason(done.stderr)}")
    plugins: list[_Plugin] = json.loads(done.stdout)["plugins"]
    return plugins


def _describe(plugin: _Plugin) -> str:
    """A plugin, where it comes from and what it adds, on one line."""
    return "; ".join([f"{plugin['name']} ({plugin['distribution']} {plugin['version']})", *_additions(plugin)])


def _additions(plugin: _Plugin) -> Iterator[str]:
    for kind in ITEM_KINDS:
        if plugin[kind.plural]:
            yield f"{kind.plural}: {', '.join(plugin[kind.plural])}"
    yield from filter(None, (plugin["error"], *plugin["problems"]))
