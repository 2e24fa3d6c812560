"""A line at the bottom of a terminal that says how far the work has come; what is printed meanwhile goes above it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TextIO, cast

from rich.console import Console

from caw_toolkit.progress.line import progress_line
from caw_toolkit.progress.state import ProgressState

#: Work that is done by then is not worth a line.
PATIENCE_SECONDS = 2.0
_REFRESH_SECONDS = 0.25

# The cursor stays at the beginning of the line. A terminal that is made narrower may wrap what is there: it goes
# nevertheless, as all of it comes behind the cursor.
_ERASE = "\r\x1b[J"
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


def can_show_line(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal on which a line can be drawn anew."""
    is_terminal = stream is not None and stream.isatty()
    return is_terminal and os.environ.get("TERM") != "dumb" and not Console(file=stream).legacy_windows


@contextlib.contextmanager
def terminal_line(stream: TextIO) -> Iterator[Callable[[ProgressState], None]]:
    """A line within the block; yields what shows a state in it.

    Args:
        stream: a terminal. What is printed to standard output or error in the block goes above the line.
    """
    line = _Line(stream)
    with contextlib.ExitStack() as stack:
        stack.callback(line.close)
        stack.enter_context(contextlib.redirect_stderr(line.above(sys.stderr)))
        if sys.stdout.isatty():
            stack.enter_context(contextlib.redirect_stdout(line.above(sys.stdout)))
        yield line.show


class _Line:
    """The line: drawn again and again by a thread of its own, since work may be silent for long.

    Args:
        stream: a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._console = Console(file=stream, force_terminal=True, highlight=False)
        self._lock = threading.RLock()
        self._state: ProgressState | None = None
        self._is_drawn = False
        self._is_interrupted = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._draw_until_closed, daemon=True)
        self._thread.start()

    def show(self, state: ProgressState) -> None:
        self._state = state

    def above(self, stream: TextIO) -> TextIO:
        """A stream that prints to another, above the line."""
        return cast(TextIO, _Above(stream, self._print_above))

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
        with self._lock:
            if self._is_drawn:
                self._stream.write(_ERASE + _SHOW_CURSOR)
                self._stream.flush()

    def _draw_until_closed(self) -> None:
        patience = PATIENCE_SECONDS
        while not self._closed.wait(patience):
            patience = _REFRESH_SECONDS
            with self._lock:
                if self._state is not None and not self._is_interrupted:
                    self._draw(self._state)

    def _draw(self, state: ProgressState) -> None:
        width = self._console.width - 1  # the last cell of a line makes some terminals go to the next
        ascii_only = not self._console.encoding.startswith("utf")
        with self._console.capture() as drawn:
            self._console.print(
                progress_line(state, time.monotonic(), width, ascii_only=ascii_only), end="", no_wrap=True, crop=True
            )
        self._stream.write(f"{'' if self._is_drawn else _HIDE_CURSOR}{_ERASE}{drawn.get()}\r")
        self._stream.flush()
        self._is_drawn = True

    def _print_above(self, stream: TextIO, text: str) -> None:
        with self._lock:
            if self._is_drawn and not self._is_interrupted:
                self._stream.write(_ERASE)
                self._stream.flush()
            stream.write(text)
            stream.flush()
            self._is_interrupted = bool(text) and not text.endswith("\n")
            if self._is_drawn and self._state is not None and not self._is_interrupted:
                self._draw(self._state)


class _Above:
    """A stream whose text is printed by somebody else."""

    def __init__(self, stream: TextIO, print_above: Callable[[TextIO, str], None]) -> None:
        self._stream = stream
        self._print = print_above

    def write(self, text: str) -> int:
        self._print(self._stream, text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
