"""Model files with anything changed: an error of ours, or a model that works; never anything else."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch

from caw_toolkit.cli.info import summarise
from caw_toolkit.errors import CawError
from caw_toolkit.pyramid import model_file
from caw_toolkit.pyramid.model import PyramidModel
from edited_files import edited_at_random, flipped_at_random
from paths import ROOT

FIXTURES = ROOT / "tests" / "fixtures" / "version_0_1_0"
MODELS = ("music", "speech", "paper")
SEED = 20261125
CASES = 70  # of each model, half of them edited


def use(path: Path) -> None:
    """All that is done with a file."""
    summarise(model_file.read_header(path))
    PyramidModel.load(path, "cpu").generate(0.2, seed=1)


def tried(path: Path) -> str:
    """How the use of a file ends."""
    try:
        use(path)
    except CawError as error:
        said = str(error)
    else:
        return "used"
    assert len(said) < 2000 and "\x1b" not in said
    return "refused"


@pytest.mark.parametrize("name", MODELS)
def test_edited_values(name: str, tmp_path: Path) -> None:
    content: Any = torch.load(FIXTURES / f"{name}.pt", weights_only=True)
    path, ends = tmp_path / "model.pt", set()
    for case in range(CASES // 2):
        draw = random.Random(f"{SEED} {name} {case}")
        edited = content
        for _ in range(draw.choice((1, 1, 3))):
            edited = edited_at_random(edited, draw)
        torch.save(edited, path)
        ends.add(tried(path))
    assert ends == {"refused", "used"}


@pytest.mark.parametrize("name", MODELS)
def test_flipped_bytes(name: str, tmp_path: Path) -> None:
    data, path = (FIXTURES / f"{name}.pt").read_bytes(), tmp_path / "model.pt"
    ends = set()
    for case in range(CASES // 2):
        path.write_bytes(flipped_at_random(data, random.Random(f"{SEED} {name} {case}")))
        ends.add(tried(path))
    assert "refused" in ends
