"""The line on a real terminal: drawn anew when the terminal is resized, below what is printed, gone at the end."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("pexpect needs terminals of POSIX", allow_module_level=True)

from terminal import Terminal

WIDTHS = (60, 80, 120)

#: Bar, percentage and time, whole, at the end of what is shown or before the details.
WHOLE_LINE = re.compile(r"[━─]{10,40} +\d+ %  (\d+:\d\d elapsed(, |$))?(\d+:\d\d left)?")

PROGRAM = """
import itertools, select, sys
import click
from caw_toolkit.progress import terminal
from caw_toolkit.progress.display import ProgressDisplay

terminal.PATIENCE_SECONDS = 0.0
with terminal.terminal_line(sys.stderr) as show:
    display = ProgressDisplay(show)
    display.begin_file("a name that is too long for a narrow terminal.wav", 3, 20)
    for step in itertools.count():
        display.update(min(0.9, step / 30), "cleaning")
        if select.select([sys.stdin], [], [], 0.05)[0]:
            break
        if step == 10:
            click.echo("wrote something", err=True)
            print("a result")
print("the end")
"""


def test_the_line_survives_resizes_and_what_is_printed() -> None:
    with Terminal("-c", PROGRAM, columns=120) as terminal:
        terminal.wait_for(WHOLE_LINE.search)
        terminal.resize(60)
        terminal.wait_for(lambda line: WHOLE_LINE.search(line) and len(line) < 60)
        terminal.wait_for(lambda line: line.startswith("a result"))
        terminal.wait_for(WHOLE_LINE.search)
        lines = terminal.lines
        assert lines[:2] == ["wrote something", "a result"]
        assert sum("%" in line for line in lines) == 1 == len(lines) - 2, "no stale line is left"
        terminal.press_enter()
        assert terminal.finish() == ["wrote something", "a result", "the end"]


def test_colours_are_left_out_if_nobody_wants_them() -> None:
    with Terminal("-c", PROGRAM, environment={"NO_COLOR": "1"}) as terminal:
        terminal.wait_for(WHOLE_LINE.search)
        terminal.press_enter()
        terminal.finish()
        assert "\x1b[36m" not in terminal.transcript and "━" in terminal.transcript


def test_work_that_is_soon_done_shows_nothing() -> None:
    with Terminal("-c", PROGRAM.replace("PATIENCE_SECONDS = 0.0", "PATIENCE_SECONDS = 60.0")) as terminal:
        terminal.wait_for(lambda line: line == "a result")
        terminal.press_enter()
        assert terminal.finish() == ["wrote something", "a result", "the end"]
        assert "\x1b[?25l" not in terminal.transcript


@pytest.mark.slow
@pytest.mark.parametrize("columns", WIDTHS)
def test_commands_show_a_whole_line_at_every_width(columns: int, speech_path: Path, tmp_path: Path) -> None:
    model, take = tmp_path / "a model with a name of some length.pt", tmp_path / "a take with a name of some length.wav"
    commands: list[list[str | Path]] = [
        ["train", speech_path, "-o", model, "--minutes", "0.15", "--seed", "1"],
        ["generate", "-m", model, "--duration", "600", "-o", take, "--seed", "1"],
        ["process", take, tmp_path / "out.wav", *["-e", "Reverb()"] * 12],
    ]
    for arguments in commands:
        with Terminal("-m", "caw_toolkit", *arguments, columns=columns) as terminal:
            line = terminal.wait_for(lambda line: "%" in line and "━" in line and "left" in line)
            assert WHOLE_LINE.search(line) and len(line) < columns
            terminal.resize(60)
            lines = terminal.look(1.0)
            assert sum("──" in line for line in lines) <= 1, lines
            assert not any("──" in line or "━" in line for line in terminal.finish())
