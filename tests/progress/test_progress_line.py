"""The line of a terminal: what it says, and what it leaves out where there is little room."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from caw_toolkit.progress.line import progress_line
from caw_toolkit.progress.state import ProgressState

TRAINING = ProgressState(
    began=0,
    file_began=0,
    at=72,
    name="interview with the neighbours.wav",
    fraction=0.6,
    stage="scale 3 of 4 (8000 Hz)",
    details="weighted negative log-likelihood 0.123",
)
THIRD_OF_TWENTY = ProgressState(
    began=0, file_began=20, at=25, name="録音インタビュー.wav", number=3, count=20, fraction=0.5
)


def line(state: ProgressState, width: int, *, now: float | None = None, ascii_only: bool = False) -> str:
    return progress_line(state, state.at if now is None else now, width, ascii_only=ascii_only).plain


@pytest.mark.parametrize(("state", "left"), [(TRAINING, "0:48 left"), (THIRD_OF_TWENTY, "2:55 left in all")])
def test_bar_percentage_and_time_left_are_whole_at_every_width(state: ProgressState, left: str) -> None:
    for width in range(40, 200):
        shown = line(state, width)
        assert cell_len(shown) <= width
        assert shown.count("━") + shown.count("─") >= 10
        assert state.percent in shown and left in shown


def test_details_go_first_then_the_time_that_has_passed_then_the_name() -> None:
    everything = line(TRAINING, 199)
    assert everything.startswith("interview with the neighbours.wav  scale 3 of 4 (8000 Hz)  ━")
    assert everything.endswith("60 %  1:12 elapsed, 0:48 left  weighted negative log-likelihood 0.123")
    without_details = line(TRAINING, 112)
    assert "1:12 elapsed" in without_details and "likelihood" not in without_details
    without_elapsed = line(TRAINING, 90)
    assert TRAINING.name in without_elapsed and "elapsed" not in without_elapsed
    shortened = line(TRAINING, 70)
    assert shortened.startswith("intervie…urs.wav  scale 3 of 4 (8000 Hz)  ━")
    assert line(TRAINING, 54).startswith("scale 3 of 4 (8000 Hz)  ━")


def test_names_cannot_command_the_terminal() -> None:
    assert "\\x1b[2J" in line(ProgressState(0, 0, 0, "evil\x1b[2J.wav"), 80)


def test_terminals_without_unicode_get_ascii() -> None:
    assert line(TRAINING, 70, ascii_only=True).isascii()


def test_time_left_counts_down_and_is_never_nothing_before_the_end() -> None:
    assert TRAINING.remaining_seconds(72) == pytest.approx(48)
    assert TRAINING.remaining_seconds(100) == pytest.approx(20)
    assert TRAINING.remaining_seconds(1000) == 1
    done = ProgressState(began=0, file_began=0, at=72, fraction=1.0)
    assert done.remaining_seconds(72) == 0


def test_files_that_are_to_come_take_as_long_as_those_before() -> None:
    begun = ProgressState(began=0, file_began=20, at=20, number=3, count=4)
    assert begun.remaining_seconds(20) == pytest.approx(20)
    assert ProgressState(began=0, file_began=0, at=5, count=4).remaining_seconds(5) is None


def test_no_share_is_rounded_up_to_all() -> None:
    assert ProgressState(0, 0, 0, fraction=0.999).percent == "99 %"
    assert ProgressState(0, 0, 0, fraction=1.0).percent == "100 %"
