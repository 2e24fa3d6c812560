"""How far the work has come, on standard error.

    @click.command()
    @click.argument("clips", nargs=-1, type=FILE)
    @quiet_option
    @progress_option
    def shout(clips, quiet):
        with shown_progress(quiet=quiet) as display:
            for number, clip in enumerate(clips, 1):
                display.begin_file(clip.name, number, len(clips))
                ...
                display.update(0.5, "shouting")

.. versionadded:: 0.1
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from caw_toolkit.cli.options import Decorator
from caw_toolkit.progress.display import PartOfDisplay, ProgressDisplay
from caw_toolkit.progress.views import Show, json_lines, log_lines

__all__ = ["ProgressDisplay", "part_of_progress", "progress_option", "shown_progress"]

# Of what click keeps for a command and its subcommands.
_MODE, _DISPLAY, _PART = f"{__name__}.mode", f"{__name__}.display", f"{__name__}.part"

#: Of the work on a file for which a model is trained first.
_SHARE_OF_TRAINING = 0.9


def _keep_mode(context: click.Context, _parameter: click.Parameter, mode: str) -> None:
    context.meta[_MODE] = mode


#: `--progress MODE`, for `shown_progress`, which finds it by itself.
progress_option: Decorator = click.option(
    "--progress",
    type=click.Choice(["auto", "json", "none"]),
    default="auto",
    show_default=True,
    expose_value=False,
    callback=_keep_mode,
    help="How to show progress on standard error: a bar on a terminal, lines of JSON, or not at all.",
)


@contextmanager
def shown_progress(*, quiet: bool = False) -> Iterator[ProgressDisplay]:
    """Show how far the work in the block has come, as `--progress` says; on a terminal only if it takes over 2 s.

    Elsewhere nothing is shown, but for a line a minute with `--debug`. Within another such block it is a part of the
    work on the file that has been begun there.

    Args:
        quiet: show nothing.

    Example:
        >>> with shown_progress(quiet=True) as display:
        ...     display.begin_file("clip.wav", 1, 1)
        ...     display.update(0.5, "shouting")
    """
    context = click.get_current_context(silent=True)
    meta = {} if context is None else context.meta
    if _DISPLAY in meta:
        yield PartOfDisplay(meta[_DISPLAY], *meta.get(_PART, (0.0, _SHARE_OF_TRAINING)))
        return
    with _view("none" if quiet else meta.get(_MODE, "auto")) as show:
        meta[_DISPLAY] = display = ProgressDisplay(show)
        try:
            yield display
        finally:
            del meta[_DISPLAY]


@contextmanager
def part_of_progress(first: float, last: float) -> Iterator[None]:
    """Let what is shown by `shown_progress` within the block be a part of the work on the file.

    Args:
        first: share of the work on the file that is done before the part.
        last: and after it.

    Example:
        >>> from click.testing import CliRunner
        >>> @click.command()
        ... @progress_option
        ... def shout():
        ...     with shown_progress() as whole:
        ...         whole.begin_file("clip.wav", 1, 1)
        ...         with part_of_progress(0.5, 0.9), shown_progress() as part:
        ...             part.update(0.5, "training")
        >>> '"fraction": 0.7,' in CliRunner().invoke(shout, ["--progress", "json"]).stderr
        True

    .. versionadded:: 0.2
    """
    context = click.get_current_context(silent=True)
    meta = {} if context is None else context.meta
    meta[_PART] = first, last
    try:
        yield
    finally:
        del meta[_PART]


def _view(mode: str) -> contextlib.AbstractContextManager[Show]:
    if mode == "json":
        return json_lines(sys.stderr)
    if mode == "none":
        return contextlib.nullcontext(lambda state: None)
    from caw_toolkit.progress.terminal import can_show_line, terminal_line

    return terminal_line(sys.stderr) if can_show_line(sys.stderr) else contextlib.nullcontext(log_lines())
