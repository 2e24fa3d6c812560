"""Quality of the tasks on test recordings: the toolkit beside published outputs and classical methods.

    python benchmarks/quality.py bwe-4to16 --clips AUDIO --minutes 10

trains a model for each clip with the command `caw`, runs the task, scores what comes out, and prints one Markdown
table: means over clips with 95 % bootstrap intervals. Models, outputs and scores are kept in the results folder and
used again, so that an interrupted run goes on where it stopped (Ctrl-C prints the table so far). Delete a file there
to have it made again, and take another folder after the toolkit has changed. `--shard I/N` does a part of the clips;
results folders of all parts, copied into one, are the results of a whole run.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatch
from pathlib import Path

import click

from harness import plots
from harness.catalogue import TASKS
from harness.options import clips_option, results_option, seed_option, shard_option
from harness.store import Store
from harness.systems import System, classical, ours, published, score_all
from harness.tables import Results, per_case, summary
from harness.task import Case, Task
from harness.toolkit import Toolkit


@click.command()
@click.argument("task", type=click.Choice(list(TASKS)))
@clips_option
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), default=10.0, show_default=True)
@click.option("--preset", default="fast", show_default=True, metavar="NAME|FILE.toml", help="How to train.")
@results_option
@shard_option
@seed_option
@click.option("--only", multiple=True, metavar="CLIP", help="Only clips of this name (* and ? work); repeatable.")
@click.option("--no-baselines", is_flag=True, help="Leave the classical methods out.")
@click.option("--baselines-only", is_flag=True, help="Train nothing: only published outputs and classical methods.")
@click.option("--verbose", is_flag=True, help="Print the scores of each clip as well.")
@click.option("--plots", "with_plots", is_flag=True, help="Draw spectrograms of each clip into the results folder.")
def quality(
    task: str,
    clips: Path,
    minutes: float,
    preset: str,
    results: Path,
    shard: tuple[int, int],
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
    number, count = shard
    cases = cases[number - 1 :: count]
    if not cases:
        raise click.UsageError(f"{clips} has no clips for {task}" + (f" named {', '.join(only)}" if only else ""))
    store, toolkit = Store(results), Toolkit(results / "models", minutes, seed, preset)
    jobs = [
        (case, system)
        for case in cases
        for system in [
            *published(case),
            *([] if no_baselines else classical(chosen, case)),
            *([] if baselines_only else [ours(chosen, case, toolkit)]),
        ]
    ]
    found: dict[str, Results] = {}
    try:
        score_all(chosen, store, jobs, found)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
    for group, scores in found.items():
        print(f"\n### {group}\n\n{summary(scores, chosen.columns)}")
        if verbose:
            print(f"\n{per_case(scores, chosen.columns)}")
    if with_plots:
        for case in cases:
            draw(chosen, store, case, jobs)


def draw(task: Task, store: Store, case: Case, jobs: list[tuple[Case, System]]) -> None:
    """Spectrograms of a case: input, every system's first output, truth."""
    made = {
        system.title.replace("*", ""): store.outputs(task, case, system.key) for other, system in jobs if other is case
    }
    shown = {
        title: paths[0] for title, paths in made.items() if paths and paths[0] not in (case.source, case.reference)
    }
    files = {"input": case.source, **shown, "truth": case.reference}
    plots.draw(store.folder / "plots" / task.name / f"{case.name}.png", case, files)


if __name__ == "__main__":
    quality()
