"""Many files in one command: which are taken, where results go, and what a failure costs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner, Result

from caw_process import ENVIRONMENT, contents, run_caw
from caw_toolkit.audio import ffmpeg
from caw_toolkit.cli import main

RATE = 8000


def caw(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def gain(*arguments: str | Path) -> Result:
    return caw("process", *arguments, "-e", "Gain(gain_db=-6)")


def write(path: Path, seconds: float = 0.1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, np.random.default_rng(0).normal(0, 0.1, round(RATE * seconds)), RATE)
    return path


def names(folder: Path) -> list[str]:
    return list(contents(folder))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two files, one deeper down, one that is hidden and one that is no audio."""
    monkeypatch.chdir(tmp_path)
    for name in ("in/a.wav", "in/b.flac", "in/deep/c.wav", "in/.hidden.wav", "in/.trash/d.wav"):
        write(Path(name))
    Path("in/notes.txt").touch()
    return tmp_path


def test_a_folder_of_twenty_files_of_which_three_fail(tmp_path: Path) -> None:
    recordings, results = tmp_path / "in", tmp_path / "out"
    for number in range(17):
        write(recordings / f"{number:02}.wav")
    write(recordings / "16.flac")
    (recordings / "broken.wav").write_bytes(b"RIFF\0\0\0\0WAVEjunk")
    if os.geteuid() == 0:  # who may read everything
        (recordings / "locked.wav").symlink_to("nowhere.wav")
    else:
        write(recordings / "locked.wav").chmod(0)
    command = ("denoise", recordings, "-o", results, "--format", "wav", "--log", tmp_path / "log")
    made = run_caw(*command)
    assert made.returncode == 1
    assert names(results) == [f"{number:02}.wav" for number in range(17)]
    table = made.stderr[made.stderr.index("\nfailed:\n") :].splitlines()[2:]
    assert [Path(line.split()[0]).name for line in table[:-1]] == ["16.wav", "broken.wav", "locked.wav"]
    assert table[-1] == "caw: error: 3 of 20 files failed"
    assert len((tmp_path / "log").read_text().splitlines()) == 17
    before = contents(results)
    again = caw(*command, "--skip-existing")
    assert again.exit_code == 1 and "3 of 20 files failed" in again.stderr
    assert "skipped 17 files whose results exist" in again.stderr and contents(results) == before


def test_a_second_run_refuses_or_skips_what_exists(folder: Path) -> None:
    assert gain("in", "out").exit_code == 0
    before = contents(folder)
    refused = gain("in", "out")
    assert refused.exit_code == 2 and "2 of 2 results exist, such as out/a.wav: add --skip-existing" in refused.stderr
    Path("out/b.flac").unlink()
    skipped = gain("in", "out", "--skip-existing")
    assert skipped.exit_code == 0, skipped.stderr
    assert skipped.stderr.splitlines() == ["skipped 1 file whose results exist", "wrote out/b.flac"]
    assert contents(folder) == before
    assert gain("in", "out", "--skip-existing", "-q").stderr == ""
    assert gain("in", "out", "--force").exit_code == 0


def test_a_folder_gives_its_audio_and_keeps_its_structure(folder: Path) -> None:
    assert gain("in", "flat/").exit_code == 0
    assert names(Path("flat")) == ["a.wav", "b.flac"]
    assert gain("in", "-r", "all").exit_code == 0
    assert names(Path("all")) == ["a.wav", "b.flac", "deep/c.wav"]
    assert gain("in/a.wav", "in/deep", "in/a.wav", "in", "mixed/").exit_code == 0
    assert names(Path("mixed")) == ["a.wav", "b.flac", "c.wav"]
    assert gain("in/.hidden.wav", "named/").exit_code == 0, "a file that is named is taken"
    assert names(Path("named")) == [".hidden.wav"]


def test_templates_name_each_result(folder: Path) -> None:
    assert gain("in", "-r", "{parent}/new/{stem}.{task}{ext}").exit_code == 0
    assert {"in/new/a.process.wav", "in/new/b.process.flac", "in/deep/new/c.process.wav"} <= set(names(folder))
    again = gain("in", "-r", "{parent}/new/{stem}.{task}{ext}", "--force")
    assert again.exit_code == 0 and "left out 3 results of caw, such as in/" in again.stderr
    assert not Path("in/new/new").exists()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("out/{name}.wav", "fields are {parent}, {stem}, {ext}, {task}"),
        ("out/{stem.__class__}.wav", "fields are {parent}, {stem}, {ext}, {task}"),
        ("out/{stem", "fields are {parent}, {stem}, {ext}, {task}"),
        ("out/x{ext}{task}.wav", None),
        ("out/{task}.wav", "gives all files one name: use the fields {stem} and {parent}"),
        ("out.wav", "out.wav takes a single result"),
        ("-", "standard output takes a single result"),
    ],
)
def test_a_place_that_is_none_for_several_is_a_usage_error(target: str, message: str | None, folder: Path) -> None:
    before = contents(folder)
    made = gain("in", target)
    if message is None:
        assert made.exit_code == 0 and names(Path("out")) == ["x.flacprocess.wav", "x.wavprocess.wav"]
    else:
        assert made.exit_code == 2 and message in made.stderr
        assert contents(folder) == before


def test_results_are_not_taken_for_recordings(folder: Path) -> None:
    assert caw("denoise", "in", "-q").exit_code == 0
    write(Path("in/old.varied-0.7-12.wav"))
    write(Path("in/old.bwe.wav"))
    write(Path("in/old.vary.wav"))
    write(Path("in/song.live.wav"))
    made = caw("denoise", "in", "-o", "in/out", "-r")
    assert made.exit_code == 0 and "left out 5 results of caw, such as in/a.denoised.wav: name" in made.stderr
    assert names(Path("in/out")) == ["a.wav", "b.flac", "deep/c.wav", "song.live.wav"]
    again = caw("denoise", "in", "-o", "in/out", "-r", "--skip-existing")
    assert again.exit_code == 0 and "skipped 4 files" in again.stderr and "left out 9 results" in again.stderr
    assert caw("denoise", "in/a.denoised.wav", "-q").exit_code == 0 and Path("in/a.denoised.denoised.wav").exists()


def test_what_would_destroy_a_recording_fails_alone(folder: Path) -> None:
    write(Path("in/b.wav"))
    before = contents(folder)
    made = gain("in", "{parent}/{stem}{ext}", "--format", "wav", "--force")
    assert made.exit_code == 1 and "3 of 3 files failed" in made.stderr and "would be destroyed" in made.stderr
    assert contents(folder) == before


def test_a_folder_without_audio_says_so(folder: Path) -> None:
    Path("in/empty").mkdir()
    made = gain("in/empty", "out")
    assert made.exit_code == 2 and "no audio files in in/empty (--recursive takes" in made.stderr


def test_what_needs_ffmpeg_is_counted_where_there_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in/x.m4a").touch()
    monkeypatch.setattr(ffmpeg, "ffmpeg_path", lambda: None)
    made = gain("in", "out", "-q")
    assert made.exit_code == 0 and "left out 1 file (.m4a) that only ffmpeg reads" in made.stderr


def test_links_to_files_are_taken_and_pipes_are_not_waited_for(folder: Path) -> None:
    Path("in/link.wav").symlink_to("a.wav")
    Path("in/around").symlink_to(".")
    os.mkfifo("in/pipe.wav")
    assert gain("in", "-r", "out").exit_code == 0
    assert names(Path("out")) == ["a.wav", "b.flac", "deep/c.wav", "link.wav"]


def test_takes_go_on_from_those_that_exist(tiny_model_path: Path, tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    sf.write(song, np.random.default_rng(0).normal(0, 0.1, 4000), 4000)
    command = ("vary", song, "-m", tiny_model_path, "--seed", "1")
    for more in (
        (),
        ("-n", "2"),
        ("--strength", "0.7"),
        ("-n", "2", "-o", tmp_path / "out/"),
        ("-o", tmp_path / "out"),
    ):
        made = caw(*command, *more)
        assert made.exit_code == 0, made.stderr
    expected = ["out/song.varied1.wav", "out/song.varied2.wav", "out/song.wav", "song.varied-0.7-1.wav"]
    assert names(tmp_path) == [*expected, *(f"song.varied{take}.wav" for take in (1, 2, 3)), "song.wav"]
    assert "a single result" in caw(*command, "-n", "2", "-o", tmp_path / "x.wav").stderr
    (tmp_path / "song.varied2.wav").unlink()
    resumed = caw(*command, "-n", "3", "--skip-existing")
    assert resumed.exit_code == 0 and resumed.stderr.count("wrote") == 1


def test_residuals_go_to_a_folder_of_their_own(folder: Path) -> None:
    made = caw("denoise", "in", "-o", "out/", "--residual", "removed/", "--json")
    assert made.exit_code == 0, made.stderr
    assert names(Path("out")) == names(Path("removed")) == ["a.wav", "b.flac"]
    assert [json.loads(line)["output"] for line in made.stdout.splitlines()] == ["out/a.wav", "out/b.flac"]


def test_an_interrupt_ends_the_run_and_keeps_what_is_finished(folder: Path) -> None:
    program = (
        "import sys, time\n"
        "from caw_toolkit.audio import blocks\n"
        "encode, done = blocks.encode, []\n"
        "def slow(*arguments, **options):\n"
        "    if done: print('encoding', flush=True); time.sleep(30)\n"
        "    done.append(1)\n"
        "    return encode(*arguments, **options)\n"
        "blocks.encode = slow\n"
        "from caw_toolkit.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", program, "process", "in", "out", "-e", "Gain"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "wrote out/a.wav\n"
        assert process.stderr.readline() == "encoding\n"
        process.send_signal(signal.SIGINT)
        assert "interrupted after 1 of 2 files; --skip-existing goes on from there" in process.stderr.read()
        assert process.wait() == 130
    assert names(Path("out")) == ["a.wav"]
