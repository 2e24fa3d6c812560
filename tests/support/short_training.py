"""A training of a few seconds in which steps alone decide, and whether two models are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

#: `caw` with a checkpoint after every step: kills hit the writing of one, too.
CAW = """
from caw_toolkit.cli import main
from caw_toolkit.training import trainer

trainer.CHECKPOINT_INTERVAL_SECONDS = 0.0
main()
"""
#: No budget in minutes: steps alone decide, so that every run does the same.
PRESET = """
[scales]
upsampling = "sinc"

[objective]
name = "staged"

[[objective.stages]]
name = "flow_matching"
steps = 60
widths = [8, 8]
batch = 2
crop_frames = 32
solver_steps = 2

[[objective.stages]]
name = "exemplar_or_gaussian"
steps = 40
widths = [8, 8]
batch = 2
crop_frames = 32
"""
#: Of `caw train clip.wav`, in the folder that is prepared.
OPTIONS = ["--preset", "tiny.toml", "--seed", "3", "--device", "cpu", "--material", "speech"]
OPTIONS += ["--scales", "500,2000,4000"]


def prepare(folder: Path) -> None:
    """A clip of four seconds, and a preset."""
    import soundfile

    time_axis = np.arange(16000) / 4000
    tone = 0.4 * np.sin(2 * np.pi * 220 * time_axis) * np.sin(2 * np.pi * 1.5 * time_axis)
    noise = 0.05 * np.random.default_rng(0).standard_normal(len(tone))
    soundfile.write(folder / "clip.wav", tone + noise, 4000)
    (folder / "tiny.toml").write_text(PRESET, encoding="utf-8")


def tensors(path: Path) -> dict[str, Any]:
    """All that decides how a model sounds, and the losses."""
    content = torch.load(path, weights_only=True)
    weights = {
        f"{index} {name}": value
        for index, scale in enumerate(content["scales"])
        for name, value in scale["weights"].items()
    }
    noise = content["reconstruction_noise"]
    others = {"gain": torch.tensor(content["gain"]), "losses": str(content["training"]["losses"])}
    return {**weights, **others, **({} if noise is None else {"noise": noise})}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(value, other[name]) if isinstance(value, torch.Tensor) else value == other[name]
        for name, value in one.items()
    )
