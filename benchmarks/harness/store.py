"""The results folder: outputs and scores are made once and found again by later runs. Delete a file to renew it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from caw_toolkit import write_audio
from caw_toolkit.atomic_write import write_atomically
from harness.task import Case, Scores, Task, mean_scores


@dataclass(frozen=True)
class Store:
    """Outputs and scores below a folder: `TASK/CASE/SYSTEM.wav` and `TASK/CASE/SYSTEM.json`."""

    folder: Path

    def target(self, task: Task, case: Case, system: str) -> Path:
        """Where a system's output goes."""
        return self.folder / task.name / case.name / f"{system}.wav"

    def scores(self, task: Task, case: Case, system: str, make: Callable[[Path], list[Path]]) -> Scores:
        """Scores of a system, mean over its outputs; `make` writes them if there are none yet."""
        target = self.target(task, case, system)
        record = target.with_suffix(".json")
        if not record.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            rows = [{"output": str(path), **task.score(case, path)} for path in make(target)]
            write_atomically(record, json.dumps(rows, indent=1).encode())
        rows = json.loads(record.read_text(encoding="utf-8"))
        return mean_scores([{name: value for name, value in row.items() if name != "output"} for row in rows])

    def outputs(self, task: Task, case: Case, system: str) -> list[Path]:
        """Files that a system made and that were scored, if any."""
        record = self.target(task, case, system).with_suffix(".json")
        return [Path(row["output"]) for row in json.loads(record.read_text())] if record.exists() else []


def write_baseline(target: Path, signal: np.ndarray, rate: int) -> list[Path]:
    """Write a baseline's output with 16 bits."""
    write_audio(target, signal.astype(np.float32), rate, bit_depth="16", clipping="clip", overwrite=True)
    return [target]
