"""Part (c): generation, each in a process of its own that reports its speed and its peak memory."""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from speed_parts.machine import peak_gigabytes

RATE = 16000
LENGTHS = (10, 600, 3600)
SHORT = 10
#: A process stops after this many seconds; speed and memory are steady long before.
TIME_LIMIT = 60.0
#: Memory of the plain transcription, which generates the whole signal at once: gigabytes for each second.
PLAIN_GIGABYTES = 0.025


def untrained_model(preset: str, rate: int) -> Any:
    """A model of the real size: what it costs to run does not depend on how long it was trained."""
    import torch

    from caw_toolkit.pyramid.material import Material
    from caw_toolkit.pyramid.model import PyramidModel
    from caw_toolkit.pyramid.scale import Scale
    from caw_toolkit.training.plan import make_plan
    from caw_toolkit.training.trainer import train
    from speed_parts.signals import clips, recording

    clip = recording(clips()[0], 10, rate)
    if preset == "fast":
        return train(clip, preset="fast", minutes=0.02, device="cpu", seed=1)
    plan = make_plan(clip, preset="paper", material=Material.SPEECH)
    scales = []
    for index, scale_rate in enumerate(plan.rates):
        generator = plan.objective.untrained_generator(plan.spec(index)).eval().requires_grad_(False)
        scales.append(Scale(scale_rate, generator, 1.0 if index == 0 else 0.01))
    return PyramidModel(scales, 1, 1.0, "keys", reconstruction_noise=torch.zeros(1, plan.rates[0] * 10))


def run_ours(model_path: str, seconds: float, device: str) -> dict[str, float]:
    import torch

    from caw_toolkit.pyramid.model import PyramidModel

    torch.set_flush_denormal(True)
    model = PyramidModel.load(model_path, device)
    next(model.stream(1.0, seed=0))  # everything is imported and warm
    began = time.perf_counter()
    next(model.stream(1.0, seed=1))
    first = time.perf_counter() - began
    began = time.perf_counter()
    if seconds <= SHORT:
        model.generate(seconds, seed=2, keep_edges=True)  # no more than is asked for, as the transcription does
        return {"first_block": first, "made": seconds, "elapsed": time.perf_counter() - began}
    for made, _ in enumerate(model.stream(1.0, seed=2), start=1):
        elapsed = time.perf_counter() - began
        if made >= seconds or elapsed > TIME_LIMIT:
            break
    return {"first_block": first, "made": made, "elapsed": elapsed}


def run_plain(model_path: str, seconds: float) -> dict[str, float]:
    import torch

    import plain_transcription as plain
    from caw_toolkit.pyramid.model_file import load

    torch.set_flush_denormal(True)
    pyramid = []
    for scale in load(model_path)["scales"]:
        generator = plain.Generator(1, scale["architecture"]["hidden_channels"])
        generator.load_state_dict(scale["weights"])
        pyramid.append(plain.PyramidScale(generator, scale["rate"], scale["noise_std"]))
    plain.generate(pyramid, 1.0)
    began = time.perf_counter()
    plain.generate(pyramid, seconds)
    elapsed = time.perf_counter() - began
    return {"first_block": elapsed, "made": seconds, "elapsed": elapsed}


def _process(side: str, model: Path, seconds: float, device: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--side", side, "--model", str(model), "--seconds", str(seconds)]
    command += ["--device", device]
    result: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return result


def measure(quick: bool, device: str = "cpu") -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        for preset in ("fast", "paper"):
            path = Path(folder) / f"{preset}.pt"
            untrained_model(preset, RATE).save(path)
            for seconds in (SHORT,) if quick else LENGTHS:
                for side in ("plain", "ours") if preset == "paper" and device == "cpu" else ("ours",):
                    row = {"preset": preset, "side": side, "seconds": seconds}
                    if side == "plain" and seconds * PLAIN_GIGABYTES > 12:
                        yield {**row, "left_out": f"needs {seconds * PLAIN_GIGABYTES:.0f} GB"}
                    else:
                        yield {**row, **_process(side, path, seconds, device)}


def table(rows: list[dict[str, Any]]) -> list[str]:
    speed = {(row["preset"], row["side"], row["seconds"]): _speed(row) for row in rows}
    lines = [
        "| preset | length | x real time | first block, s | peak memory, GB | target | |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        name = row["preset"] if row["side"] == "ours" else "plain transcription"
        if "left_out" in row:
            lines.append(f"| {name} | {row['seconds']} s | | | {row['left_out']} | | |")
            continue
        target, met = _target(row, speed)
        lines.append(
            f"| {name} | {row['seconds']} s | {_speed(row):.1f} | {row['first_block']:.2f} | {row['gigabytes']:.2f} "
            f"| {target} | {met} |"
        )
    return lines


def _speed(row: dict[str, Any]) -> float:
    return float(row["made"] / row["elapsed"]) if "made" in row else math.nan


def _target(row: dict[str, Any], speed: dict[tuple[str, str, int], float]) -> tuple[str, str]:
    if row["side"] == "plain":
        return "", ""
    if row["preset"] == "paper":
        if ("paper", "plain", SHORT) not in speed:
            return "", ""
        ratio = _speed(row) / speed["paper", "plain", SHORT]
        return f"4x plain of {SHORT} s: {ratio:.1f}x", "met" if ratio >= 4 else "not met"
    good = _speed(row) >= 20
    if row["seconds"] == 3600:
        good = good and row["gigabytes"] < 1 and row["first_block"] <= 0.5
        return "20x, below 1 GB, first block in 0.5 s", "met" if good else "not met"
    return "20x", "met" if good else "not met"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", choices=["ours", "plain"], required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    if arguments.side == "ours":
        result = run_ours(arguments.model, arguments.seconds, arguments.device)
    else:
        result = run_plain(arguments.model, arguments.seconds)
    print(json.dumps({**result, "gigabytes": peak_gigabytes()}))


if __name__ == "__main__":
    main()
