"""How fast training and generation are: five parts, one table each, in Markdown.

    python benchmarks/speed.py [--quick] [--only a,b,c,d,e] [--json FILE] [--clips DIR] [--device DEVICE]

(a) a training step of the paper's network against a plain transcription, (b) the fast preset's training by phase, and
whole trainings, (c) generation and its memory, (d) start-up, (e) what it costs that threads spin. Nothing else should
run on the machine. With --json, parts that the file holds are not measured again. --quick takes about three minutes and
measures the smallest cases.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from speed_parts import fast_training, generation, machine, spinning, startup, training_step
from speed_parts.signals import EXAMPLES

TITLES = {
    "a": "Training step of the paper's network",
    "b": "Training with the fast preset",
    "c": f"Generation at {generation.RATE / 1000:g} kHz",
    "d": "Start-up",
    "e": "Threads that wait for each other",
}


def measure(part: str, quick: bool, clips: Path, device: str) -> Iterator[dict[str, Any]]:
    if part == "b":
        return fast_training.measure(quick, clips, device)
    if part == "c":
        return generation.measure(quick, device)
    return {"a": training_step, "d": startup, "e": spinning}[part].measure(quick)


def table(part: str, rows: list[dict[str, Any]], peak: float) -> list[str]:
    if part == "b":
        return fast_training.table(rows, peak)
    return {"a": training_step, "c": generation, "d": startup, "e": spinning}[part].table(rows)


def load(path: Path | None) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8")) if path is not None and path.exists() else {}


def save(path: Path | None, results: dict[str, Any]) -> None:
    if path is not None:
        temporary = path.with_suffix(".part")
        temporary.write_text(json.dumps(results, indent=1), "utf-8")
        os.replace(temporary, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the smallest cases only")
    parser.add_argument("--only", default="a,b,c,d,e", help="parts, separated by commas")
    parser.add_argument("--json", type=Path, help="keep results in this file and go on from it")
    parser.add_argument("--clips", type=Path, default=EXAMPLES, help="folder of recordings to train on")
    parser.add_argument("--device", default="cpu", help="where parts b and c compute, such as cuda")
    arguments = parser.parse_args()
    parts = arguments.only.split(",")
    if unknown := set(parts) - TITLES.keys():
        parser.error(f"unknown part {min(unknown)!r}: choose from a, b, c, d, e")
    results = load(arguments.json)
    if "machine" not in results:
        results["peak"] = machine.matmul_peak()
        results["machine"] = machine.description(results["peak"], arguments.device)
    print(results["machine"])
    for part in parts:
        if part not in results:
            rows = []
            for row in measure(part, arguments.quick, arguments.clips, arguments.device):
                print(f"({part}) {row}", file=sys.stderr)
                rows.append(row)
            results[part] = rows
            save(arguments.json, results)
        print(f"\n## {TITLES[part]}\n", *table(part, results[part], results["peak"]), sep="\n", flush=True)


if __name__ == "__main__":
    main()
