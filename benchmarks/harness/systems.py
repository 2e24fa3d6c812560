"""Systems that solve a case: those whose outputs were published, classical methods, and the toolkit."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from caw_toolkit import CawError
from harness.store import Store, write_baseline
from harness.tables import Results
from harness.task import Case, Task
from harness.toolkit import Toolkit

#: Begins the titles of the toolkit's rows.
OURS = "**caw_toolkit**"


class System(NamedTuple):
    """What made outputs: its name in tables, its name in the results folder, and how it makes them."""

    title: str
    key: str
    make: Callable[[Path], list[Path]]
    is_ours: bool = False


def published(case: Case) -> Iterator[System]:
    """Outputs that others published, and other files to compare with."""
    for title, files in case.published.items():
        yield System(title, _key(title), lambda _target, files=files: list(files))


def classical(task: Task, case: Case) -> Iterator[System]:
    """Methods that need no model."""
    for title, method in task.baselines().items():
        yield System(title, _key(title), lambda target, method=method: write_baseline(target, *method(case)))


def ours(task: Task, case: Case, toolkit: Toolkit) -> System:
    """The toolkit itself."""
    key = f"caw_toolkit-{toolkit.key}" if task.trains else f"caw_toolkit-seed{toolkit.seed}"
    return System(title_of_ours(task, toolkit.minutes), key, partial(task.run, case, toolkit), is_ours=True)


def title_of_ours(task: Task, minutes: float) -> str:
    """Title of the toolkit with so much training."""
    return f"{OURS}, {minutes:g} min" if task.trains else OURS


def _key(title: str) -> str:
    """A file name for a system."""
    return re.sub(r"\W+", "-", title)


def score_all(task: Task, store: Store, jobs: Iterable[tuple[Case, System]], found: dict[str, Results]) -> None:
    """Score every case and system, those of the toolkit last; what fails is reported and left out.

    Args:
        task: of all cases.
        store: where outputs and scores are kept.
        jobs: what to score.
        found: takes the scores, by group, system and case.
    """
    for case, system in sorted(jobs, key=lambda job: job[1].is_ours):
        print(f"{case.name}: {system.title}", file=sys.stderr, flush=True)
        try:
            scores = store.scores(task, case, system.key, system.make)
        except (subprocess.CalledProcessError, CawError, ValueError) as error:
            print(f"{case.name}: {system.title} failed: {error}", file=sys.stderr, flush=True)
        else:
            found.setdefault(case.group, {}).setdefault(system.title, {})[case.name] = scores
