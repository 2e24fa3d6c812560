"""The command `caw` with all its commands imported, as mkdocs-click needs it: the real one imports what it runs."""

from __future__ import annotations

import inspect
import re

import click

from caw_toolkit.cli import main
from caw_toolkit.cli.group import LazyCommand

#: A paragraph that click does not wrap.
_AS_IT_STANDS = re.compile(r"^\x08\n(?P<text>(?:.+\n?)+)", re.MULTILINE)


def imported(name: str, context: click.Context) -> click.Command:
    """A command of `caw`, imported, its help as Markdown."""
    command = main.get_command(context, name)
    assert command is not None, name
    command = command.load() if isinstance(command, LazyCommand) else command
    help_as_markdown(command)
    return command


def help_as_markdown(command: click.Command) -> None:
    """Put fences around what the help shows as it stands, its examples included; and so for commands below it."""
    texts = [inspect.cleandoc(text) for text in (command.help, command.epilog) if text]
    command.help = _AS_IT_STANDS.sub(lambda match: f"```text\n{match['text'].rstrip()}\n```\n", "\n\n".join(texts))
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        help_as_markdown(below)


def command_tree() -> click.Group:
    """`caw` as a group that holds its commands."""
    context = click.Context(main, info_name="caw")
    commands = [imported(name, context) for name in main.list_commands(context)]
    return click.Group(
        "caw", commands=commands, help=main.help, params=main.params, context_settings=main.context_settings
    )


caw = command_tree()
