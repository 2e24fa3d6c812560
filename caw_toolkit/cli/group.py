"""The click group of `caw`: the engine's commands and those of plugins, imported when they are run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import click

from caw_toolkit.cli.environment import name_variables
from caw_toolkit.cli.errors import (
    error_boundary,
    explain,
    signals_as_interrupts,
    take_debug_option,
    warnings_on_stderr,
)
from caw_toolkit.cli.threads import bound_spinning
from caw_toolkit.errors import CawError, did_you_mean, was_interrupted
from caw_toolkit.parts import load_target
from caw_toolkit.plugins import PluginError, PluginOrigin, get_host
from caw_toolkit.plugins.engine_commands import ENGINE_COMMANDS, GROUPS
from caw_toolkit.standard_output import owned_standard_output


class _Entry(NamedTuple):
    name: str
    summary: str
    group: str


class LazyCommand(click.Command):
    """Stands for a command that is imported when it is run.

    Args:
        name: name of the command.
        load: returns the command.
        summary: its line in `caw --help`.

    Attributes:
        load: returns the command.

    .. versionadded:: 0.1
    """

    def __init__(self, name: str, load: Callable[[], click.Command], summary: str) -> None:
        super().__init__(name, short_help=summary, add_help_option=False)
        self.load = load

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Import the command and hand over to it; click goes on with the context's own command."""
        command = self.load()
        name_variables(command, parent, info_name)
        return command.make_context(info_name, args, parent, **extra)


class SuggestingGroup(click.Group):
    """Says which subcommand may have been meant.

    .. versionadded:: 0.2
    """

    #: What a subcommand is called in messages.
    kind = "command"

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand that the arguments name, or say which one may have been meant."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            ctx.fail(f"no {self.kind} {name!r}; {did_you_mean(name, self.list_commands(ctx))}")
        found, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            name_variables(command, ctx, found)
        return found, command, rest


class CawGroup(SuggestingGroup):
    """Commands of the engine and of plugins, within the boundary that turns exceptions into one line.

    .. versionadded:: 0.1
    """

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line, and leave with its exit code unless `standalone_mode` is off."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        arguments, debug = take_debug_option(sys.argv[1:] if args is None else args)
        bound_spinning()
        with owned_standard_output(), warnings_on_stderr(debug), error_boundary(debug), signals_as_interrupts():
            code = super().main(arguments, prog_name, complete_var, standalone_mode=False, **extra)
            sys.stdout.flush()  # here, where a full disk or a closed pipe still gets its line
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> None:
        """Run a command; an error of somebody else's command names the plugin that it comes from.

        What a command returns is dropped: it is no exit code.
        """
        try:
            super().invoke(ctx)
        except (
            click.exceptions.Exit,
            click.ClickException,
            click.Abort,
            KeyboardInterrupt,
            SystemExit,
            BrokenPipeError,
        ):
            raise
        except BaseException as error:
            origin = _third_party(ctx.invoked_subcommand)
            if origin is None or was_interrupted(error):
                raise
            named = PluginError(f"{explain(error)} (in the command {ctx.invoked_subcommand!r} of {origin})")
            named.exit_code = error.exit_code if isinstance(error, CawError) else 1
            raise named from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, sorted."""
        return sorted({*ENGINE_COMMANDS, *get_host().items("command")})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by name. The engine's own are found without loading any plugin."""
        if cmd_name in ENGINE_COMMANDS:
            command = ENGINE_COMMANDS[cmd_name]
            return LazyCommand(cmd_name, partial(_load_engine_command, command.target), command.summary)
        host = get_host()
        if cmd_name not in host.items("command"):
            return None
        item = host.items("command")[cmd_name]
        if isinstance(item.target, click.Command):
            return item.target
        return LazyCommand(cmd_name, partial(host.command, cmd_name), item.summary)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands below their headings, from their summaries, importing none."""
        entries = list(self._entries(ctx))
        width = max(len(entry.name) for entry in entries)
        for group in GROUPS:
            if of_group := [(entry.name.ljust(width), entry.summary) for entry in entries if entry.group == group]:
                with formatter.section(group):
                    formatter.write_dl(of_group)

    def _entries(self, ctx: click.Context) -> Iterator[_Entry]:
        for name in self.list_commands(ctx):
            if name in ENGINE_COMMANDS:
                yield _Entry(name, ENGINE_COMMANDS[name].summary, ENGINE_COMMANDS[name].group)
                continue
            item = get_host().items("command")[name]
            if isinstance(item.target, click.Command) and item.target.hidden:
                continue
            summary = item.summary if item.origin.is_own else f"{item.summary} [{item.origin.distribution}]".strip()
            yield _Entry(name, summary, GROUPS[0])


def commands_of_plugins() -> Iterator[tuple[str, click.Command]]:
    """Name and command of everything that plugins add to `caw`, imported; but not what cannot be."""
    host = get_host()
    for name in host.items("command"):
        with suppress(CawError):
            yield name, host.command(name)


def _third_party(command: str | None) -> PluginOrigin | None:
    """The plugin that a command comes from, if it is not one of the toolkit's."""
    if command is None or command in ENGINE_COMMANDS:
        return None
    item = get_host().items("command").get(command)
    return None if item is None or item.origin.is_own else item.origin


def _load_engine_command(target: str) -> click.Command:
    command = load_target(target)
    assert isinstance(command, click.Command), target
    return command
