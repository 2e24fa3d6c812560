"""Part (b): the fast preset's training steps by phase, and whole trainings."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from caw_toolkit.pyramid.material import Material
from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.training.objectives.band_extension import BandExtensionObjective
from caw_toolkit.training.objectives.base import ScaleTrainer
from caw_toolkit.training.objectives.regression import RegressionTrainer
from caw_toolkit.training.plan import Plan, make_plan
from caw_toolkit.training.run_settings import RunEvents, RunSettings
from caw_toolkit.training.schedule import Progress
from caw_toolkit.training.trainer import Trainer
from speed_parts.signals import EXAMPLES, clips, recording

#: (seconds, rate, channels) of the recordings.
CASES = ((10, 16000, 1), (25, 16000, 1), (10, 44100, 1), (25, 44100, 1), (25, 44100, 2))
#: Steps at the beginning of a scale that are not counted: libraries choose their kernels then.
WARM_UP_STEPS = 5


class PhaseClock:
    """Measures the parts of a regression trainer's step from outside."""

    def __init__(self, trainer: RegressionTrainer) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.trainer = trainer
        network = trainer.model.network
        network.forward = self._timed("network, forward", network.forward)
        trainer.loss = self._timed("loss", trainer.loss)  # type: ignore[method-assign]
        trainer.optimiser.step = self._timed("optimiser", trainer.optimiser.step)  # type: ignore[method-assign]

    def _timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds[name] += time.perf_counter() - began

        return timed

    def phases(self) -> dict[str, float]:
        """Seconds of a step's phases; what is left over is the backward pass with the clipping of gradients."""
        self.seconds.clear()
        began = time.perf_counter()
        self.trainer.step(0.0)
        total = time.perf_counter() - began
        forward, loss, optimiser = (self.seconds[name] for name in ("network, forward", "loss", "optimiser"))
        return {
            "data and loss": loss - forward,
            "network, forward": forward,
            "backward": total - loss - optimiser,
            "optimiser": optimiser,
            "whole step": total,
        }


def phase_rows(quick: bool) -> Iterator[dict[str, Any]]:
    """Each trained scale of the fast preset on speech at 16 kHz."""
    clip = recording(clips()[0], 10, 16000)
    plan = make_plan(clip, preset="fast", material=Material.SPEECH, seed=1)
    for index in (0, len(plan.rates) - 1):
        trainer = _scale_trainer(plan, index)
        trainer.step(0.0)
        with FlopCounterMode(display=False) as counter:
            trainer.step(0.0)
        clock = PhaseClock(trainer)
        steps = [clock.phases() for _ in range(5 if quick else 30)]
        seconds = {phase: statistics.median(step[phase] for step in steps) for phase in steps[0]}
        yield {"kind": "phases", "rate": plan.rates[index], "seconds": seconds, "flops": counter.get_total_flops()}


def _scale_trainer(plan: Any, index: int) -> RegressionTrainer:
    from caw_toolkit.pyramid.upsampling import UPSAMPLERS
    from caw_toolkit.training.objectives.base import ScaleTask

    rate = plan.rates[index]
    real = torch.from_numpy(plan.recording.at(rate))
    coarse = None
    if index:
        lower = torch.from_numpy(plan.recording.at(plan.rates[index - 1]))
        coarse = UPSAMPLERS[plan.preset.upsampling](lower, plan.rates[index - 1], rate, real.shape[1])
    task = ScaleTask(plan.spec(index), real, coarse, plan.recording.segments_at(rate), None, 0, torch.device("cpu"))
    objective = plan.objective.stages[min(index, len(plan.objective.stages) - 1)]
    if isinstance(objective, BandExtensionObjective):
        objective = objective.gaussian  # exemplars need no steps
    trainer = objective.scale_trainer(task)
    assert isinstance(trainer, RegressionTrainer)
    return trainer


class CountingTrainer(Trainer):
    """Notes when each step was done, and how many steps a scale takes however much time there is."""

    def __init__(self, plan: Plan, device: str) -> None:
        super().__init__(plan, RunSettings(device), RunEvents(self._note))
        self.times: dict[int, list[float]] = defaultdict(list)
        self.steps: dict[int, int] = {}

    def _note(self, progress: Progress) -> None:
        if progress.losses:
            self.times[progress.spec.index].append(time.perf_counter())

    def _scale_trainer(self, index: int, below: PyramidModel | None) -> ScaleTrainer:
        trainer = super()._scale_trainer(index, below)
        self.steps[index] = int(trainer.most_steps)
        return trainer


def training_row(case: tuple[int, int, int], minutes: float, folder: Path, device: str) -> dict[str, Any]:
    """A short training, from whose steps and preparations the time of a whole one follows."""
    seconds, rate, channels = case
    clip = recording(clips(folder)[0], seconds, rate, channels)
    plan = make_plan(clip, preset="fast", material=Material.SPEECH, minutes=minutes, seed=1)
    began = time.perf_counter()
    trainer = CountingTrainer(plan, device)
    trainer.run()
    total = time.perf_counter() - began
    step_seconds = {
        index: (times[-1] - times[WARM_UP_STEPS]) / (len(times) - 1 - WARM_UP_STEPS)
        for index, times in trainer.times.items()
        if len(times) > WARM_UP_STEPS + 1
    }
    preparation = total - sum(step_seconds[index] * len(trainer.times[index]) for index in step_seconds)
    return {
        "kind": "training",
        "case": list(case),
        "step_seconds": {str(plan.rates[index]): value for index, value in step_seconds.items()},
        "steps": {str(plan.rates[index]): trainer.steps[index] for index in step_seconds},
        "preparation": preparation,
        "whole": preparation + sum(trainer.steps[index] * step_seconds[index] for index in step_seconds),
    }


def measure(quick: bool, folder: Path = EXAMPLES, device: str = "cpu") -> Iterator[dict[str, Any]]:
    if device == "cpu":  # elsewhere a step is launched as a whole
        yield from phase_rows(quick)
    for case in CASES[:1] if quick else CASES:
        yield training_row(case, 0.1 if quick else 0.5, folder, device)


def table(rows: list[dict[str, Any]], peak: float) -> list[str]:
    lines: list[str] = []
    phases = [row for row in rows if row["kind"] == "phases"]
    if phases:
        lines = [
            "| scale | phase | ms a step | GFLOP/s | share of the peak | target 50 % |",
            "|---|---|---|---|---|---|",
        ]
    for row in phases:
        for phase, seconds in row["seconds"].items():
            rate = _phase_flops(row["flops"], phase) / seconds / 1e9
            figures = f"{rate:.0f} | {rate / peak:.0%} | {_met(rate / peak >= 0.5)}" if rate else "| |"
            lines.append(f"| {row['rate']} Hz | {phase} | {seconds * 1000:.1f} | {figures} |")
    lines += [
        "",
        "| recording | steps | ms a step | preparation, s | whole training, s | target | |",
        "|---|---|---|---|---|---|---|",
    ]
    whole = {tuple(row["case"]): row["whole"] for row in rows if row["kind"] == "training"}
    for row in rows:
        if row["kind"] == "training":
            lines.append(_training_line(row, whole))
    return lines


def _phase_flops(flops: float, phase: str) -> float:
    """Of the backward pass, twice those of the forward pass."""
    return {"network, forward": flops / 3, "backward": flops * 2 / 3, "whole step": flops}.get(phase, 0.0)


def _training_line(row: dict[str, Any], whole: dict[tuple[int, ...], float]) -> str:
    seconds, rate, channels = row["case"]
    target, met = "", ""
    if row["case"] == [25, 16000, 1]:
        target, met = "300 s, to the quality targets", _met(row["whole"] <= 300)
    if row["case"] == [25, 44100, 2] and (25, 16000, 1) in whole:
        ratio = row["whole"] / whole[25, 16000, 1]
        target, met = f"3x the mono time at 16 kHz: {ratio:.1f}x", _met(ratio <= 3)
    steps = ", ".join(f"{count} at {scale} Hz" for scale, count in row["steps"].items())
    each = ", ".join(f"{value * 1000:.3g}" for value in row["step_seconds"].values())
    name = f"{seconds} s, {rate / 1000:g} kHz, {'stereo' if channels == 2 else 'mono'}"
    return f"| {name} | {steps} | {each} | {row['preparation']:.1f} | {row['whole']:.0f} | {target} | {met} |"


def _met(condition: bool) -> str:
    return "met" if condition else "not met"
