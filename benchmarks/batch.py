"""What `caw batch` gains and costs.

    python benchmarks/batch.py [--only trainings,overhead] [--jobs N] [--clip FILE] [--seconds S]

trainings: eight equal trainings by as many workers as there are cores, of one thread each, against one after another
with all threads. overhead: empty jobs on a scheduler and two workers; what each costs, and the scheduler's memory while
they run. Nothing else should run on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from caw_toolkit import read_audio, write_audio

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "audio" / "speech.flac"
TRAININGS = 8

SCHEDULER = "from distributed.cli.dask_scheduler import main; main()"
WORKER = "from distributed.cli.dask_worker import main; main()"
#: A command that does nothing but what every command has to.
EMPTY = """
import click
from caw_toolkit import hookimpl
from caw_toolkit.cli.options import FILE, OUTPUT_FILE, quiet_option

@click.command()
@click.argument("source", type=FILE)
@click.option("-o", "--output", type=OUTPUT_FILE, required=True)
@quiet_option
def empty(source, output, quiet):
    output.touch()

@hookimpl
def register_commands(register):
    register("empty", empty, summary="Do nothing.")
"""


def caw(*arguments: str | Path, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "caw_toolkit", *map(str, arguments)]
    return subprocess.Popen(command, env={**os.environ, **(environment or {})}, stderr=subprocess.DEVNULL)


def measure_trainings(folder: Path, clip_path: Path, seconds: float) -> Iterator[tuple[int, float]]:
    """Number of workers and seconds, for one worker and for one a core. Trainings end by themselves."""
    clip = read_audio(clip_path, duration_seconds=seconds)
    write_audio(folder / "clip.wav", clip.samples, clip.sample_rate)
    for workers in (1, os.cpu_count() or 1):
        rows = [f"train,clip.wav,models-{workers}/{seed}.pt,60,{seed}" for seed in range(TRAININGS)]
        table = folder / f"jobs-{workers}.csv"
        table.write_text("\n".join(["command,input,output,minutes,seed", *rows]), encoding="utf-8")
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "caw_toolkit", "batch", "run", table.name, "--workers", str(workers)],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        yield workers, time.perf_counter() - began


@contextmanager
def cluster(folder: Path, environment: dict[str, str]) -> Iterator[tuple[str, psutil.Process]]:
    """A scheduler and two workers; yields its address and its process."""
    file = folder / "scheduler.json"
    started = [_python(SCHEDULER, environment, "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))]
    try:
        while not file.exists() or not file.stat().st_size:
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        started += [_python(WORKER, environment, address, "--nthreads", "1") for _ in range(2)]
        yield address, psutil.Process(started[0].pid)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


def measure_overhead(folder: Path, jobs: int) -> tuple[float, list[float]]:
    """Seconds that a job costs beyond the first, and the scheduler's memory in MB as a tenth more of them is done."""
    environment = {"PYTHONPATH": str(_install(folder))}
    (folder / "in").mkdir()
    for number in range(jobs):
        (folder / "in" / f"{number:05}.wav").write_text(str(number), encoding="utf-8")
    with cluster(folder, environment) as (address, scheduler):
        first = folder / "in" / "00000.wav"
        caw("batch", "empty", first, "-o", f"{folder}/warm/", "--scheduler", address, environment=environment).wait()
        began = time.perf_counter()
        caw("batch", "empty", first, "-o", f"{folder}/one/", "--scheduler", address, environment=environment).wait()
        start_up = time.perf_counter() - began
        began = time.perf_counter()
        arguments = ["batch", "empty", folder / "in", "-o", f"{folder}/out/", "--scheduler", address]
        client = caw(*arguments, environment=environment)
        memory = list(_memory(scheduler, client, folder / "out", jobs))
        seconds = time.perf_counter() - began - start_up
    return seconds / (jobs - 1), memory


def _memory(scheduler: psutil.Process, client: subprocess.Popen[bytes], outputs: Path, jobs: int) -> Iterator[float]:
    step = 1
    while client.poll() is None:
        done = sum(1 for _ in outputs.glob("*.wav")) if outputs.is_dir() else 0
        if done >= step * jobs / 10:
            yield scheduler.memory_info().rss / 1e6
            step += 1
        time.sleep(0.05)


def _python(source: str, environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", source, *arguments, "--no-dashboard"]
    return subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL)


def _install(folder: Path) -> Path:
    """A plugin with the empty command, installed in a folder for the path."""
    packages = folder / "packages"
    described = packages / "caw_empty-1.0.dist-info"
    described.mkdir(parents=True)
    (packages / "caw_empty.py").write_text(EMPTY, encoding="utf-8")
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: caw-empty\nVersion: 1.0\n", encoding="utf-8")
    (described / "entry_points.txt").write_text("[caw_toolkit]\nempty = caw_empty\n", encoding="utf-8")
    return packages


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="trainings,overhead", help="parts, separated by commas")
    parser.add_argument("--jobs", type=int, default=1000, help="empty jobs")
    parser.add_argument("--clip", type=Path, default=EXAMPLE, help="recording to train on")
    parser.add_argument("--seconds", type=float, default=10.0, help="of it that are used")
    chosen = parser.parse_args(arguments)
    parts = chosen.only.split(",")
    with tempfile.TemporaryDirectory() as name:
        if "trainings" in parts:
            print(f"{TRAININGS} trainings on {chosen.seconds:g} s\n\n| workers | minutes |\n|---|---|")
            for workers, seconds in measure_trainings(Path(name), chosen.clip, chosen.seconds):
                print(f"| {workers} | {seconds / 60:.1f} |", flush=True)
        if "overhead" in parts:
            each, memory = measure_overhead(Path(name), chosen.jobs)
            print(f"\n{chosen.jobs} empty jobs: {1000 * each:.1f} ms each with two workers")
            print(f"memory of the scheduler, MB: {', '.join(f'{value:.0f}' for value in memory)}")


if __name__ == "__main__":
    main()
