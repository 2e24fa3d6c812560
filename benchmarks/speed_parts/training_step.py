"""Part (a): a training step of the paper's network, ours against the plain transcription."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SECONDS = (2, 6, 25)
RATES = (1000, 4000, 16000)
TARGET = 3.0
#: The discriminator sees 2041 samples at a time.
LEAST_SAMPLES = 2041
#: Memory that a step of the plain transcription takes, in gigabytes for each sample.
PLAIN_GIGABYTES = 30e-6
TIME_LIMIT = 100.0  # seconds of one step


class Worker:
    """A process that does steps of one side when asked to."""

    def __init__(self, side: str, seconds: float, rate: int) -> None:
        script = Path(__file__).with_name("steps.py")
        command = [sys.executable, str(script), "--side", side, "--seconds", str(seconds), "--rate", str(rate)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._line()

    def step(self) -> tuple[float, float]:
        """Seconds, and peak memory in gigabytes."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        seconds, gigabytes = map(float, self._line().split())
        return seconds, gigabytes

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args!r} ended early")
        return line


def compare(seconds: float, rate: int, repetitions: int) -> dict[str, Any]:
    """Both sides in turn, after a step each to warm up (unless a step takes very long)."""
    workers = {side: Worker(side, seconds, rate) for side in ("ours", "plain")}
    times: dict[str, list[float]] = {side: [] for side in workers}
    memory = {}
    try:
        for _ in range(repetitions + 1):
            for side, worker in workers.items():
                duration, memory[side] = worker.step()
                times[side].append(duration)
            if max(times["plain"]) > TIME_LIMIT:
                break
    finally:
        for worker in workers.values():
            worker.close()
    medians = {side: statistics.median(values[1:] or values) for side, values in times.items()}
    return {"seconds": seconds, "rate": rate, **medians, "memory": memory}


def free_gigabytes() -> float:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("MemAvailable")) / 1e6


def measure(quick: bool) -> Iterator[dict[str, Any]]:
    """A row for each length and rate, shortest first."""
    cases = (
        [(2, 4000)] if quick else sorted(((s, r) for s in SECONDS for r in RATES), key=lambda case: case[0] * case[1])
    )
    for seconds, rate in cases:
        samples = seconds * rate
        if samples < LEAST_SAMPLES:
            seconds, samples = LEAST_SAMPLES / rate, LEAST_SAMPLES
        if samples * PLAIN_GIGABYTES > free_gigabytes():
            yield {"seconds": seconds, "rate": rate, "left_out": f"needs {samples * PLAIN_GIGABYTES:.0f} GB"}
            continue
        yield compare(seconds, rate, 1 if quick else 3 if samples > 50_000 else 7)


def table(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| signal | plain, s | ours, s | ratio | memory, GB | at least 3x |", "|---|---|---|---|---|---|"]
    for row in rows:
        name = f"{row['seconds']:g} s at {row['rate'] / 1000:g} kHz"
        if "left_out" in row:
            lines.append(f"| {name} | | | | {row['left_out']} | not measured |")
            continue
        ratio, memory = row["plain"] / row["ours"], row["memory"]
        lines.append(
            f"| {name} | {row['plain']:.2f} | {row['ours']:.2f} | {ratio:.1f} "
            f"| {memory['plain']:.1f}, ours {memory['ours']:.1f} | {'met' if ratio >= TARGET else 'not met'} |"
        )
    return lines
