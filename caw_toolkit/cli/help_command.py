"""`caw help`: what `--help` shows, asked for in another way."""

from __future__ import annotations

from collections.abc import Sequence

import click

from caw_toolkit.cli.options import examples


@click.command("help", epilog=examples("caw help train"))
@click.argument("names", nargs=-1, metavar="[COMMAND]")
@click.pass_context
def help_command(context: click.Context, names: Sequence[str]) -> None:
    """Show the help of COMMAND, or what commands there are."""
    root = context.find_root()
    assert isinstance(root.command, click.Group)
    root.command.main([*names, "--help"], prog_name=root.info_name, standalone_mode=False)
