"""What is known of each output, on the disk beside it: `FOLDER/.caw-batch/NAME.json`.

The disk is the only truth: whoever runs the same jobs next, on whatever machine, goes on from it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from caw_batch.jobs import Job
from caw_toolkit import CawError
from caw_toolkit.cli.run_log import sha256_of_state
from caw_toolkit.plugins import get_host

FOLDER = ".caw-batch"

State = Literal["started", "done", "failed"]


@dataclass(frozen=True)
class Record:
    """What became of a job.

    Attributes:
        key: of all that decides its output (`job_key`).
        state: `started` if nothing has come of it yet: it is at work, or its process is gone.
        run: the call of `caw batch` that it was done in.
        attempts: how many times it was started in that run.
        command: what was run.
        host: machine that it ran on.
        process: its number there.
        seconds: that it took.
        error: why it failed.
        size: of the output in bytes, if that is a file.
    """

    key: str
    state: State
    run: str
    attempts: int
    command: str
    host: str
    process: int
    seconds: float = 0.0
    error: str = ""
    size: int | None = None


def record_path(output: Path) -> Path:
    """Where the record of an output is."""
    return output.parent / FOLDER / f"{output.name}.json"


def read_record(output: Path) -> Record | None:
    """The record of an output; None if there is none, or it is damaged."""
    try:
        return Record(**json.loads(record_path(output).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_record(output: Path, record: Record) -> None:
    """Keep a record; at any moment there is a whole one, the old or the new.

    Raises:
        CawError: it cannot be written.
    """
    path = record_path(output)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise CawError(f"cannot write {path}: {error.strerror or error}") from error


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Be the only process at work on an output, on any machine that shares its folder; wait for the one that is.

    Raises:
        CawError: the folder cannot be made or written to.
    """
    from filelock import FileLock  # slow to import

    folder = output.parent / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{output.name}.lock")
        lock.acquire()
    except OSError as error:
        raise CawError(f"cannot write to {folder}: {error.strerror or error}") from error
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def job_key(job: Job) -> str:
    """A hash of all that decides a job's output: contents of files, options, versions of the toolkit and the plugin.

    Where the files are, and what they are called, does not count.

    Raises:
        CawError: a file cannot be read.
    """
    contents = {str(path): _digest_of(path) for path in job.reads}
    contents[str(job.output)] = "output"
    arguments = [contents.get(argument, argument) for argument in job.arguments]
    described = json.dumps([job.command, arguments, _versions(job.command)])
    return hashlib.sha256(described.encode()).hexdigest()


def is_changed(output: Path, record: Record) -> bool:
    """Whether an output that is there is not the one that was written, by its size."""
    return record.state == "done" and record.size is not None and output.stat().st_size != record.size


def _versions(command: str) -> list[str]:
    host = get_host()
    engine = [f"{plugin.distribution} {plugin.version}" for plugin in host.plugins if plugin.name == "batch"]
    item = host.items("command").get(command)
    return engine if item is None else [*engine, f"{item.origin.distribution} {item.origin.version}"]


def _digest_of(path: Path) -> str:
    try:
        return sha256_of_state(path)
    except OSError as error:
        raise CawError(f"cannot read {path}: {error.strerror or error}") from error
