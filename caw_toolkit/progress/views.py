"""Ways to show progress beside a terminal's line: to a program, in a log, in a notebook, as plain lines."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from caw_toolkit.durations import as_clock, in_words
from caw_toolkit.progress.state import ProgressState

log = logging.getLogger(__name__)

_JSON_INTERVAL_SECONDS = 0.2
_LOG_INTERVAL_SECONDS = 60.0
_PLAIN_INTERVAL_SECONDS = 10.0

Show = Callable[[ProgressState], None]


def view_for_people(stream: TextIO) -> contextlib.AbstractContextManager[Show]:
    """What shows progress in a program of the user's: below a notebook's cell, on a terminal, else in plain lines.

    Args:
        stream: where terminals and lines are.
    """
    from caw_toolkit.progress.terminal import can_show_line, terminal_line

    if _is_notebook():
        return contextlib.nullcontext(notebook_output())
    return terminal_line(stream) if can_show_line(stream) else contextlib.nullcontext(plain_lines(stream))


def _is_notebook() -> bool:
    """Whether Python runs in the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and getattr(ipython.get_ipython(), "kernel", None) is not None


@contextlib.contextmanager
def json_lines(stream: TextIO) -> Iterator[Show]:
    """An object of JSON a line: `begin` for each file, `progress` now and then, and `end` when all is done.

    Args:
        stream: where they go. Without an `end` the work has failed, or was broken off.
    """
    latest: ProgressState | None = None
    written = 0.0

    def write(event: str, state: ProgressState) -> None:
        nonlocal written
        written = time.monotonic()
        stream.write(json.dumps({"event": event, **_figures(state, written)}) + "\n")
        stream.flush()

    def show(state: ProgressState) -> None:
        nonlocal latest
        before, latest = latest, state
        if before is None or state.file_began != before.file_began:
            write("begin", state)
        elif state.stage != before.stage or state.at - written >= _JSON_INTERVAL_SECONDS:
            write("progress", state)

    yield show
    if latest is not None:
        done = {"at": time.monotonic(), "fraction": 1.0, "number": latest.count, "stage": "", "file_seconds_left": 0.0}
        write("end", ProgressState(**{**vars(latest), **done}))


def _figures(state: ProgressState, now: float) -> dict[str, Any]:
    remaining = state.remaining_seconds(now)
    return {
        "file": state.name,
        "number": state.number,
        "count": state.count,
        "fraction": round(state.fraction, 4),
        "stage": state.stage,
        "details": state.details,
        "elapsed_seconds": round(state.elapsed_seconds(now), 1),
        "remaining_seconds": None if remaining is None else round(remaining, 1),
    }


def log_lines() -> Show:
    """What logs a line a minute."""
    return _now_and_then(_LOG_INTERVAL_SECONDS, lambda line: log.info("%s", line))


def plain_lines(stream: TextIO) -> Show:
    """What prints a line every ten seconds."""
    return _now_and_then(_PLAIN_INTERVAL_SECONDS, lambda line: stream.write(f"{line}\n"))


def _now_and_then(interval_seconds: float, write: Callable[[str], object]) -> Show:
    written = time.monotonic()

    def show(state: ProgressState) -> None:
        nonlocal written
        if state.at - written >= interval_seconds:
            written = state.at
            write(plain_line(state, state.at))

    return show


def notebook_output() -> Show:
    """What shows a line below the cell of a notebook, and changes it as the work goes on."""
    from IPython.display import display

    shown = display({"text/plain": ""}, raw=True, display_id=True)
    drawn = 0.0

    def show(state: ProgressState) -> None:
        nonlocal drawn
        if state.at - drawn >= _JSON_INTERVAL_SECONDS or state.fraction >= 1:
            drawn = state.at
            shown.update({"text/plain": plain_line(state, state.at)}, raw=True)

    return show


def plain_line(state: ProgressState, now: float) -> str:
    """A state in words.

    >>> plain_line(ProgressState(0, 0, 30, "a.wav", fraction=0.25, stage="finishing"), 30)
    'a.wav, finishing: 25 %, 0:30 elapsed, about 90 s left'
    """
    what = ", ".join(part for part in (state.files, state.name, state.stage) if part)
    remaining = state.remaining_seconds(now)
    left = "" if remaining is None else f", about {in_words(remaining)} left"
    return f"{what}: {state.percent}, {as_clock(state.elapsed_seconds(now))} elapsed{left}"
