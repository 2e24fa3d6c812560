"""Doing jobs: what is finished is skipped first, the rest done here one by one, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from caw_batch.agenda import Agenda
from caw_batch.execution import Run, execute, settled
from caw_batch.jobs import Job
from caw_batch.report import Report
from caw_toolkit import CawError


class BatchInterruptedError(CawError):
    """A batch was stopped from outside; the same command goes on with it."""

    exit_code = 130


#: Does all jobs that are still to be done.
Runner = Callable[[Agenda, Run, Report], None]


def run_jobs(jobs: Sequence[Job], run: Run, report: Report, runner: Runner) -> None:
    """Do all jobs that are not settled yet.

    Args:
        jobs: all of them.
        run: the present call.
        report: told of every outcome.
        runner: does what is to be done; not called if there is nothing.

    Raises:
        BatchInterruptedError: it was interrupted; says how far it got.
    """
    agenda = Agenda(jobs)
    try:
        _skip_settled(agenda, run, report)
        if not agenda.is_done:
            runner(agenda, run, report)
    except KeyboardInterrupt:
        raise BatchInterruptedError(f"interrupted: {report.unfinished()}") from None


def one_by_one(agenda: Agenda, run: Run, report: Report) -> None:
    """Do jobs in this process."""
    while (number := agenda.take()) is not None:
        for outcome in agenda.settle(number, execute(agenda.jobs[number], run)):
            report.add(outcome)


def _skip_settled(agenda: Agenda, run: Run, report: Report) -> None:
    left = []
    while (number := agenda.take()) is not None:
        outcome = settled(agenda.jobs[number], run)
        if outcome is None:
            left.append(number)
            continue
        for each in agenda.settle(number, outcome):
            report.add(each)
    agenda.put_back(left)
