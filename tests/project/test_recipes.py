"""The recipes run as they stand, with little training."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from caw_process import ENVIRONMENT
from paths import ROOT

pytestmark = pytest.mark.slow

RECIPES = sorted((ROOT / "docs" / "recipes").glob("*.md"))
MINUTES = os.environ.get("CAW_TRAIN_MINUTES", "0.05")

_FENCE = re.compile(r"^```(?P<kind>console|python)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.+)$", re.MULTILINE)
_BUDGET = re.compile(r"(?P<option>--minutes |minutes=)\d+")


def script(page: str) -> str:
    """All commands of a page, and its Python, as a script for the shell; budgets are those of the test."""
    parts = []
    for fence in _FENCE.finditer(page):
        if fence["kind"] == "console":
            parts += _COMMAND.findall(fence["text"])
        else:
            parts.append(f"python - <<'END'\n{fence['text']}END")
    return _BUDGET.sub(rf"\g<option>{MINUTES}", "\n".join(parts))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_runs_as_it_stands(path: Path, tmp_path: Path) -> None:
    commands = script(path.read_text(encoding="utf-8"))
    assert commands.count("caw ") >= 5
    environment = {
        **ENVIRONMENT,
        "CLONE": str(ROOT),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        **{f"CAW_{task}_MINUTES": MINUTES for task in ("TRAIN", "INPAINT", "VARY")},
    }
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", commands],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stderr[-3000:]
