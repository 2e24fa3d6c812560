"""The real command `caw`, or another program, on a real terminal, whose screen can be looked at at any moment."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pyte

from caw_process import ENVIRONMENT

ROWS = 24


class Terminal:
    """A terminal in which this Python runs.

    Args:
        arguments: of Python.
        columns: of the terminal.
        environment: variables to set beside the inherited ones.
    """

    def __init__(self, *arguments: str | Path, columns: int = 80, environment: dict[str, str] | None = None) -> None:
        self.screen = pyte.Screen(columns, ROWS)
        self._stream = pyte.Stream(self.screen)
        self.transcript = ""
        self._child = pexpect.spawn(
            sys.executable,
            [*map(str, arguments)],
            env={**ENVIRONMENT, "TERM": "xterm-256color", "PYTHONUTF8": "1", **(environment or {})},
            dimensions=(ROWS, columns),
            encoding="utf-8",
            timeout=120,
            echo=False,
        )

    @property
    def lines(self) -> list[str]:
        """What is on the screen, without lines that are empty."""
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def look(self, seconds: float = 0.1) -> list[str]:
        """The lines of the screen after what comes within some time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                text = self._child.read_nonblocking(size=65536, timeout=0.05)
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                break
            self.transcript += text
            self._stream.feed(text)
        return self.lines

    def wait_for(self, is_there: Callable[[str], object], *, seconds: float = 120.0) -> str:
        """The first line of the screen for which `is_there` holds, as soon as there is one."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for line in self.look():
                if is_there(line):
                    return line
            assert self._child.isalive(), self.transcript
        raise AssertionError(f"not seen: {self.transcript}")

    def resize(self, columns: int) -> None:
        """Give the terminal another width, as its user may at any moment."""
        self.screen.resize(ROWS, columns)
        self._child.setwinsize(ROWS, columns)

    def press_enter(self) -> None:
        """Type a line."""
        self._child.sendline()

    def finish(self) -> list[str]:
        """What is on the screen when the command has ended well."""
        while self._child.isalive():
            self.look()
        lines = self.look()
        self._child.close()
        assert self._child.exitstatus == 0, self.transcript
        return lines

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close(force=True)
