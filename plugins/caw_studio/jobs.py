"""The queue: jobs run as processes of `caw`, one after the other in each of two lanes, and are kept on disk.

Trainings have a lane of their own, so that what is short does not wait for them; the processor's cores are shared out
between the lanes. Whoever subscribes is told of each change.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import re
import shlex
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from caw_studio import processes
from caw_studio.job import Job
from caw_studio.library import Library
from caw_studio.progress import JobProgress, read_line
from caw_studio.recipes import Lane, make_recipe
from caw_studio.words import in_words_of_the_page
from caw_toolkit import CawUsageError

logger = logging.getLogger(__name__)

#: Waiting and running jobs at the most, and lines kept of what a job says.
MOST_UNFINISHED, MOST_LINES = 50, 40
#: Between two looks at files that a training writes again and again.
PREVIEW_SECONDS = 0.5
#: Lines of files that were written, of gaps and the models for them, of a drawn seed, and that a job was stopped.
_SHOWN_ANYWAY = re.compile(
    r"wrote |\d+ gaps?, [\d.]+ s in all$|\s+\d+  at |model \d+ of|seed \d+$|caw: error: interrupted$"
)


class JobQueue:
    """Jobs of a session.

    Args:
        library: whose session it is.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self.jobs: dict[str, Job] = {}
        self._removed: dict[str, Job] = {}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._told_to_stop: set[str] = set()
        self._changed = asyncio.Condition()
        self._subscribers: set[asyncio.Queue[Job | None]] = set()
        self._lanes: list[asyncio.Task[None]] = []
        self._closed = False
        self._versions = itertools.count(round(1000 * time.time()))  # higher than those of an earlier server

    # Begin and end

    def start(self) -> None:
        """Read what the session knows, and begin to work."""
        self.read()
        self._lanes = [asyncio.create_task(self._work(lane)) for lane in get_args(Lane)]

    def read(self) -> None:
        """Know the jobs that the session has kept."""
        for path in sorted(self.library.jobs.glob("*/job.json")):
            try:
                job = Job.from_content(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, KeyError, TypeError):
                logger.warning("%s cannot be read and is left out", path)
                continue
            job.id = path.parent.name
            self.jobs[job.id] = job

    async def close(self) -> None:
        """Stop everything; trainings keep their state."""
        self.hang_up()
        for task in self._lanes:
            task.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)

    # What the page does

    async def add(self, kind: object, settings: object) -> Job:
        """Put a job at the end of its lane.

        Raises:
            CawUsageError: as `make_recipe`; or there are too many.
            OSError: it cannot be kept on disk.
        """
        if sum(job.is_unfinished for job in self.jobs.values()) >= MOST_UNFINISHED:
            raise CawUsageError(f"{MOST_UNFINISHED} jobs are waiting: cancel some, or wait")
        folder = self.library.new_job_folder()
        try:
            recipe = await asyncio.to_thread(make_recipe, kind, settings, self.library, folder)
            job = self.jobs[folder.name] = Job(folder.name, str(kind), recipe, processes.threads_for(recipe.lane))
            await self._tell(job)
        except BaseException:
            self.jobs.pop(folder.name, None)
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return job

    async def resume(self, identifier: str) -> Job:
        """Run a job again that has stopped or failed; a training goes on."""
        job = self.find(identifier)
        if not job.is_unfinished and job.status != "done":
            job.status, job.ended, job.lines, job.progress = "queued", None, [], JobProgress()
            await self._tell(job)
        return job

    async def stop(self, identifier: str) -> Job:
        """Stop a job, at once if it waits."""
        job = self.find(identifier)
        process = self._processes.get(job.id)
        if process is not None:
            self._told_to_stop.add(job.id)
            asyncio.get_running_loop().create_task(processes.end(process))
        elif job.status == "queued":
            job.status, job.ended = "stopped", time.time()
            await self._tell(job)
        return job

    async def remove(self, identifier: str) -> None:
        """Forget a finished job and what it made, which can be put back until the server ends.

        Raises:
            CawUsageError: it is at work.
        """
        job = self.find(identifier)
        if job.is_unfinished:
            raise CawUsageError("stop the job first")
        await asyncio.to_thread(self.library.remove, self._folder(job))
        self._removed[job.id] = self.jobs.pop(job.id)
        self._broadcast(replace(job, status="removed"))

    async def put_back(self, identifier: str) -> None:
        """Undo `remove`.

        Raises:
            CawUsageError: there is no such job.
        """
        if identifier not in self._removed:
            raise CawUsageError(f"no job {identifier[:40]!r} can be put back")
        job = self._removed[identifier]
        await asyncio.to_thread(self.library.put_back, self._folder(job))
        self.jobs[job.id] = self._removed.pop(job.id)
        self._broadcast(job)

    def find(self, identifier: str) -> Job:
        """A job by its name.

        Raises:
            CawUsageError: there is none.
        """
        if identifier not in self.jobs:
            raise CawUsageError(f"there is no job {identifier[:40]!r}")
        return self.jobs[identifier]

    async def changes(self, at_least_every: float) -> AsyncIterator[Job | None]:
        """Each job that changes, from now on until the queue closes.

        Args:
            at_least_every: None is sent after so many seconds without a change.
        """
        subscriber: asyncio.Queue[Job | None] = asyncio.Queue()
        self._subscribers.add(subscriber)
        try:
            while not self._closed:
                try:
                    job = await asyncio.wait_for(subscriber.get(), at_least_every)
                except asyncio.TimeoutError:
                    job = None
                if not self._closed:
                    yield job
        finally:
            self._subscribers.discard(subscriber)

    def hang_up(self) -> None:
        """End what subscribers wait for."""
        self._closed = True
        for subscriber in self._subscribers:
            subscriber.put_nowait(None)

    def shown(self, job: Job) -> dict[str, Any]:
        """What the page is told of a job, by answers and by events: the highest version is the newest."""
        names = job.recipe.outputs or [self.library.name(path) for path in sorted(self._folder(job).glob("*.wav"))]
        return {
            **job.content(),
            "version": next(self._versions),
            "outputs": [name for name in names if (self.library.folder / name).is_file()],
            "command": shlex.join([f"OMP_NUM_THREADS={job.threads}", "caw", *job.recipe.arguments]),
            "notes": [in_words_of_the_page(note, self.library) for note in _notes(job)],
            "has_record": (self._folder(job) / "log.jsonl").is_file(),
        }

    def _folder(self, job: Job) -> Path:
        return self.library.jobs / job.id

    # Work

    async def _work(self, lane: Lane) -> None:
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._next(lane) is not None)
                job = self._next(lane)
            if job is not None:
                await self._run_safely(job)

    def _next(self, lane: Lane) -> Job | None:
        waiting = (job for job in self.jobs.values() if job.status == "queued" and job.recipe.lane == lane)
        return min(waiting, key=lambda job: job.created, default=None)

    async def _run_safely(self, job: Job) -> None:
        """Run a job; one that cannot be started or kept on disk has failed, and the lane goes on."""
        try:
            await self._run(job)
        except Exception as error:
            logger.exception("job %s", job.id)
            job.status, job.lines = "failed", [*job.lines, str(error)]
            self._broadcast(job)

    async def _run(self, job: Job) -> None:
        again = job.started is not None
        job.status, job.started = "running", job.started or time.time()
        await self._tell(job)
        process = await processes.start(job, self.library.folder, again=again)
        self._processes[job.id] = process
        previews = asyncio.create_task(self._keep_previews(job))
        try:
            await self._listen(job, process)
            code = await process.wait()
        except asyncio.CancelledError:  # the server ends
            await processes.end(process)
            code = None
        finally:
            previews.cancel()
            del self._processes[job.id]
        self._keep_new_previews(job)
        job.ended = time.time()
        was_told_to = code is None or job.id in self._told_to_stop
        self._told_to_stop.discard(job.id)
        job.status = "done" if code == 0 else "stopped" if was_told_to else "failed"
        await self._tell(job)
        if code is None:
            raise asyncio.CancelledError

    async def _listen(self, job: Job, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for raw in process.stderr:
            line = raw.decode(errors="replace").rstrip()
            progress = read_line(line)
            if progress is not None:
                job.progress = progress
            elif line:
                job.lines = [*job.lines, line[:500]][-MOST_LINES:]
            self._broadcast(job)

    async def _keep_previews(self, job: Job) -> None:
        while job.recipe.previews:
            await asyncio.sleep(PREVIEW_SECONDS)
            if self._keep_new_previews(job):
                await self._tell(job)

    def _keep_new_previews(self, job: Job) -> bool:
        """Copy what a training has written anew, which it will write over; returns whether there was anything."""
        found = False
        for name in job.recipe.previews:
            path = self.library.folder / name
            seen = max((written for _, written in job.takes), default=0.0)
            with contextlib.suppress(OSError):
                written = path.stat().st_mtime
                if written > seen:
                    kept = path.with_name(f"{path.stem}-{len(job.takes) + 1}{path.suffix}")
                    shutil.copy2(path, kept)
                    job.takes = [*job.takes, (self.library.name(kept), written)]
                    found = True
        return found

    # Telling

    async def _tell(self, job: Job) -> None:
        """Keep the state of a job on disk, wake the lanes and tell the subscribers."""
        path = self._folder(job) / "job.json"
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(job.content()), encoding="utf-8")
        partial.replace(path)
        self._broadcast(job)
        async with self._changed:
            self._changed.notify_all()

    def _broadcast(self, job: Job) -> None:
        for subscriber in self._subscribers:
            subscriber.put_nowait(job)


def _notes(job: Job) -> list[str]:
    """What a job said that is to be known: why it failed, what it warns of, or what is to be said of its results."""
    if job.status == "failed":
        return job.lines[-1:] or ["it failed and said nothing"]
    if job.kind == "train":
        return [line[line.index("warning: ") :] for line in job.lines if "warning: " in line]
    return [note for line in job.lines if (note := _note_in(line, job.recipe.outputs))]


def _note_in(line: str, outputs: list[str]) -> str:
    """What a line of a job says beside what the page shows anyway; empty if that is nothing."""
    for name in outputs:
        if line.startswith(f"wrote {name}"):
            return re.sub(r"^( \([^)]*\))?,? ?", "", line.removeprefix(f"wrote {name}"))
    return "" if _SHOWN_ANYWAY.match(line) else line
