"""Doing one job, wherever it runs: skip it if it is finished, go on with it if it is begun."""

from __future__ import annotations

import os
import platform
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from caw_batch.jobs import Job
from caw_batch.records import Record, is_changed, job_key, locked, read_record, write_record
from caw_batch.signature import signature
from caw_toolkit import CawError
from caw_toolkit.cli.invocation import run_command
from caw_toolkit.training.checkpoints import checkpoint_path

#: A job whose process died so often while it ran is the reason, and given up.
MOST_ATTEMPTS = 3

OutcomeState = Literal["done", "skipped", "failed"]

_SEEDS = 2**31


@dataclass(frozen=True)
class Run:
    """One call of `caw batch`.

    Attributes:
        name: of no other call.
        retry_failed: whether jobs that failed in earlier calls are tried again.
        force: whether files are replaced that no call has made.
    """

    name: str
    retry_failed: bool = False
    force: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a job in a run.

    Attributes:
        output: of the job.
        state: of the job.
        seconds: that it took now.
        error: why it failed.
        attempts: how many times it was started in this run.
    """

    output: str
    state: OutcomeState
    seconds: float = 0.0
    error: str = ""
    attempts: int = 1


def settled(job: Job, run: Run) -> Outcome | None:
    """What became of a job that is not to be run any more; None if it is to be.

    Args:
        job: whose inputs are there.
        run: the present call.
    """
    try:
        return _settled(job, job_key(job), read_record(job.output), run)
    except CawError as error:
        return Outcome(str(job.output), "failed", error=str(error))


def execute(job: Job, run: Run) -> Outcome:
    """Do a job, unless it is settled.

    Args:
        job: whose inputs are there.
        run: the present call.

    Returns:
        What became of it; no error of the job is raised.

    Raises:
        KeyboardInterrupt: it was interrupted, and can be gone on with.
    """
    try:
        with locked(job.output):
            return _execute(job, run)
    except CawError as error:
        return Outcome(str(job.output), "failed", error=str(error))


def _execute(job: Job, run: Run) -> Outcome:
    key, record = job_key(job), read_record(job.output)
    outcome = _settled(job, key, record, run)
    if outcome is not None:
        return outcome
    same = record is not None and record.key == key
    attempts = record.attempts + 1 if record is not None and same and record.run == run.name else 1
    arguments = [*_chosen(job, key, begun=same), *job.arguments]
    line = shlex.join(["caw", job.command, *arguments])
    now = Record(key, "started", run.name, attempts, line, platform.node(), os.getpid())
    if attempts > MOST_ATTEMPTS:
        return _failed(job, now, f"its process died {MOST_ATTEMPTS} times while it ran: short of memory?")
    write_record(job.output, now)
    began = time.monotonic()
    try:
        run_command(job.command, arguments)
    except CawError as error:
        return _failed(job, now, str(error))
    if not job.output.exists():
        return _failed(job, now, f"caw {job.command} did not write it")
    seconds = time.monotonic() - began
    size = job.output.stat().st_size if job.output.is_file() else None
    write_record(job.output, replace(now, state="done", seconds=seconds, size=size))
    return Outcome(str(job.output), "done", seconds, attempts=attempts)


def _settled(job: Job, key: str, record: Record | None, run: Run) -> Outcome | None:
    output = str(job.output)
    if job.output.is_file() and not run.force and (record is None or is_changed(job.output, record)):
        return Outcome(output, "failed", error="it is there already, not as caw batch made it; --force replaces it")
    if record is None or record.key != key:
        return None
    if record.state == "done" and job.output.exists() and not is_changed(job.output, record):
        return Outcome(output, "done" if record.run == run.name else "skipped", record.seconds)
    if record.state == "failed" and record.run == run.name:
        return Outcome(output, "failed", error=record.error)
    if record.state == "failed" and not run.retry_failed:
        return Outcome(output, "failed", error=f"{record.error} (earlier; --retry-failed tries again)")
    return None


def _failed(job: Job, record: Record, error: str) -> Outcome:
    write_record(job.output, replace(record, state="failed", error=error))
    return Outcome(str(job.output), "failed", error=error)


def _chosen(job: Job, key: str, *, begun: bool) -> Iterator[str]:
    """Options that the user does not give: quiet, a seed that is the same wherever the job runs, and over what is there
    or on from it.
    """
    known = signature(job.command)
    if known.has("quiet"):
        yield "--quiet"
    if known.has("seed") and "--seed" not in job.arguments:
        yield from ("--seed", str(int(key, 16) % _SEEDS))
    if begun and known.has("resume") and checkpoint_path(job.output).exists():
        yield "--resume"
    elif known.has("force"):
        yield "--force"
