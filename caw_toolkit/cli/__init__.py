"""The command `caw`. Nothing here imports torch or numpy: commands load when they are run."""

from __future__ import annotations

import click

from caw_toolkit.cli.errors import DEBUG_OPTION
from caw_toolkit.cli.group import CawGroup
from caw_toolkit.cli.options import examples
from caw_toolkit.plugins.discovery import toolkit_version

__all__ = ["main"]


def _show_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"caw {toolkit_version()}")
        context.exit()


@click.group(
    name="caw",
    cls=CawGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("caw train clip.wav -o clip.pt", "caw generate -m clip.pt -n 3"),
)
@click.option(
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version.",
)
@click.option(
    DEBUG_OPTION,
    is_flag=True,
    expose_value=False,
    help="Show tracebacks of errors; may stand anywhere (CAW_DEBUG=1).",
)
def main() -> None:
    """Train a model on one short recording, then make, change and mend audio of that source.

    The default of every option can be set in the environment: CAW_TRAIN_MINUTES=5 is --minutes 5 of caw train.
    """
