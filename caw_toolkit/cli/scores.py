"""Parts of evaluation commands: reading files to compare, and printing their scores.

.. versionadded:: 0.2
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit.cli.lines import say
from caw_toolkit.cli.options import FILE, Decorated, Decorator
from caw_toolkit.cli.page_output import PageFile, page_option
from caw_toolkit.errors import CawError

if TYPE_CHECKING:
    from caw_toolkit.metrics.signals import Signal

__all__ = ["Scores", "outputs_argument", "read_pair", "reference_option", "score_page_option", "show_scores"]

#: Scores of one file, by name; each name ends with its unit, if it has one.
Scores = Mapping[str, float]

_SHORTEST_SECONDS = 0.5
#: Samples by which lengths differ that were rounded, at the lower rate.
_MOST_ROUNDING = 1

#: `OUT...`, as `outputs`: the files to score.
outputs_argument: Decorator = click.argument("outputs", nargs=-1, required=True, type=FILE, metavar="OUT...")


def score_page_option(function: Decorated) -> Decorated:
    """`--html FILE` and `--force`, together as `page` of `show_scores`; for commands with `outputs` and `reference`.

    Example:
        >>> @click.command()
        ... @outputs_argument
        ... @reference_option("--reference", "The recording.")
        ... @score_page_option
        ... def loudness(outputs, reference, page):
        ...     print(page)
        >>> loudness(["-", "--reference", "-"], standalone_mode=False)
        None
    """
    option = page_option("Write a page to listen to the files, with their scores.", reads=("outputs", "reference"))
    return option(function)


def reference_option(name: str, help_text: str) -> Decorator:
    """A required option that names the file to compare with, as `reference`.

    Example:
        >>> @click.command()
        ... @reference_option("--recording", "What the takes were made from.")
        ... def loudness(reference):
        ...     print(reference)
        >>> loudness(["--recording", "-"], standalone_mode=False)
        -
    """
    return click.option(name, "reference", type=FILE, required=True, metavar="FILE", help=help_text)


def read_pair(reference: Path, output: Path, *, of_one_length: bool = True) -> tuple[Signal, Signal, int]:
    """Read two files to compare, the second at the rate of the first, and say where they differ in rate or length.

    Args:
        reference: what is compared with.
        output: what is scored.
        of_one_length: whether only as much is compared as both hold.

    Returns:
        Both signals, and their rate in Hz.

    Raises:
        CawError: one cannot be read, is shorter than half a second, or the reference is silent.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from caw_toolkit import write_audio
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     real, made = Path(folder, "real.wav"), Path(folder, "made.wav")
        ...     written = write_audio(real, np.full((1, 8000), 0.5), 8000)
        ...     written = write_audio(made, np.full((1, 16000), 0.5), 16000)
        ...     [len(signal) for signal in read_pair(real, made)[:2]]
        [8000, 8000]
    """
    from caw_toolkit.audio.reading import read_audio
    from caw_toolkit.metrics import scoring_signal
    from caw_toolkit.metrics.signals import in_scoring_steps

    real, rate = scoring_signal(reference)
    clip = read_audio(output)
    made = in_scoring_steps(clip, rate)
    for path, signal in ((reference, real), (output, made)):
        if len(signal) < _SHORTEST_SECONDS * rate:
            raise CawError(f"{path} is {len(signal) / rate:.3f} s long: at least {_SHORTEST_SECONDS:g} s are needed")
    if not real.any():
        raise CawError(f"{reference} is silent: nothing can be compared with it")
    if clip.sample_rate != rate:
        say(f"{output} is at {clip.sample_rate} Hz, and is compared at the {rate} Hz of {reference}")
    if of_one_length and abs(len(real) - len(made)) > _MOST_ROUNDING * max(1.0, rate / clip.sample_rate):
        lengths = f"{len(made) / rate:.3f} s long, {reference} {len(real) / rate:.3f} s"
        say(f"{output} is {lengths}: what both hold is compared")
    return real, made, rate


def show_scores(
    outputs: Sequence[Path],
    scores: Sequence[Scores],
    *,
    as_json: bool,
    page: PageFile | None = None,
    reference: Path | None = None,
) -> None:
    """Print the scores of files: a table with a row each and their mean, or a JSON list without it.

    NaN and infinity are null in JSON.

    Args:
        outputs: the files.
        scores: of each.
        as_json: whether to print JSON.
        page: to write, with the files and their scores.
        reference: what they were compared with, for the page.

    Example:
        >>> show_scores([Path("a.wav"), Path("b.wav")], [{"lsd_db": 1.5}, {"lsd_db": 2.5}], as_json=False)
        file   lsd_db
        a.wav   1.500
        b.wav   2.500
        mean    2.000
    """
    if as_json:
        rows = [
            {"file": str(path), **{name: value if math.isfinite(value) else None for name, value in row.items()}}
            for path, row in zip(outputs, scores, strict=True)
        ]
        click.echo(json.dumps(rows, indent=2))
    else:
        _show_table(outputs, scores)
    if page is not None:
        _write_page(page, outputs, scores, reference)


def _show_table(outputs: Sequence[Path], scores: Sequence[Scores]) -> None:
    cells = [["file", *scores[0]]]
    rows = [(str(path), row) for path, row in zip(outputs, scores, strict=True)]
    if len(rows) > 1:
        rows.append(("mean", {name: statistics.fmean(row[name] for row in scores) for name in scores[0]}))
    cells += [[name, *map(_shown, row.values())] for name, row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for first, *others in cells:
        aligned = [value.rjust(width) for value, width in zip(others, widths[1:], strict=True)]
        say("  ".join([first.ljust(widths[0]), *aligned]), err=False)


def _shown(score: float) -> str:
    """What is counted without decimals."""
    return str(score) if isinstance(score, int) else f"{score:.3f}"


def _write_page(page: PageFile, outputs: Sequence[Path], scores: Sequence[Scores], reference: Path | None) -> None:
    from caw_toolkit.pages.page import Page
    from caw_toolkit.pages.track import track_of_file

    tracks = [] if reference is None else [track_of_file(reference, role="recording")]
    tracks += [track_of_file(path, scores=row) for path, row in zip(outputs, scores, strict=True)]
    page.write(Page(f"Scores: {click.get_current_context().info_name}", tracks))
