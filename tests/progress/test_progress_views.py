"""Progress for programs, logs, notebooks and users of the library."""

from __future__ import annotations

import io
import json
import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.cli import main
from caw_toolkit.cli.progress import progress_option, shown_progress
from caw_toolkit.progress import views
from caw_toolkit.progress.display import PartOfDisplay, ProgressDisplay
from caw_toolkit.progress.state import ProgressState
from caw_toolkit.training.trainer import train


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_json_begins_with_each_file_and_ends_when_all_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "_JSON_INTERVAL_SECONDS", 0.0)
    stream = io.StringIO()
    with views.json_lines(stream) as show:
        display = ProgressDisplay(show)
        for number in (1, 2):
            display.begin_file(f"{number}.wav", number, 2)
            for fraction in (0.3, 0.2, 0.9):
                display.update(fraction, "cleaning", remaining_seconds=5)
    seen = events(stream.getvalue())
    assert [event["event"] for event in seen] == ["begin", *["progress"] * 3] * 2 + ["end"]
    for number in (1, 2):
        fractions = [event["fraction"] for event in seen if event["file"] == f"{number}.wav"]
        assert fractions == sorted(fractions)
    assert (seen[-1]["fraction"], seen[-1]["remaining_seconds"], seen[-1]["number"]) == (1.0, 0.0, 2)
    assert seen[1]["stage"] == "cleaning" and seen[5]["remaining_seconds"] == pytest.approx(5, abs=1)


def test_json_of_what_fails_has_no_end() -> None:
    stream = io.StringIO()

    def fail() -> None:
        with views.json_lines(stream) as show:
            ProgressDisplay(show).begin_file("a.wav", 1, 1)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [event["event"] for event in events(stream.getvalue())] == ["begin"]


@pytest.mark.parametrize(("options", "shows"), [(["json"], True), (["json", "--quiet"], False), (["none"], False)])
def test_generate_tells_another_program(tiny_model_path: Path, tmp_path: Path, options: list[str], shows: bool) -> None:
    command = [
        "generate",
        "-m",
        str(tiny_model_path),
        "--duration",
        "3",
        "-o",
        str(tmp_path / "take.wav"),
        "--progress",
    ]
    done = CliRunner().invoke(main, [*command, *options])
    assert done.exit_code == 0, done.stderr
    seen = events(done.stderr)
    assert bool(seen) == shows
    if shows:
        assert (seen[0]["event"], seen[0]["file"], seen[0]["count"]) == ("begin", "take.wav", 1)
        assert (seen[-1]["event"], seen[-1]["fraction"]) == ("end", 1.0)


def test_what_is_shown_within_work_on_a_file_is_a_part_of_it() -> None:
    @click.command()
    @progress_option
    def work() -> None:
        with shown_progress() as whole:
            whole.begin_file("song.wav", 1, 1)
            with shown_progress() as part:
                assert isinstance(part, PartOfDisplay)
                part.begin_file("another", 1, 1)

    done = CliRunner().invoke(work, ["--progress", "json"], catch_exceptions=False)
    assert [event["file"] for event in events(done.stderr)] == ["song.wav", "song.wav"]


def test_logs_get_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(views, "_LOG_INTERVAL_SECONDS", 0.0)
    with caplog.at_level(logging.INFO, "caw_toolkit"):
        ProgressDisplay(views.log_lines()).begin_file("a.wav", 3, 20)
    assert caplog.messages == ["files 3 of 20, a.wav: 0 %, 0:01 elapsed, about 1 s left"]


def test_training_from_python_says_how_it_goes(
    speech: AudioClip, tiny_preset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(views, "_PLAIN_INTERVAL_SECONDS", 0.0)
    settings: dict[str, Any] = {"preset": tiny_preset, "sample_rate": 4000, "material": "speech", "device": "cpu"}
    train(speech, **settings, progress=True)
    shown = capsys.readouterr()
    assert not shown.out
    assert "scale 2 of 3 (2000 Hz): " in shown.err
    assert shown.err.splitlines()[-1].startswith("setting the level: 100 %")


def test_a_notebook_shows_one_line_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    updates: list[str] = []
    handle = SimpleNamespace(update=lambda data, raw: updates.append(data["text/plain"]))
    display = SimpleNamespace(display=lambda data, raw, display_id: handle)
    kernel = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()), display=display)
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    with views.view_for_people(sys.stderr) as show:
        show(ProgressState(0, 0, 30, "clip.wav", fraction=0.5))
    assert updates == ["clip.wav: 50 %, 0:30 elapsed, about 30 s left"]
