"""`caw studio` as a process, and waiting for its page."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from caw_process import ENVIRONMENT


class StudioServer:
    """`caw studio` in a process.

    Args:
        folder: that it works in.
        environment: variables to set beside the inherited ones.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = "0"
        self._environment = {**ENVIRONMENT, **(environment or {})}

    def start(self) -> str:
        """Begin to serve; returns the address, which is the same after a new start."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "caw_toolkit", "studio", str(self.folder), "--no-browser", "--port", self.port],
            stdout=subprocess.PIPE,
            text=True,
            env=self._environment,
        )
        assert self.process.stdout is not None
        found = re.search(r"http://\S+:(\d+)/\S+", self.process.stdout.readline())
        assert found is not None
        self.port = found[1]
        return found[0]

    def stop(self) -> int:
        """End it, as Ctrl-C does."""
        with self.process as process:
            process.terminate()
            return process.wait(60)


@contextmanager
def open_studio(browser: Any, folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Any]:
    """The page of a server in a folder, once a recording is chosen; both end with the block."""
    server = StudioServer(folder, environment)
    page = browser.new_page()
    page.goto(server.start())
    until(page, "studio.player.heard !== null")
    yield page
    page.close()
    server.stop()


def until(page: Any, expression: str, seconds: float = 120) -> Any:
    """Wait for an expression to be true; `wait_for_function` needs `eval`, which the page's policy forbids."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = page.evaluate(expression)
        if value:
            return value
        page.wait_for_timeout(100)
    raise AssertionError(f"never: {expression}")
