"""`caw batch` on schedulers and workers that are processes of their own, and are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from batch_jobs import EchoJobs
from caw_process import run_caw, run_python
from caw_toolkit.training.checkpoints import checkpoint_path
from short_training import CAW, OPTIONS, prepare, same, tensors

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals"),
]

SCHEDULER = "from distributed.cli.dask_scheduler import main; main()"
#: With a checkpoint after every step.
WORKER = """
from caw_toolkit.training import trainer
from distributed.cli.dask_worker import main

trainer.CHECKPOINT_INTERVAL_SECONDS = 0.0
main()
"""
#: For what takes seconds on a machine that does nothing else.
SECONDS = 120.0

#: Slurm as far as its workers see it: jobs are processes.
SLURM = {
    # Like the real one, it has read the script when it returns: dask_jobqueue deletes it then.
    "sbatch": 'script=$(cat "$1")\nbash -c "$script" > /dev/null 2>&1 < /dev/null &\necho "Submitted batch job $!"\n',
    "scancel": 'kill "$@"\n',
    "squeue": "",
}
SLURM_FILE = """\
memory = "2GB"
interface = "lo"
job_script_prologue = ["export OMP_NUM_THREADS=1"]
"""


class Processes:
    """A scheduler and workers on loopback, and runs of `caw batch` on them."""

    def __init__(self, jobs: EchoJobs) -> None:
        self.jobs = jobs
        self.started: list[subprocess.Popen[str]] = []
        self.workers: list[subprocess.Popen[str]] = []
        self._schedulers = 0

    def start_cluster(self, workers: int = 3) -> None:
        """Start a scheduler at an address of its own, and workers."""
        self._schedulers += 1
        file = self.jobs.folder / f"scheduler-{self._schedulers}.json"
        arguments = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show", "--scheduler-file", str(file)]
        self.scheduler = self._python(SCHEDULER, *arguments)
        wait_for(lambda: file.exists() and file.stat().st_size > 0)
        self.address = json.loads(file.read_text())["address"]
        self.workers = [self.start_worker() for _ in range(workers)]

    def start_worker(self, *options: str) -> subprocess.Popen[str]:
        """Start a worker that is a single process."""
        more = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1", *options]
        return self._python(WORKER, self.address, *more)

    def batch(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `caw batch`."""
        return self.start("-m", "caw_toolkit", "batch", *arguments)

    def on_cluster(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `caw batch` on the cluster."""
        return self.batch(*arguments, "--scheduler", self.address)

    def close(self) -> None:
        """End every process that is still there."""
        for process in self.started:
            process.kill()
            process.communicate()

    def _python(self, source: str, *arguments: str) -> subprocess.Popen[str]:
        return self.start("-c", source, *arguments)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start Python in the folder of the jobs, in a process group of its own."""
        out = subprocess.PIPE if "batch" in arguments else subprocess.DEVNULL
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.jobs.folder,
            env=self.jobs.environment,
            stdout=out,
            stderr=out,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process


def wait_for(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_alive(group: int) -> bool:
    """Whether any process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    shown, said = process.communicate(timeout=SECONDS)
    return process.returncode, shown, said


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    processes = Processes(EchoJobs(tmp_path))
    yield processes
    processes.close()


def echo(count: int, *options: str) -> tuple[str, ...]:
    return ("echo", *(f"in/{number:03}.txt" for number in range(count)), "-o", "out/{stem}.txt", *options)


def record(output: Path) -> dict[str, Any]:
    """What is known of an output."""
    known: dict[str, Any] = json.loads((output.parent / ".caw-batch" / f"{output.name}.json").read_text())
    return known


def finished(jobs: EchoJobs) -> set[str]:
    """Names of outputs whose jobs are finished."""
    outputs = (jobs.folder / "out").glob("*.txt")
    return {output.name for output in outputs if record(output)["state"] == "done"}


def test_a_training_goes_on_when_its_worker_is_killed(processes: Processes) -> None:
    folder = processes.jobs.folder
    prepare(folder)
    assert run_caw("train", "clip.wav", "-o", "alone.pt", *OPTIONS, cwd=folder).returncode == 0
    processes.start_cluster()
    client = processes.on_cluster("train", "clip.wav", "-o", "models/{stem}.pt", *OPTIONS)
    model = folder / "models" / "clip.pt"
    wait_for(checkpoint_path(model).exists)
    os.kill(record(model)["process"], signal.SIGKILL)
    code, shown, said = finish(client)
    assert (code, shown) == (0, "done    1\n"), said
    assert "after its process had died" in said
    assert sum(worker.poll() is not None for worker in processes.workers) == 1
    assert record(model)["attempts"] == 2 and "--resume" in record(model)["command"]
    assert same(tensors(model), tensors(folder / "alone.pt"))


def test_an_interrupted_shard_goes_on_with_its_training(processes: Processes) -> None:
    folder = processes.jobs.folder
    prepare(folder)
    assert run_caw("train", "clip.wav", "-o", "alone.pt", *OPTIONS, cwd=folder).returncode == 0
    arguments = ("batch", "train", "clip.wav", "-o", "models/{stem}.pt", *OPTIONS, "--shard", "1/1")
    model = folder / "models" / "clip.pt"
    first = processes.start("-c", CAW, *arguments)
    wait_for(checkpoint_path(model).exists)
    first.send_signal(signal.SIGTERM)  # as Slurm does when time is up
    code, _, said = finish(first)
    assert code == 130
    assert said.endswith("caw: error: interrupted: 0 of 1 jobs are finished; run the same command again for the rest\n")
    assert finish(processes.start("-c", CAW, *arguments))[:2] == (0, "done    1\n")
    assert "--resume" in record(model)["command"]
    assert same(tensors(model), tensors(folder / "alone.pt"))


def test_killed_workers_and_schedulers_lose_nothing(processes: Processes) -> None:
    jobs, count = processes.jobs, 200
    jobs.write(count)
    processes.start_cluster()
    client = processes.on_cluster(*echo(count, "--seconds", "0.03"))
    wait_for(lambda: len(jobs.executions()) > 40)
    processes.workers[0].kill()
    wait_for(lambda: len(jobs.executions()) > 110)
    processes.scheduler.kill()
    code, _, said = finish(client)
    lines = said.splitlines()
    assert code == 1
    assert lines[-1].startswith("caw: error: the scheduler is lost: ")
    assert lines[-1].endswith("of 200 jobs are finished; run the same command again for the rest")
    for worker in processes.workers:
        worker.kill()
        worker.wait()
    made, begun = finished(jobs), jobs.executions()
    assert 100 < len(made) < count
    # What the killed worker was at, and nothing that was finished, was begun twice.
    assert sum(times - 1 for times in Counter(begun).values()) <= 1
    processes.start_cluster()
    code, shown, said = finish(processes.on_cluster(*echo(count, "--seconds", "0.03"), "--json"))
    assert code == 0, said
    summary = json.loads(shown)
    assert len(summary["done"]) + len(summary["skipped"]) == count
    assert jobs.outputs() == {f"{number:03}.txt": f"{number}" for number in range(count)}
    again = jobs.executions()[len(begun) :]
    assert made.isdisjoint(again) and len(again) == len(set(again))


def test_a_job_that_ends_its_process_is_told_from_those_that_waited_there(processes: Processes) -> None:
    jobs = processes.jobs
    jobs.write(30)
    rows = "".join(f"echo,in/{number:03}.txt,out/{{stem}}.txt,{'true' * (number == 7)}\n" for number in range(30))
    (jobs.folder / "jobs.csv").write_text("command,input,output,die\n" + rows)
    code, shown, _ = finish(processes.batch("run", "jobs.csv", "--workers", "2"))
    assert code == 1
    assert shown.splitlines() == [
        "done    29",
        "failed   1",
        "  out/007.txt: its process died 3 times while it ran: short of memory?",
    ]
    assert len(jobs.outputs()) == 29
    assert Counter(jobs.executions())["007.txt"] == 3


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_so_and_the_next_goes_on(processes: Processes, sign: signal.Signals) -> None:
    jobs = processes.jobs
    jobs.write(40)
    arguments = (*echo(40, "--seconds", "0.1"), "--workers", "2")
    client = processes.batch(*arguments)
    wait_for(lambda: len(jobs.executions()) > 10)
    began = time.monotonic()
    os.killpg(client.pid, sign)  # as a terminal does
    code, _, said = finish(client)
    assert code == 130, said
    assert said.splitlines()[-1].endswith("of 40 jobs are finished; run the same command again for the rest"), said
    assert "Traceback" not in said
    assert time.monotonic() - began < 20
    wait_for(lambda: not is_alive(client.pid))  # no worker is left behind
    code, _, said = finish(processes.batch(*arguments))
    assert code == 0, said
    assert len(jobs.outputs()) == 40
    assert len(jobs.executions()) <= 42


def test_no_scheduler_and_no_workers_are_said(processes: Processes) -> None:
    processes.jobs.write(1)
    code, _, said = finish(processes.batch(*echo(1), "--scheduler", "tcp://127.0.0.1:9"))
    assert code == 1
    assert said.startswith("caw: error: no scheduler answers at tcp://127.0.0.1:9") and said.count("\n") == 1
    processes.start_cluster(workers=0)
    client = processes.on_cluster(*echo(1))
    assert client.stderr is not None
    assert client.stderr.readline() == f"waiting for workers to connect to {processes.address}\n"
    client.send_signal(signal.SIGINT)
    assert finish(client)[0] == 130


def test_each_process_has_its_share_of_the_cores(processes: Processes) -> None:
    processes.jobs.write(4)
    log = processes.jobs.folder / "threads"
    environment = {name: value for name, value in processes.jobs.environment.items() if name != "OMP_NUM_THREADS"}
    processes.jobs.environment = {**environment, "ECHO_THREADS": str(log)}
    assert finish(processes.batch(*echo(4, "--workers", "1")))[0] == 0
    assert set(log.read_text().split()) == {str(len(os.sched_getaffinity(0)))}


def test_workers_are_jobs_of_slurm(processes: Processes) -> None:
    pytest.importorskip("dask_jobqueue")
    jobs = processes.jobs
    jobs.write(20)
    commands = jobs.folder / "bin"
    commands.mkdir()
    for name, script in SLURM.items():
        (commands / name).write_text(f"#!/bin/bash\n{script}", encoding="utf-8")
        (commands / name).chmod(0o755)
    jobs.environment = {**jobs.environment, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    (jobs.folder / "slurm.toml").write_text(SLURM_FILE, encoding="utf-8")
    client = processes.batch(*echo(20, "--slurm", "slurm.toml", "--workers", "2"))
    code, shown, said = finish(client)
    assert (code, shown) == (0, "done    20\n"), said
    wait_for(lambda: not is_alive(client.pid))  # its workers are cancelled
    (jobs.folder / "slurm.toml").write_text("cores = 4\n", encoding="utf-8")
    code, _, said = finish(processes.batch(*echo(20, "--loud", "--slurm", "slurm.toml")))
    assert code == 2
    assert "cores must equal processes" in said


def test_jobs_go_to_workers_with_a_gpu_unless_they_need_none(processes: Processes) -> None:
    jobs = processes.jobs
    jobs.write(8)
    processes.start_cluster(workers=1)
    with_gpu = processes.start_worker("--resources", "GPU=1")
    both = f"from distributed import Client; Client({processes.address!r}).wait_for_workers(2)"
    assert run_python("-c", both).returncode == 0
    assert finish(processes.on_cluster(*echo(8)))[0] == 0
    assert jobs.processes() == {with_gpu.pid}
    assert finish(processes.on_cluster(*echo(8, "--device", "cpu", "--seconds", "0.2")))[0] == 0
    assert jobs.processes() == {with_gpu.pid, processes.workers[0].pid}
