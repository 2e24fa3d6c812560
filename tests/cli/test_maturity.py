"""A model that has had little training says so, wherever it is used."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from caw_toolkit import PyramidModel

LINE = "has had 4 % of its planned training, and what it makes is rough"


def caw(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "caw_toolkit", *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.fixture
def rough_model(tiny_model: PyramidModel, tmp_path: Path) -> Path:
    path = tmp_path / "rough.pt"
    training = {**tiny_model.training, "trained_shares": [0.9, 1.0, 0.04]}
    replace(tiny_model, training=training).save(path)
    return path


def test_info_and_commands_say_that_a_model_is_rough(rough_model: Path, tmp_path: Path) -> None:
    assert "4% of what was planned, and so its results are rough" in caw("info", rough_model).stdout
    made = caw("generate", "-m", rough_model, "-o", tmp_path / "x.wav", "--duration", 1, "--seed", 1, "-q")
    assert made.returncode == 0 and f"rough.pt {LINE}" in made.stderr


def test_a_training_says_how_far_it_got(tiny_model: PyramidModel) -> None:
    shares = tiny_model.training["trained_shares"]
    assert len(shares) == len(tiny_model.scales) and all(0 < share <= 1 for share in shares)
