"""Jobs on Dask's workers: on this machine, of a scheduler elsewhere, or of Slurm.

What Dask itself does not give, and the records on disk do: a job that Dask runs twice does nothing the second time, and
one that ends its process again and again is told from those that only waited there.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caw_batch.agenda import Agenda
from caw_batch.execution import Outcome, Run, execute
from caw_batch.jobs import Job
from caw_batch.report import Report
from caw_toolkit import CawError, CawUsageError
from caw_toolkit.toml_file import read_toml

if TYPE_CHECKING:
    from distributed import Client, Future

#: Jobs that the scheduler knows at a time: enough for any cluster, and little memory.
WINDOW = 1000

_INSTALL = "pip install 'caw-toolkit[batch]'"
#: Dask gives a job up when so many workers have died that had it, even if it only waited there.
_ALLOWED_FAILURES = 1_000_000
_POLL_SECONDS = 1.0
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

_alone = threading.Lock()


@dataclass(frozen=True)
class Cluster:
    """Where jobs run.

    Attributes:
        workers: processes; None chooses.
        scheduler: address of one that runs.
        slurm: TOML file with the arguments of `dask_jobqueue.SLURMCluster`.
    """

    workers: int | None = None
    scheduler: str | None = None
    slurm: Path | None = None

    def __call__(self, agenda: Agenda, run: Run, report: Report) -> None:
        """Do all jobs.

        Raises:
            CawError: Dask is missing, or the scheduler cannot be reached or is lost.
            KeyboardInterrupt: interrupted; jobs that wait are taken back.
        """
        if find_spec("distributed") is None:
            raise CawError(f"caw batch needs Dask: {_INSTALL}; --shard I/N works without")
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # its warnings are about its own affairs
        with self._connected(len(agenda.jobs), report) as client:
            _Dispatcher(client, agenda, run, report).work()

    @contextmanager
    def _connected(self, jobs: int, report: Report) -> Iterator[Client]:
        from distributed import Client

        with ExitStack() as stack:
            cluster: Any = self.scheduler
            if self.slurm is not None:
                cluster = stack.enter_context(_slurm_cluster(self.slurm, self.workers or jobs))
            elif cluster is None:
                cluster = stack.enter_context(_local_cluster(self.workers, jobs))
            try:
                client = stack.enter_context(Client(cluster, timeout="10s", set_as_default=False))
            except (OSError, ValueError) as error:
                raise CawError(f"no scheduler answers at {self.scheduler}: {error}") from error
            client.run_on_scheduler(_keep_jobs)
            if find_spec("bokeh") is not None:
                report.note(f"dashboard: {client.dashboard_link}")
            if not client.nthreads():
                report.say(f"waiting for workers to connect to {client.scheduler.address}")
            client.wait_for_workers(1)
            yield client


class _Dispatcher:
    """Hands jobs to workers and takes outcomes, a bounded number at a time."""

    def __init__(self, client: Client, agenda: Agenda, run: Run, report: Report) -> None:
        self._client, self._agenda, self._run, self._report = client, agenda, run, report
        self._resources = {"GPU": 1} if client.run_on_scheduler(_has_gpus) else {}
        self._running: dict[str, int] = {}
        self._ended: queue.Queue[Future] = queue.Queue()

    def work(self) -> None:
        """Do all jobs."""
        try:
            self._fill()
            while self._running:
                try:
                    self._take(self._ended.get(timeout=_POLL_SECONDS))
                except queue.Empty:
                    if self._client.status != "running":
                        raise self._lost() from None
                self._fill()
        except KeyboardInterrupt:
            self._client.cancel(list(self._running), force=True)
            raise

    def _fill(self) -> None:
        while len(self._running) < WINDOW and (number := self._agenda.take()) is not None:
            job = self._agenda.jobs[number]
            key = f"caw-{self._run.name}-{number}"
            self._running[key] = number
            future = self._client.submit(
                _execute_alone, job, self._run, key=key, pure=False, resources=self._resources_of(job)
            )
            future.add_done_callback(self._ended.put)

    def _resources_of(self, job: Job) -> dict[str, int]:
        device = dict(zip(job.arguments, job.arguments[1:], strict=False)).get("--device")
        return {} if device == "cpu" else self._resources

    def _take(self, future: Future) -> None:
        if future.status == "lost":  # with its worker, before it was read: it is made again, from the record on disk
            future.add_done_callback(self._ended.put)
            return
        number = self._running[future.key]
        outcome = self._outcome(future, number)
        # A result that Dask keeps is made again when the worker that holds it dies.
        future.release()
        del self._running[future.key]
        for each in self._agenda.settle(number, outcome):
            self._report.add(each)

    def _outcome(self, future: Future, number: int) -> Outcome:
        from distributed import CancelledError

        try:
            outcome: Outcome = future.result()
            return outcome
        except CancelledError:
            raise self._lost() from None
        except Exception as error:  # of Dask: those of jobs are outcomes
            return Outcome(str(self._agenda.jobs[number].output), "failed", error=f"{type(error).__name__}: {error}")

    def _lost(self) -> CawError:
        return CawError(f"the scheduler is lost: {self._report.unfinished()}")


def _execute_alone(job: Job, run: Run) -> Outcome:
    """Do a job in a worker, whatever number of threads it was given: each job has the process for itself."""
    with _alone:
        return execute(job, run)


def _keep_jobs(dask_scheduler: Any) -> None:
    dask_scheduler.allowed_failures = _ALLOWED_FAILURES


def _has_gpus(dask_scheduler: Any) -> bool:
    return any(dask_scheduler.resources.get("GPU", {}).values())


def _local_cluster(workers: int | None, jobs: int) -> Any:
    """Processes on this machine that share its cores."""
    import dask
    from distributed import LocalCluster

    count = workers or min(jobs, default_workers())
    threads = max(1, _cores() // count)
    environment = dict.fromkeys(_THREAD_VARIABLES, str(threads))  # read when torch is loaded
    with dask.config.set({"distributed.nanny.pre-spawn-environ": environment}):
        return LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            memory_limit=0,  # Dask would kill a training that takes more than its share
            dashboard_address=":0",  # the usual port is taken by the second batch on a machine
            silence_logs=logging.CRITICAL,
            preload=["caw_batch.preload"],
        )


def _slurm_cluster(path: Path, workers: int) -> Any:
    arguments = read_toml(path, "Slurm file")
    if find_spec("dask_jobqueue") is None:
        raise CawError("--slurm needs dask-jobqueue: pip install dask-jobqueue; --shard I/N works without")
    from dask_jobqueue import SLURMCluster

    settings = {"cores": 1, "processes": 1, **arguments}
    if settings["cores"] != settings["processes"]:
        raise CawUsageError(
            f"{path}: cores must equal processes, so that a worker does one job at a time; job_cpu is what Slurm books"
        )
    try:
        cluster = SLURMCluster(**settings)
    except (TypeError, ValueError) as error:
        raise CawUsageError(f"{path}: {error}") from error
    cluster.scale(workers)
    return cluster


def default_workers() -> int:
    """How many processes there are if nobody says: one for a GPU, else one for two cores."""
    gpus = len(list(Path("/dev").glob("nvidia[0-9]*")))
    return gpus or max(min(2, _cores()), _cores() // 2)


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
