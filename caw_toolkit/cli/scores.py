"""Parts of evaluation commands: reading files to compare, and printing their scores.

.. versionadded:: 0.1
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit.cli.options import FILE, Decorator
from caw_toolkit.errors import CawError

if TYPE_CHECKING:
    from caw_toolkit.metrics.signals import Signal

__all__ = ["Scores", "outputs_argument", "read_pair", "reference_option", "show_scores"]

#: Scores of one file, by name; each name ends with its unit, if it has one.
Scores = Mapping[str, float]

_SHORTEST_SECONDS = 0.5

#: `OUT...`, as `outputs`: the files to score.
outputs_argument: Decorator = click.argument("outputs", nargs=-1, required=True, type=FILE, metavar="OUT...")


def reference_option(name: str, help_text: str) -> Decorator:
    """A required option that names the file to compare with, as `reference`."""
    return click.option(name, "reference", type=FILE, required=True, metavar="FILE", help=help_text)


def read_pair(reference: Path, output: Path) -> tuple[Signal, Signal, int]:
    """Read two files to compare, the second at the rate of the first.

    Returns:
        Both signals, and their rate in Hz.

    Raises:
        CawError: one cannot be read, is shorter than half a second, or the reference is silent.
    """
    from caw_toolkit.metrics import scoring_signal

    real, rate = scoring_signal(reference)
    made, _ = scoring_signal(output, rate)
    for path, signal in ((reference, real), (output, made)):
        if len(signal) < _SHORTEST_SECONDS * rate:
            raise CawError(f"{path} is {len(signal) / rate:.3f} s long: at least {_SHORTEST_SECONDS:g} s are needed")
    if not real.any():
        raise CawError(f"{reference} is silent: nothing can be compared with it")
    return real, made, rate


def show_scores(outputs: Sequence[Path], scores: Sequence[Scores], *, as_json: bool) -> None:
    """Print the scores of files: a table with a row each, or a JSON list, in which NaN and infinity are null."""
    if as_json:
        rows = [
            {"file": str(path), **{name: value if math.isfinite(value) else None for name, value in row.items()}}
            for path, row in zip(outputs, scores, strict=True)
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    cells = [["file", *scores[0]]]
    cells += [
        [str(path), *(f"{value:.3f}" for value in row.values())] for path, row in zip(outputs, scores, strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for first, *others in cells:
        aligned = [value.rjust(width) for value, width in zip(others, widths[1:], strict=True)]
        click.echo("  ".join([first.ljust(widths[0]), *aligned]))
