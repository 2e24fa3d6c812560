"""Quality of the tasks on test recordings: the toolkit beside published outputs and classical methods.

    python benchmarks/quality.py bwe-4to16 --clips AUDIO --minutes 10

trains a model for each clip with the command `caw`, runs the task, scores what comes out, and prints one Markdown
table: means over clips with 95 % bootstrap intervals. Models, outputs and scores are kept in the results folder and
used again, so that an interrupted run goes on where it stopped (Ctrl-C prints the table so far). Delete a file there
to have it made again, and take another folder after the toolkit has changed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click
from harness import plots
from harness.catalogue import TASKS
from harness.store import Store, write_baseline
from harness.tables import Results, per_case, summary
from harness.task import Case, Task
from harness.toolkit import Toolkit

#: Names the folder of test recordings where `--clips` does not.
CLIPS_VARIABLE = "CAW_TEST_AUDIO"


class System(NamedTuple):
    """What made outputs: its name in tables, its name in the results folder, and how it makes them."""

    title: str
    key: str
    make: Callable[[Path], list[Path]]


@click.command()
@click.argument("task", type=click.Choice(list(TASKS)))
@click.option(
    "--clips",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar=CLIPS_VARIABLE,
    required=True,
    help=f"Folder of test recordings; default: the environment variable {CLIPS_VARIABLE}.",
)
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), default=10.0, show_default=True)
@click.option(
    "--results",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("benchmark-results"),
    show_default=True,
    help="Folder that models, outputs and scores are kept in.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--only", multiple=True, metavar="CLIP", help="Only clips of this name (* and ? work); repeatable.")
@click.option("--no-baselines", is_flag=True, help="Leave the classical methods out.")
@click.option("--baselines-only", is_flag=True, help="Train nothing: only published outputs and classical methods.")
@click.option("--verbose", is_flag=True, help="Print the scores of each clip as well.")
@click.option("--plots", "with_plots", is_flag=True, help="Draw spectrograms of each clip into the results folder.")
def quality(
    task: str,
    clips: Path,
    minutes: float,
    results: Path,
    seed: int,
    only: tuple[str, ...],
    no_baselines: bool,
    baselines_only: bool,
    verbose: bool,
    with_plots: bool,
) -> None:
    """Measure TASK on test recordings beside published outputs and classical methods."""
    chosen = TASKS[task]
    cases = [
        case
        for case in chosen.cases(clips, results / "inputs")
        if not only or any(fnmatch(case.name, pattern) for pattern in only)
    ]
    if not cases:
        raise click.UsageError(f"{clips} has no clips for {task}" + (f" named {', '.join(only)}" if only else ""))
    store, toolkit = Store(results), Toolkit(results / "models", minutes, seed)
    jobs = [
        (case, system)
        for case in cases
        for system in systems(chosen, case, toolkit, baselines=not no_baselines, ours=not baselines_only)
    ]
    for group, scores in score_all(chosen, store, jobs).items():
        print(f"\n### {group}\n\n{summary(scores, chosen.columns)}")
        if verbose:
            print(f"\n{per_case(scores, chosen.columns)}")
    if with_plots:
        for case in cases:
            draw(chosen, store, case, jobs)


def systems(task: Task, case: Case, toolkit: Toolkit, *, baselines: bool, ours: bool) -> Iterator[System]:
    """What solves a case."""
    for name, files in case.published.items():
        yield System(name, _key(name), lambda _target, files=files: list(files))
    if baselines:
        for name, method in task.baselines().items():
            yield System(name, _key(name), lambda target, method=method: write_baseline(target, *method(case)))
    if ours:
        yield ours_of(task, case, toolkit)


def _key(title: str) -> str:
    """A file name for a system."""
    return re.sub(r"\W+", "-", title)


def ours_of(task: Task, case: Case, toolkit: Toolkit) -> System:
    """The toolkit itself."""
    title = f"**caw_toolkit**, {toolkit.minutes:g} min" if task.trains else "**caw_toolkit**"
    budget = f"-{toolkit.minutes:g}min" if task.trains else ""
    return System(title, f"caw_toolkit{budget}-seed{toolkit.seed}", partial(task.run, case, toolkit))


def score_all(task: Task, store: Store, jobs: list[tuple[Case, System]]) -> dict[str, Results]:
    """Scores by group, system and case, those of the toolkit last; what fails is reported and left out."""
    found: dict[str, Results] = defaultdict(lambda: defaultdict(dict))
    try:
        for case, system in sorted(jobs, key=lambda job: "caw_toolkit" in job[1].key):
            print(f"{case.name}: {system.title}", file=sys.stderr, flush=True)
            try:
                found[case.group][system.title][case.name] = store.scores(task, case, system.key, system.make)
            except (subprocess.CalledProcessError, ValueError) as error:
                print(f"{case.name}: {system.title} failed: {error}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
    return found


def draw(task: Task, store: Store, case: Case, jobs: list[tuple[Case, System]]) -> None:
    """Spectrograms of a case: input, every system's first output, truth."""
    made = {
        system.title.replace("*", ""): store.outputs(task, case, system.key) for other, system in jobs if other is case
    }
    files = {"input": case.source, **{title: paths[0] for title, paths in made.items() if paths}}
    plots.draw(store.folder / "plots" / task.name / f"{case.name}.png", case, {**files, "truth": case.reference})


if __name__ == "__main__":
    quality()
