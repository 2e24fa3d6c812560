"""What must answer at once imports none of the heavy packages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from caw_toolkit.cli.threads import SPIN_COUNT, bound_spinning

HEAVY = ("torch", "torchaudio", "scipy.signal", "pedalboard")

_IMPORTED = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s+(?P<module>\S+)$", re.MULTILINE)


def imported_modules(*arguments: str) -> set[str]:
    """Modules that `python -m caw_toolkit ARGUMENTS` imports in a fresh interpreter."""
    command = [sys.executable, "-X", "importtime", "-m", "caw_toolkit", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {match["module"] for match in _IMPORTED.finditer(done.stderr)}


def assert_light(*arguments: str) -> None:
    """Fail if `caw ARGUMENTS` imports a heavy package."""
    imported = imported_modules(*arguments)
    assert "caw_toolkit.cli" in imported
    assert imported.isdisjoint(HEAVY), f"caw {' '.join(arguments)} imports {sorted(imported.intersection(HEAVY))}"


@pytest.mark.parametrize(
    ("chosen", "spins"),
    [({}, str(SPIN_COUNT)), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "PASSIVE"}, None)],
)
def test_threads_spin_briefly_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str], spins: str | None
) -> None:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    }
    monkeypatch.setattr(os, "environ", {**environment, **chosen})
    bound_spinning()
    assert os.environ.get("GOMP_SPINCOUNT") == spins


@pytest.mark.parametrize(
    "arguments",
    [
        "--version",
        "--help",
        "plugins",
        "plugins --json",
        "plugins --help",
        "plugin new --help",
        "install --help",
        "evaluate --help",
        "batch --help",
    ],
)
def test_nothing_heavy_is_imported(arguments: str) -> None:
    assert_light(*arguments.split())


def test_info_imports_nothing_heavy(tiny_model_path: Path) -> None:
    assert_light("info", str(tiny_model_path))
    assert_light("info", str(tiny_model_path), "--json")
