"""Processes of `caw`: how they are started, share the processor, and end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from caw_studio.job import Job
from caw_studio.recipes import Lane
from caw_toolkit import CawError

#: Until a job that was told to stop is ended by force.
PATIENCE_SECONDS = 30.0
#: That training gives way to everything else.
_NICE = 10
#: Of what a process says, in bytes.
_LONGEST_LINE = 1 << 20


async def start(job: Job, folder: Path, *, again: bool) -> asyncio.subprocess.Process:
    """Start the process of a job; what it says comes on standard error.

    Args:
        job: to be done.
        folder: to work in.
        again: whether it was begun before.
    """
    return await asyncio.create_subprocess_exec(
        *_command(job, again=again),
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": str(job.threads), "NO_COLOR": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
        preexec_fn=_give_way if job.recipe.lane == "training" and os.name == "posix" else None,
    )


def _command(job: Job, *, again: bool) -> list[str]:
    """The command line of a job as it is run; what is added changes no result."""
    again_option = ["--resume" if job.recipe.lane == "training" else "--force"] if again else []
    name, *arguments = job.recipe.arguments
    return [sys.executable, "-m", "caw_toolkit", name, "--progress", "json", *again_option, *arguments]


def threads_for(lane: Lane) -> int:
    """A lane's share of the cores: training may have all but one, the rest half."""
    cores = os.cpu_count() or 1
    return max(1, cores - 1 if lane == "training" else cores // 2)


def _give_way() -> None:
    os.nice(_NICE)


async def end(process: asyncio.subprocess.Process) -> None:
    """Ask a process to end, and see to it that it does."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()


async def printed_by_caw(*arguments: str) -> Any:
    """What a short `caw` command prints as JSON.

    Raises:
        CawError: it fails, with what it says.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "caw_toolkit", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode:
        said = errors.decode(errors="replace").strip().splitlines() or ["caw said nothing"]
        raise CawError(said[-1])
    return json.loads(output)
