"""Commands as `caw studio` shows them."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from caw_process import run_caw


def run_shown(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the form `VARIABLE=VALUE caw ARGUMENTS` in a folder."""
    words = shlex.split(command)
    start = words.index("caw")
    environment = dict(word.split("=", 1) for word in words[:start])
    return run_caw(*words[start + 1 :], environment=environment, cwd=folder)
