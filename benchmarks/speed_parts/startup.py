"""Part (d): how long a command takes from nothing, as a process of its own."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from speed_parts.generation import untrained_model

COMMAND = [sys.executable, "-m", "caw_toolkit"]


def _seconds(arguments: list[str], repetitions: int) -> float:
    times = []
    for _ in range(repetitions):
        began = time.perf_counter()
        subprocess.run([*COMMAND, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def measure(quick: bool) -> Iterator[dict[str, Any]]:
    repetitions = 1 if quick else 7
    yield {"command": "caw --help", "seconds": _seconds(["--help"], repetitions), "target": 0.3}
    with tempfile.TemporaryDirectory() as folder:
        model, output = Path(folder) / "model.pt", Path(folder) / "take.wav"
        untrained_model("fast", 4000 if quick else 16000).save(model)
        arguments = ["generate", "-m", str(model), "-o", str(output), "--duration", "1", "--seed", "1", "-q", "-f"]
        yield {"command": "caw generate --duration 1", "seconds": _seconds(arguments, repetitions), "target": 4.0}


def table(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| command | seconds | target | |", "|---|---|---|---|"]
    for row in rows:
        met = "met" if row["seconds"] <= row["target"] else "not met"
        lines.append(f"| `{row['command']}` | {row['seconds']:.2f} | {row['target']:g} | {met} |")
    return lines
