"""Quality against minutes of training, for a few clips of each task: the curve that every change should improve.

    python benchmarks/time_to_quality.py --clips AUDIO [--task TASK ..] --minutes 1,2,5,10,20 --json curve.json

shares its results folder with `quality.py`, goes on where it was interrupted, prints a Markdown table for each task and
draws the curves to `time-to-quality.png` in the results folder. Denoising takes no training: its curve is flat.
"""

from __future__ import annotations

import json
from itertools import zip_longest
from pathlib import Path
from typing import Any

import click
import numpy as np

from caw_toolkit.atomic_write import write_atomically
from harness.catalogue import TASKS
from harness.options import clips_option, results_option, seed_option
from harness.store import Store
from harness.systems import OURS, ours, published, score_all, title_of_ours
from harness.tables import Results, present_columns, summary
from harness.task import Case, Scores, Task
from harness.toolkit import Toolkit
from speed_parts import machine

MEASURED = ("bwe-4to16", "generate", "denoise")
#: Begins the titles of an earlier version's rows.
BEFORE = "before: "


def _minutes(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[float, ...]:
    try:
        return tuple(sorted(float(minutes) for minutes in value.split(",")))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a list of numbers such as 1,2,5") from None


#: Scores by clip, by minutes of training.
Curves = dict[float, dict[str, Scores]]


@click.command()
@clips_option
@click.option(
    "--task", "names", multiple=True, type=click.Choice(list(TASKS)), default=MEASURED, show_default=True, help="Tasks."
)
@click.option(
    "--count",
    default=3,
    show_default=True,
    type=click.IntRange(min=1),
    help="Clips in each table, from all over its clips.",
)
@click.option("--minutes", default="1,2,5,10,20", show_default=True, callback=_minutes, help="Budgets of training.")
@results_option
@seed_option
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Also write the scores here."
)
@click.option(
    "--before",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What --json wrote with an earlier version, to compare with.",
)
def time_to_quality(
    clips: Path,
    names: tuple[str, ...],
    count: int,
    minutes: tuple[float, ...],
    results: Path,
    seed: int,
    json_path: Path | None,
    before: Path | None,
) -> None:
    """Measure quality against minutes of training."""
    print(machine.description(machine.matmul_peak()), flush=True)
    store = Store(results)
    measured: dict[str, Results] = {}
    earlier: dict[str, Results] = json.loads(before.read_text("utf-8")) if before else {}
    for name in names:
        task = TASKS[name]
        jobs = [
            (case, system)
            for case in spread(task.cases(clips, results / "inputs"), count)
            for system in [*published(case), *(ours(task, case, Toolkit(results / "models", m, seed)) for m in minutes)]
        ]
        found: dict[str, Results] = {}
        score_all(task, store, jobs, found)
        for group, scores in found.items():
            scores |= {f"{BEFORE}{title}": row for title, row in earlier.get(group, {}).items() if is_ours(title)}
            print(f"\n### {group}\n\n{summary(scores, task.columns)}", flush=True)
        measured |= found
    if not measured:
        raise click.UsageError(f"{clips} has no clips for {', '.join(names)}")
    if json_path:
        write_atomically(json_path, json.dumps(measured, indent=1).encode())
    draw(results / "time-to-quality.png", measured, minutes)


def task_of(group: str) -> Task:
    """The task that a table is about: its name stands before the comma."""
    return TASKS[group.partition(",")[0]]


def is_ours(title: str) -> bool:
    """Whether a row is the toolkit's."""
    return title.startswith(OURS)


def spread(cases: list[Case], count: int) -> list[Case]:
    """As many cases of each table, or all if there are fewer, from all over its cases."""
    tables: dict[str, list[Case]] = {}
    for case in cases:
        tables.setdefault(case.group, []).append(case)
    return [case for table in tables.values() for case in _spread(table, min(count, len(table)))]


def _spread(table: list[Case], count: int) -> list[Case]:
    return [table[index * len(table) // count] for index in range(count)]


def draw(target: Path, measured: dict[str, Results], minutes: tuple[float, ...]) -> None:
    """Draw a curve for each task, score and clip, dotted for an earlier version; dashed: means of published outputs."""
    import matplotlib.pyplot as plt

    width = max(len(task_of(group).columns) for group in measured)
    figure, axes = plt.subplots(len(measured), width, figsize=(4 * width, 3 * len(measured)), squeeze=False)
    for row, (group, results) in zip(axes, measured.items(), strict=True):
        task = task_of(group)
        curves, earlier = (
            {budget: results.get(mark + title_of_ours(task, budget), {}) for budget in minutes} for mark in ("", BEFORE)
        )
        others = {title: scores for title, scores in results.items() if not is_ours(title.removeprefix(BEFORE))}
        for axis, column in zip_longest(row, present_columns(results, task.columns)):
            if column is None:
                axis.set_axis_off()
            else:
                _draw_score(axis, column.score, curves, earlier, others)
                axis.set(title=f"{group}: {column.heading}", xscale="log")
                axis.set_xticks(minutes, [f"{budget:g}" for budget in minutes])
                axis.minorticks_off()
        row[0].legend(fontsize="small", loc="center right", bbox_to_anchor=(-0.15, 0.5))
    for axis in axes[-1]:
        axis.set_xlabel("minutes of training")
    figure.tight_layout()
    figure.savefig(target, dpi=80)
    plt.close(figure)


def _draw_score(axis: Any, score: str, curves: Curves, earlier: Curves, others: Results) -> None:
    for clip in dict.fromkeys(clip for scores in curves.values() for clip in scores):
        (line,) = axis.plot(*_points(curves, clip, score), marker="o", label=clip)
        axis.plot(*_points(earlier, clip, score), marker=".", linestyle=":", color=line.get_color())
    for title, scores in others.items():
        mean = float(np.mean([row[score] for row in scores.values()]))
        axis.axhline(mean, linestyle="--", color="grey")
        axis.annotate(title, (1, mean), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize="x-small")


def _points(curves: Curves, clip: str, score: str) -> tuple[list[float], list[float]]:
    points = [(budget, scores[clip][score]) for budget, scores in curves.items() if clip in scores]
    return [budget for budget, _ in points], [value for _, value in points]


if __name__ == "__main__":
    time_to_quality()
