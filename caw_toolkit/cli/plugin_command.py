"""`caw plugin new`: the start of a plugin of one's own."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from caw_toolkit.cli.lines import say
from caw_toolkit.cli.options import NamedPath, examples
from caw_toolkit.errors import CawUsageError
from caw_toolkit.plugins import get_host
from caw_toolkit.plugins.engine_commands import ENGINE_COMMANDS
from caw_toolkit.plugins.scaffold import plugin_names, write_plugin


@click.group()
def plugin() -> None:
    """Write a plugin of your own."""


@plugin.command(epilog=examples("caw plugin new shout"))
@click.argument("name")
@click.option(
    "--directory",
    type=NamedPath(path_type=Path),
    metavar="DIR",
    help="Folder to make. Default: caw-NAME in this folder.",
)
def new(name: str, directory: Path | None) -> None:
    """Write a complete plugin called NAME: a command, a processor, tests, and a workflow that runs them.

    It works as it is. Put what yours does into its task.py.
    """
    names = plugin_names(name)
    taken = {*ENGINE_COMMANDS, *get_host().items("command"), *get_host().items("processor")}
    if names.name in taken:
        raise CawUsageError(f"caw has a command or a processor {names.name!r} already; choose another name")
    directory = directory or Path(names.distribution)
    files = write_plugin(names, directory)
    say(f"wrote {len(files)} files to {directory}", err=False)
    say(f"install it:  pip install -e {shlex.quote(f'{directory}[dev]')}", err=False)
    click.echo(f"try it:      caw {names.name} --help")
    say(f"test it:     cd {shlex.quote(str(directory))} && pytest", err=False)
