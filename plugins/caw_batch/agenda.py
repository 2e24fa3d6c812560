"""Which jobs can be done now: a job whose input another makes waits for that."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from caw_batch.execution import Outcome
from caw_batch.jobs import Job
from caw_toolkit import CawUsageError


class Agenda:
    """Jobs, in the order in which they can be done.

    Args:
        jobs: all of them.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        makers = {job.output: number for number, job in enumerate(jobs)}
        self.jobs = jobs
        self.outcomes: dict[int, Outcome] = {}
        self._waits_for = [{makers[path] for path in job.reads if path in makers} for job in jobs]
        self._ready = deque(number for number, needed in enumerate(self._waits_for) if not needed)
        self._needed_by: dict[int, list[int]] = {}
        for number, needed in enumerate(self._waits_for):
            for other in needed:
                self._needed_by.setdefault(other, []).append(number)

    @property
    def is_done(self) -> bool:
        """Whether every job has its outcome."""
        return len(self.outcomes) == len(self.jobs)

    def take(self) -> int | None:
        """Number of a job that can be done now; None if there is none."""
        return self._ready.popleft() if self._ready else None

    def put_back(self, numbers: Sequence[int]) -> None:
        """Jobs that were taken and not done."""
        self._ready.extendleft(reversed(numbers))

    def settle(self, number: int, outcome: Outcome) -> list[Outcome]:
        """Take down what became of a job. Jobs that wait for it are free, or fail with it.

        Returns:
            Outcomes of the job and of those that fail with it.
        """
        self.outcomes[number] = outcome
        outcomes = [outcome]
        for other in self._needed_by.get(number, ()):
            if other in self.outcomes:
                continue
            if outcome.state == "failed":
                reason = f"needs {outcome.output}, which failed"
                outcomes += self.settle(other, Outcome(str(self.jobs[other].output), "failed", error=reason))
                continue
            self._waits_for[other].discard(number)
            if not self._waits_for[other]:
                self._ready.append(other)
        return outcomes


def require_order(jobs: Sequence[Job]) -> None:
    """Refuse jobs that wait for each other in a circle.

    Raises:
        CawUsageError: they do.
    """
    agenda = Agenda(jobs)
    while (number := agenda.take()) is not None:
        agenda.settle(number, Outcome(str(jobs[number].output), "done"))
    for number, job in enumerate(jobs):
        if number not in agenda.outcomes:
            raise CawUsageError(f"{job.output} is needed, in a circle, to make what it is made of")


def shard_of(jobs: Sequence[Job], index: int, count: int) -> list[Job]:
    """Every `count`-th job, from the `index`-th on; jobs that need each other stay together.

    Args:
        jobs: all of them.
        index: of the shard, from 1.
        count: of shards.
    """
    makers = {job.output: number for number, job in enumerate(jobs)}
    groups = list(range(len(jobs)))  # each job's group is the least number of a job that it is connected with

    def root(number: int) -> int:
        while groups[number] != number:
            number = groups[number]
        return number

    for number, job in enumerate(jobs):
        for path in job.reads:
            if path in makers:
                first, second = sorted((root(number), root(makers[path])))
                groups[second] = first
    roots = [root(number) for number in range(len(jobs))]
    order = {group: place for place, group in enumerate(sorted(set(roots)))}
    return [job for job, group in zip(jobs, roots, strict=True) if order[group] % count == index - 1]
