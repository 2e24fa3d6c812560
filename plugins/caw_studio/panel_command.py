"""`caw panel`: what a panel that a plugin has added to the page does, from the command line."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from caw_toolkit import CawUsageError
from caw_toolkit.cli.options import FILE, examples, quiet_option
from caw_toolkit.cli.progress import progress_option
from caw_toolkit.cli.results import Results, result_options


@click.command(epilog=examples("caw panel NAME song.wav -o results/ --set amount=0.5"))
@click.argument("name")
@click.argument("recording", type=FILE)
@click.option(
    "-o",
    "--output",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    metavar="FOLDER",
    help="Folder for the results; default: the present one.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PARAMETER=VALUE",
    help="A number, text, True, False or None; once for each parameter.",
)
@result_options(what="result")
@quiet_option
@progress_option
def panel(name: str, recording: Path, output: Path, settings: Sequence[str], results: Results, quiet: bool) -> None:
    """Run the panel NAME, which a plugin has added to caw studio, on RECORDING.

    Results are RECORDING.RESULT.wav in the folder, one for each that the panel makes.
    """
    from caw_toolkit import read_audio
    from caw_toolkit.plugins import get_host
    from caw_toolkit.processors.panels import Panel

    found = get_host().load("panel", name)
    if not isinstance(found, Panel):
        raise CawUsageError(f"the panel {name!r} was not made with caw_toolkit.processors.panels.panel")
    values = dict(map(_setting, settings))
    clip = read_audio(recording)
    made = found(clip, **values)
    targets = {result: output / f"{recording.stem}.{result}{results.suffix or '.wav'}" for result in made}
    results.expect(list(targets.values()), inputs=[recording])
    for result, audio in made.items():
        results.write(targets[result], audio.samples, audio.sample_rate, of=clip, read=[recording])


def _setting(text: str) -> tuple[str, Any]:
    """A parameter and its value: as Python writes it, or else text.

    >>> _setting("factor=2"), _setting("mode=slow")
    (('factor', 2), ('mode', 'slow'))
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise CawUsageError(f"--set {text[:80]!r} is not of the form PARAMETER=VALUE")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return name, value
