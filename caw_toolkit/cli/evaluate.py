"""`caw evaluate`: scores of results against references. Its subcommands are the plugins'."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from caw_toolkit.cli.group import LazyCommand, SuggestingGroup
from caw_toolkit.cli.options import examples
from caw_toolkit.cli.progress import progress_option, shown_progress
from caw_toolkit.plugins import get_host


class EvaluationGroup(SuggestingGroup):
    """The evaluations that plugins registered.

    .. versionadded:: 0.2
    """

    kind = "evaluation"

    def invoke(self, ctx: click.Context) -> Any:
        """Run an evaluation, and say so if it takes long."""
        with shown_progress() as display:
            display.update(0.0, "scoring")
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all evaluations, sorted."""
        return sorted(get_host().items("evaluation"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """An evaluation by name, imported when it is run."""
        host = get_host()
        evaluations = host.items("evaluation")
        if cmd_name not in evaluations:
            return None
        return LazyCommand(cmd_name, partial(host.load, "evaluation", cmd_name), evaluations[cmd_name].summary)


@click.group(cls=EvaluationGroup, epilog=examples("caw evaluate generate --training clip.wav clip_take1.wav"))
@progress_option
def evaluate() -> None:
    """Score results against what they should be.

    Files are compared in mono, as 16-bit files would hold them, over the length of the shorter.
    """
