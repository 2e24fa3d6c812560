"""Training on a CUDA device; skipped where there is none."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.training.objectives.conditional_gaussian import ConditionalGaussianObjective, GaussianOptions
from caw_toolkit.training.objectives.flow_matching import FlowMatchingObjective, FlowOptions
from caw_toolkit.training.objectives.regression import RegressionTrainer
from caw_toolkit.training.trainer import train
from scale_tasks import make_task

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

SIZES: dict[str, Any] = {"widths": (16, 16, 16), "batch": 4, "crop_frames": 64}


def trainer_of(kind: str, device: str = "cuda") -> RegressionTrainer:
    real = torch.randn(1, 8000, generator=torch.Generator().manual_seed(1)).to(device)
    if kind == "flow":
        task = make_task(0, real, rate=1000)
        trainer = FlowMatchingObjective(FlowOptions(**SIZES)).scale_trainer(replace(task, device=torch.device(device)))
    else:
        task = make_task(1, real, 0.5 * real, rate=4000)
        options = GaussianOptions(**SIZES)
        trainer = ConditionalGaussianObjective(options).scale_trainer(replace(task, device=torch.device(device)))
    assert isinstance(trainer, RegressionTrainer)
    return trainer


def weights(trainer: RegressionTrainer) -> np.ndarray:
    return torch.cat([parameter.detach().flatten() for parameter in trainer.model.parameters()]).cpu().numpy()


@pytest.mark.parametrize("kind", ["flow", "gaussian"])
def test_replayed_steps_are_those_of_single_launches(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    replayed, launched = trainer_of(kind), trainer_of(kind)
    monkeypatch.setattr(launched, "_gradients", lambda starts: launched._backward(starts.to("cuda")))
    before = weights(replayed)
    for _ in range(12):
        replayed.step(0.0)
        launched.step(0.0)
    assert replayed.graph is not None and launched.graph is None
    moved = np.linalg.norm(weights(launched) - before)
    assert np.linalg.norm(weights(replayed) - weights(launched)) < 0.05 * moved


def test_noise_differs_from_step_to_step() -> None:
    trainer = trainer_of("flow")
    starts = torch.zeros(SIZES["batch"], dtype=torch.int64)
    losses = {float(trainer._gradients(starts)) for _ in range(5)}
    assert len(losses) == 5


@pytest.mark.parametrize(("first", "second"), [("cuda", "cuda"), ("cuda", "cpu"), ("cpu", "cuda")])
def test_training_goes_on_on_another_device(first: str, second: str) -> None:
    begun = trainer_of("flow", first)
    for _ in range(3):
        begun.step(0.0)
    state = copy.deepcopy(begun.state_dict())
    resumed = trainer_of("flow", second)
    resumed.load_state_dict(state)
    assert np.array_equal(weights(resumed), weights(begun))
    assert np.isfinite(list(resumed.step(0.1).values())).all()
    begun.step(0.1)
    if first == second:
        assert weights(resumed) == pytest.approx(weights(begun), rel=1e-2, abs=1e-4)


def test_a_whole_training(speech: AudioClip, tiny_preset: Path) -> None:
    models = [
        train(speech, preset=tiny_preset, sample_rate=4000, material="speech", seed=1, device=device)
        for device in ("cpu", "cuda")
    ]
    levels = [model.generate(5, seed=2).std() for model in models]
    assert levels[0] == pytest.approx(levels[1], rel=0.5)
