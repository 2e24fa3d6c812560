"""`caw train --dry-run`: what would be trained, for every material and preset, without training."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from caw_toolkit.cli import main


@pytest.mark.parametrize("material", ["speech", "music", "ambience"])
def test_every_material_is_laid_out(material: str, speech_path: Path, tmp_path: Path) -> None:
    command = ["train", str(speech_path), "-o", str(tmp_path / "m.pt"), "--material", material, "--dry-run", "--json"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.stderr
    figures = json.loads(result.stdout)
    assert figures["material"] == material
    assert figures["scales"][-1]["rate"] == 16000
    assert figures["minutes"] == 10 and figures["gpu_minutes"] is None
    assert figures["memory_gigabytes"] > 0.5
    assert not list(tmp_path.iterdir())


def test_the_published_training_is_estimated_in_words(speech_path: Path, tmp_path: Path) -> None:
    options = ["--preset", "paper", "--scales", "500,16000", "--duration", "4", "--dry-run"]
    result = CliRunner().invoke(main, ["train", str(speech_path), "-o", str(tmp_path / "m.pt"), *options])
    assert result.exit_code == 0, result.stderr
    assert "4.10 s" in result.stdout
    assert "750,722" in result.stdout
    assert re.search(
        r"^about \d+(\.\d)? (hours|days) on this CPU, about \d+(\.\d)? minutes on an H100; ",
        result.stdout,
        re.MULTILINE,
    )
