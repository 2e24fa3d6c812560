"""The command `caw` with all its commands imported, as mkdocs-click needs it: the real one imports what it runs."""

from __future__ import annotations

import click

from caw_toolkit.cli import main
from caw_toolkit.cli.group import LazyCommand


def imported(name: str, context: click.Context) -> click.Command:
    """A command of `caw`, imported."""
    command = main.get_command(context, name)
    assert command is not None, name
    return command.load() if isinstance(command, LazyCommand) else command


def command_tree() -> click.Group:
    """`caw` as a group that holds its commands."""
    context = click.Context(main, info_name="caw")
    commands = [imported(name, context) for name in main.list_commands(context)]
    return click.Group("caw", commands=commands, help=main.help, params=main.params)


caw = command_tree()
