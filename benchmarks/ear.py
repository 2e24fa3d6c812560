"""Takes beside their recording, as nearly as can be measured to how they are heard.

    python benchmarks/ear.py RECORDING TAKE... [--kind speech|music|ambience] [--json]

Stretches of the recording, its halves or parts of 15 s, are compared with each other, and stretches of the takes of the
same length with each of them; what is left over at the ends is not. So takes that are as far from the recording as its
parts are from each other cannot be told from more of the same. One table: each row is a feature, its value where it is
a number, both distances, and how many times the second is the first; below 1, takes mix what the recording keeps apart.

Needs the extra `quality`, and for voices and notes what docs/results.md says. Features whose packages are missing are
left out, and named.
"""

from __future__ import annotations

import importlib.util
import json
import math
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import click

from caw_toolkit.metrics import Signal, scoring_signal
from caw_toolkit.pyramid.material import Material, detect_material
from hearing import notes, rhythm, speech, texture
from hearing.features import RATE, Aspect

SHORTEST_SECONDS, LONGEST_SECONDS = 4.0, 15.0


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        feature: its name.
        recording: mean value in the recording, and NaN if it has none.
        takes: mean value in the takes.
        real: mean distance of stretches of the recording from each other.
        made: mean distance of stretches of the takes from them.
    """

    feature: str
    recording: float
    takes: float
    real: float
    made: float

    @property
    def ratio(self) -> float:
        """How many times further the takes are than the recording is from itself."""
        return self.made / self.real if self.real else math.nan

    def as_json(self) -> dict[str, str | float | None]:
        """The row, with null where there is no number."""
        numbers = {"recording": self.recording, "takes": self.takes, "real": self.real, "made": self.made}
        found = {**numbers, "ratio": self.ratio}
        return {
            "feature": self.feature,
            **{name: None if math.isnan(value) else value for name, value in found.items()},
        }


def aspects(kind: Material, recording: Signal) -> tuple[Aspect, ...]:
    """What is listened for in a kind of recording."""
    if kind is Material.SPEECH:
        return speech.ASPECTS
    if kind is Material.AMBIENCE:
        return texture.ASPECTS
    return (*notes.ASPECTS, rhythm.aspect(recording))


def stretches(signal: Signal, samples: int) -> list[Signal]:
    """As many stretches of a length as there are in a signal, one after the other."""
    return [signal[start : start + samples] for start in range(0, len(signal) - samples + 1, samples)]


def compare(aspect: Aspect, real: Sequence[Signal], made: Sequence[Signal]) -> Iterator[Row]:
    """A row for each feature of an aspect, from stretches of the recording and of takes."""
    described_real, described_made = (list(map(aspect.describe, signals)) for signals in (real, made))
    for name in described_real[0]:
        known, others = ([features[name] for features in every] for every in (described_real, described_made))
        yield Row(
            name,
            _mean([feature.value for feature in known]),
            _mean([feature.value for feature in others]),
            _mean([first.distance(second) for first, second in combinations(known, 2)]),
            _mean([first.distance(second) for first, second in product(known, others)]),
        )


def _mean(values: Sequence[float]) -> float:
    """Mean of what is a number."""
    return statistics.fmean([value for value in values if not math.isnan(value)] or [math.nan])


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Lines of Markdown."""
    yield "| feature | recording | takes | recording from itself | takes from it | times |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        cells = [row.recording, row.takes, row.real, row.made]
        shown = [*(_shown(cell, 3) for cell in cells), _shown(row.ratio, 1)]
        yield f"| {row.feature} | {' | '.join(shown)} |"


def _shown(value: float, decimals: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{decimals}f}"


@click.command()
@click.argument("recording", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("takes", type=click.Path(exists=True, dir_okay=False, path_type=Path), nargs=-1, required=True)
@click.option(
    "--kind", type=click.Choice([str(kind) for kind in Material]), help="What the recording is. Default: as it sounds."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the table.")
def ear(recording: Path, takes: tuple[Path, ...], kind: str | None, as_json: bool) -> None:
    """Compare TAKES with the RECORDING that their model was trained on."""
    real, *made = (scoring_signal(path, RATE)[0] for path in (recording, *takes))
    length = min(len(real) // 2, *map(len, made), round(LONGEST_SECONDS * RATE))
    if length < SHORTEST_SECONDS * RATE:
        least = (
            f"at least {SHORTEST_SECONDS:g} s of each take and {2 * SHORTEST_SECONDS:g} s of the recording are needed"
        )
        raise click.UsageError(f"too short to compare: {least}")
    parts = [part for take in made for part in stretches(take, length)]
    material = Material(kind) if kind else detect_material(real[None], RATE)
    rows = []
    for aspect in aspects(material, real):
        missing = [name for name in aspect.packages if importlib.util.find_spec(name) is None]
        if missing:
            print(f"left out, as {' and '.join(missing)} is not installed: {aspect.describe.__doc__}", file=sys.stderr)
        else:
            rows += compare(aspect, stretches(real, length), parts)
    if as_json:
        print(json.dumps([row.as_json() for row in rows], indent=2))
    else:
        print(
            f"{recording.name}, as {material}; {len(parts)} stretches of {length / RATE:.1f} s of takes\n",
            *table(rows),
            sep="\n",
        )


if __name__ == "__main__":
    ear()
