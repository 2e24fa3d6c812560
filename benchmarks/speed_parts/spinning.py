"""Part (e): what it costs that threads spin while they wait for each other, alone and beside one busy process.

    python benchmarks/speed_parts/spinning.py        prints the median of the seconds of a training step

Both ways of waiting take turns, each in a process of its own, since OpenMP reads its settings once.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

WARM_UP_STEPS = 3
CLIP_SECONDS, RATE = 25, 16000
_BUSY = "while True: pass"


def step_seconds(steps: int) -> float:
    """Of the coarsest scale of music with the default preset, in this process."""
    import torch

    from caw_toolkit.training.objectives.base import ScaleTask
    from caw_toolkit.training.plan import make_plan
    from speed_parts.signals import clips, recording

    plan = make_plan(recording(clips()[0], CLIP_SECONDS, RATE), material="music", seed=1)
    real = torch.from_numpy(plan.recording.at(plan.rates[0]))
    segments = plan.recording.segments_at(plan.rates[0])
    task = ScaleTask(plan.spec(0), real, None, segments, None, seed=1, device=torch.device("cpu"))
    trainer = plan.objective.scale_trainer(task)
    times = []
    for _ in range(WARM_UP_STEPS + steps):
        began = time.perf_counter()
        trainer.step(0.0)
        times.append(time.perf_counter() - began)
    return statistics.median(times[WARM_UP_STEPS:])


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    processes = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def measure(quick: bool) -> Iterator[dict[str, Any]]:
    from caw_toolkit.cli.threads import SPIN_COUNT

    plain = {key: value for key, value in os.environ.items() if key not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    ways = {"as OpenMP chooses": plain, "as caw chooses": {**plain, "GOMP_SPINCOUNT": str(SPIN_COUNT)}}
    for busy in (0, 1):
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        with busy_processes(busy):
            for _ in range(1 if quick else 5):
                for way, environment in ways.items():
                    command = [sys.executable, __file__, "5" if quick else "50"]
                    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
                    seconds[way].append(float(done.stdout))
        yield {"busy": busy, "seconds": {way: statistics.median(values) for way, values in seconds.items()}}


def table(rows: list[dict[str, Any]]) -> list[str]:
    ways = list(rows[0]["seconds"])
    lines = [f"| busy processes beside it | {' | '.join(f'ms a step, {way}' for way in ways)} |", "|---|---|---|"]
    for row in rows:
        figures = " | ".join(f"{1000 * row['seconds'][way]:.0f}" for way in ways)
        lines.append(f"| {row['busy']} | {figures} |")
    return lines


if __name__ == "__main__":
    print(step_seconds(int(sys.argv[1])))
