"""Takes beside their recording, as nearly as can be measured to how they are heard.

    python benchmarks/ear.py RECORDING TAKE... [--kind speech|music|ambience] [--json]

The recording's halves are compared with each other, and stretches of the takes, as long as a half, with each half. So
a take that is as far from the recording as one half is from the other cannot be told from more of the same. One table:
each row is a feature, its value where it is a number, both distances, and how many times the second is the first.

Install the extra `quality`, and for voices and notes what docs/results.md says beside. Features whose packages are
missing are left out, and named.
"""

from __future__ import annotations

import importlib.util
import json
import math
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import click

from caw_toolkit.metrics import Signal, scoring_signal
from caw_toolkit.pyramid.material import Material, detect_material
from hearing import notes, rhythm, speech, texture
from hearing.features import RATE, Aspect

SHORTEST_SECONDS = 4.0


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        feature: its name.
        recording: mean value in the halves of the recording, and NaN if it has none.
        takes: mean value in the takes.
        real: distance of the halves from each other.
        made: mean distance of the takes from the halves.
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
        """The row with what is no number as null."""
        values = {**asdict(self), "ratio": self.ratio}
        return {name: None if value != value else value for name, value in values.items()}


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


def compare(aspect: Aspect, halves: Sequence[Signal], made: Sequence[Signal]) -> Iterator[Row]:
    """A row for each feature of an aspect."""
    real_features, made_features = (list(map(aspect.describe, signals)) for signals in (halves, made))
    for name in real_features[0]:
        first, second = (features[name] for features in real_features)
        others = [features[name] for features in made_features]
        yield Row(
            name,
            _mean([first.value, second.value]),
            _mean([other.value for other in others]),
            first.distance(second),
            _mean([half.distance(other) for half, other in product((first, second), others)]),
        )


def _mean(values: Sequence[float]) -> float:
    """Mean of what is a number."""
    return statistics.fmean([value for value in values if not math.isnan(value)] or [math.nan])


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Lines of Markdown."""
    yield "| feature | recording | takes | halves of the recording apart | takes apart from it | times |"
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
    real, _ = scoring_signal(recording, RATE)
    half = len(real) // 2
    if half < SHORTEST_SECONDS * RATE:
        raise click.UsageError(
            f"{recording} is {len(real) / RATE:.1f} s long: at least {2 * SHORTEST_SECONDS:g} s are needed"
        )
    made = [part for take in takes for part in stretches(scoring_signal(take, RATE)[0], half)]
    if not made:
        raise click.UsageError(f"no take is as long as half of {recording}, {half / RATE:.1f} s")
    material = Material(kind) if kind else detect_material(real[None], RATE)
    rows = []
    for aspect in aspects(material, real):
        missing = [name for name in aspect.packages if importlib.util.find_spec(name) is None]
        if missing:
            print(f"left out, as {' and '.join(missing)} is not installed: {aspect.describe.__doc__}", file=sys.stderr)
        else:
            rows += compare(aspect, stretches(real, half)[:2], made)
    if as_json:
        print(json.dumps([row.as_json() for row in rows], indent=2))
    else:
        print(f"{recording.name}, as {material}; of takes {len(made)} x {half / RATE:.1f} s\n", *table(rows), sep="\n")


if __name__ == "__main__":
    ear()
