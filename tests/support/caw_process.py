"""The real command `caw`, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: A crowd of threads gains nothing on models this small.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
# COLUMNS is of the terminal that the tests were started from.
for _name in ("CAW_DEBUG", "CAW_DISABLE_PLUGINS", "CAW_STRICT_PLUGINS", "COLUMNS"):
    ENVIRONMENT.pop(_name, None)


def run_caw(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run `caw ARGUMENTS` to its end.

    Args:
        arguments: of the command line.
        environment: variables to set beside the inherited ones.
        options: of `subprocess.run`.
    """
    return run_python("-m", "caw_toolkit", *map(str, arguments), environment=environment, **options)


def run_python(
    *arguments: str, environment: Mapping[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run this Python to its end; arguments as for `run_caw`."""
    options = {"stdout": subprocess.PIPE, **options}
    return subprocess.run(
        [sys.executable, *arguments],
        env={**ENVIRONMENT, **(environment or {})},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **options,
    )


def limit_file_size(size_bytes: int) -> None:
    """Let this process write files of at most this size, as if the disk were full after it; for `preexec_fn`."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, for a comparison of before and after."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
