"""What a task of the benchmark is: cases to solve, systems that solve them, and scores of what they made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from baselines.transforms import Signal
from harness.toolkit import Toolkit

#: Scores of one output, by name.
Scores = dict[str, float]


def mean_scores(rows: Sequence[Mapping[str, float]]) -> Scores:
    """Means of several scores, by name."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


@dataclass(frozen=True)
class Case:
    """One clip to work on.

    Attributes:
        name: unique within the task.
        group: what its table is about; cases of a group are averaged.
        reference: file to compare with.
        source: input of the task.
        training: clips to train on.
        published: output files of others, by system.
        gap: what is missing of `source`, in samples.
    """

    name: str
    group: str
    reference: Path
    source: Path
    training: tuple[Path, ...] = ()
    published: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    gap: tuple[int, int] = (0, 0)


class Column(NamedTuple):
    """A column of the tables."""

    score: str
    heading: str
    decimals: int = 2


class Task(ABC):
    """A task of the benchmark."""

    name: str
    columns: tuple[Column, ...]
    trains = True

    @abstractmethod
    def cases(self, clips: Path, scratch: Path) -> list[Case]:
        """All cases, in order.

        Args:
            clips: folder of test audio.
            scratch: where inputs that have to be made first are kept.
        """

    @abstractmethod
    def run(self, case: Case, toolkit: Toolkit, target: Path) -> list[Path]:
        """Solve a case with the toolkit. Writes `target`, or files of similar names, and returns them."""

    @abstractmethod
    def baselines(self) -> dict[str, Callable[[Case], tuple[Signal, int]]]:
        """Methods by name; each makes a signal and its rate in Hz."""

    @abstractmethod
    def score(self, case: Case, output: Path) -> Scores:
        """Score an output."""


def case_of_recording(path: Path, group: str) -> Case:
    """A recording to train on and to compare with, beside published takes of it: `NAME_real` and `NAME_caw*`."""
    name = path.stem.removesuffix("_real")
    takes = tuple(find_audio(path.parent, f"{name}_caw*"))
    published = {"CAW, published": takes} if takes else {}
    return Case(name, group=group, reference=path, source=path, training=(path,), published=published)


def find_audio(folder: Path, pattern: str) -> list[Path]:
    """Audio files by name, as `Path.glob` finds them, without the ending."""
    return sorted(path for path in folder.glob(f"{pattern}.*") if path.suffix in (".flac", ".wav"))
