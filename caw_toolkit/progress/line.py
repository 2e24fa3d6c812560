"""Progress in one line of text, as much of it as there is room for."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from caw_toolkit.durations import as_clock
from caw_toolkit.errors import printable
from caw_toolkit.progress.state import ProgressState

_LEAST_BAR, _MOST_BAR = 10, 40
_LEAST_NAME = 6  # shorter than that, it says nothing
_LEAST_DETAILS = 8
_GAP = "  "


class _Glyphs(NamedTuple):
    done: str
    left: str
    cut: str


_UNICODE = _Glyphs("\N{BOX DRAWINGS HEAVY HORIZONTAL}", "\N{BOX DRAWINGS LIGHT HORIZONTAL}", "\N{HORIZONTAL ELLIPSIS}")
_ASCII = _Glyphs("#", "-", "~")


def progress_line(state: ProgressState, now: float, width: int, *, ascii_only: bool = False) -> Text:
    """File, stage, bar, percentage, times and details.

    Where it is narrow, first the details go, then the time that has passed; then the name of the file is shortened.
    Bar, percentage and the time that is left stay whole.

    Args:
        state: what is to be shown.
        now: on the monotonic clock.
        width: of the line, in cells.
        ascii_only: draw it with characters that every terminal has.
    """
    glyphs = _ASCII if ascii_only else _UNICODE
    percent = state.percent.rjust(5)
    passed, left = _times(state, now)
    room = width - _LEAST_BAR - len(_GAP) - len(percent) - len(_GAP) - len(left)
    label = _label(state, room - len(_GAP), glyphs.cut)
    room -= cell_len(label) + (len(_GAP) if label else 0)
    if passed and len(passed) <= room:
        left = passed + left
        room -= len(passed)
    bar = max(1, min(_MOST_BAR, _LEAST_BAR + room))
    room -= bar - _LEAST_BAR
    done = int(bar * state.fraction)
    line = Text(label + _GAP if label else "")
    line.append(glyphs.done * done, "cyan")
    line.append(glyphs.left * (bar - done), "dim")
    line.append(f"{_GAP}{percent}{_GAP}{left}")
    if state.details and room >= _LEAST_DETAILS + len(_GAP):
        line.append(_GAP + _cut_end(state.details, room - len(_GAP), glyphs.cut), "dim")
    return line


def _times(state: ProgressState, now: float) -> tuple[str, str]:
    """What has passed, which may be left out, and what is left; while nothing is known of that, what has passed."""
    elapsed = f"{as_clock(state.elapsed_seconds(now))} elapsed"
    remaining = state.remaining_seconds(now)
    if remaining is None:
        return "", elapsed
    return f"{elapsed}, ", f"{as_clock(remaining)} left" + (" in all" if state.count > 1 else "")


def _label(state: ProgressState, room: int, cut: str) -> str:
    """Which file it is and what is done with it; a name that is too long loses its middle, then all of it."""
    others = [part for part in (state.files, state.stage) if part]
    rest = room - sum(cell_len(part) + len(_GAP) for part in others)
    name = _cut_middle(printable(state.name), rest, cut) if rest >= _LEAST_NAME else ""
    label = _GAP.join(part for part in (state.files, name, state.stage) if part)
    return _cut_end(label, room, cut) if room > 0 else ""


def _cut_middle(text: str, width: int, cut: str) -> str:
    if cell_len(text) <= width:
        return text
    tail = (width - 1) // 2
    return set_cell_size(text, width - 1 - tail) + cut + set_cell_size(text[::-1], tail)[::-1]


def _cut_end(text: str, width: int, cut: str) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + cut
