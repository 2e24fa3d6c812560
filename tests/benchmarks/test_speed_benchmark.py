"""The speed benchmark runs, keeps its results and goes on from them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from paths import ROOT

SCRIPT = ROOT / "benchmarks" / "speed.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, timeout=300)


def test_quick_start_up(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    first = run("--quick", "--only", "d", "--json", str(results))
    assert first.returncode == 0, first.stderr
    assert "| `caw --help` |" in first.stdout
    rows = json.loads(results.read_text())["d"]
    assert [row["target"] for row in rows] == [0.3, 4.0]
    again = run("--quick", "--only", "d", "--json", str(results))
    assert again.stdout == first.stdout
    assert again.stderr == ""


def test_unknown_parts_are_refused() -> None:
    result = run("--only", "x")
    assert result.returncode == 2
    assert "unknown part 'x'" in result.stderr
