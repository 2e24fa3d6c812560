"""Whatever ends a program or runs beside it, no file of the user's is lost or half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner

from caw_process import run_python
from caw_toolkit.atomic_write import atomic_file, reserved_place, write_atomically
from caw_toolkit.cli import main
from caw_toolkit.errors import CawError


def caw(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "caw_toolkit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    sf.write(tmp_path / "a.wav", np.random.default_rng(0).normal(0, 0.1, 20_000), 4000)
    return tmp_path / "a.wav"


def test_a_file_that_appears_meanwhile_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    target = tmp_path / "take.wav"
    with atomic_file(target, replace=False) as file:
        file.stream.write(b"new")
        target.write_bytes(b"somebody else's")
    assert target.read_bytes() == b"somebody else's"
    assert file.path == tmp_path / "take.1.wav" and file.path.read_bytes() == b"new"
    assert "has come to be there meanwhile, and stays" in caplog.text
    assert write_atomically(target, b"newer", replace=True) == target and target.read_bytes() == b"newer"


def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(CawError, match="links lead in a circle"):
        write_atomically(tmp_path / "a", b"")
    with pytest.raises(CawError, match="links lead in a circle"), reserved_place(tmp_path / "a"):
        pass


def test_parts_of_killed_programs_go_but_not_those_at_work(tmp_path: Path) -> None:
    old, new = tmp_path / ".caw-00000000.part", tmp_path / ".caw-11111111.part"
    for part in (old, new):
        part.touch()
    os.utime(old, (time.time() - 7200,) * 2)
    write_atomically(tmp_path / "x", b"")
    assert sorted(os.listdir(tmp_path)) == [new.name, "x"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_nothing_behind(number: signal.Signals, clip: Path, tmp_path: Path) -> None:
    program = (
        "import sys, time, numpy as np\n"
        "from caw_toolkit.audio import blocks\n"
        "encode = blocks.encode\n"
        "def slow(*arguments, **options):\n"
        "    print('encoding', flush=True)\n"
        "    time.sleep(30)\n"
        "blocks.encode = slow\n"
        "from caw_toolkit.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", program, "process", str(clip), str(tmp_path / "b.wav"), "-e", "Gain()"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "encoding\n"
        process.send_signal(number)
        assert "interrupted" in process.stderr.read() and process.wait() == 130
    assert os.listdir(tmp_path) == ["a.wav"]


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    with reserved_place(tmp_path / "two.pt"):
        with pytest.raises(CawError, match="being written by another run"), reserved_place(tmp_path / "two.pt"):
            pass
        with reserved_place(tmp_path / "three.pt"):
            pass
    assert os.listdir(tmp_path) == []


def test_two_trainings_of_one_model_are_one_too_many(speech_path: Path, tiny_preset: Path, tmp_path: Path) -> None:
    model = tmp_path / "two.pt"
    with reserved_place(model):
        made = caw("train", speech_path, "-o", model, "--preset", tiny_preset, "--seed", 1)
    assert made.returncode == 1 and "is being written by another run" in made.stderr and not model.exists()


@pytest.mark.skipif(os.name == "nt", reason="descriptors are a matter of POSIX")
def test_a_closed_standard_output_costs_nothing_but_what_goes_there(clip: Path, tmp_path: Path) -> None:
    program = f"exec '{sys.executable}' -m caw_toolkit"
    shell = ["sh", "-c"]
    for arguments, code in [(f"process {clip} {tmp_path}/b.wav -e 'Gain()'", 0), (f"process {clip} - -e 'Gain()'", 1)]:
        made = subprocess.run([*shell, f"{program} {arguments} >&-"], capture_output=True, text=True, check=False)
        assert made.returncode == code, made.stderr
    assert "standard output is closed" in made.stderr
    assert sf.info(tmp_path / "b.wav").frames == 20_000


@pytest.mark.parametrize("way", ["fifo", "substitution", "stdin"])
def test_a_pipe_gives_what_the_file_gives(way: str, clip: Path, tiny_model_path: Path, tmp_path: Path) -> None:
    settings = ("--gap", 1, 1.2, "-m", tiny_model_path, "--seed", 1)
    assert caw("inpaint", clip, *settings, "-o", tmp_path / "whole.wav").returncode == 0
    piped = tmp_path / "piped.wav"
    if way == "fifo":
        os.mkfifo(tmp_path / "fifo.wav")
        threading.Thread(target=(tmp_path / "fifo.wav").write_bytes, args=(clip.read_bytes(),), daemon=True).start()
        made = caw("inpaint", tmp_path / "fifo.wav", *settings, "-o", piped)
    elif way == "stdin":
        with open(clip, "rb") as stream:
            made = caw("inpaint", "-", *settings, "-o", piped, stdin=stream)
    else:
        words = " ".join(map(str, settings))
        line = f"'{sys.executable}' -m caw_toolkit inpaint <(cat {clip}) {words} -o {piped}"
        made = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    assert piped.read_bytes() == (tmp_path / "whole.wav").read_bytes()


def test_a_byte_order_mark_is_no_part_of_a_chain_or_a_preset(clip: Path, tiny_preset: Path, tmp_path: Path) -> None:
    (tmp_path / "chain.toml").write_text('[[chain]]\neffect = "Gain"\n', encoding="utf-8-sig")
    (tmp_path / "preset.toml").write_text(tiny_preset.read_text(), encoding="utf-8-sig")
    assert caw("process", clip, tmp_path / "b.wav", "--chain", tmp_path / "chain.toml").returncode == 0
    made = caw("train", clip, "-o", tmp_path / "m.pt", "--preset", tmp_path / "preset.toml", "--dry-run")
    assert made.returncode == 0, made.stderr


def test_what_terminals_obey_in_the_name_of_a_result_is_shown_as_an_escape(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.zeros(100), 16_000)
    arguments = ["process", str(tmp_path / "a.wav"), str(tmp_path / "b\x1b[2J\n.wav"), "-e", "Gain"]
    result = CliRunner().invoke(main, arguments, color=True)
    assert result.exit_code == 0, result.stderr
    assert result.stderr.endswith("b\\x1b[2J\\n.wav\n") and (tmp_path / "b\x1b[2J\n.wav").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="there, a folder that is used cannot be removed")
def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    clip = tmp_path / "clip.wav"
    sf.write(clip, np.zeros(100), 8000)
    (tmp_path / "gone").mkdir()
    arguments = ["process", str(clip), "a.wav", "-e", "Gain"]
    code = f"import os; os.rmdir(os.getcwd()); from caw_toolkit.cli import main; main({arguments})"
    done = run_python("-c", code, cwd=tmp_path / "gone")
    assert (done.returncode, done.stderr) == (
        1,
        "caw: error: the folder that this was started in is gone: go to another\n",
    )


def test_ctrl_c_while_the_command_is_imported() -> None:
    press = "lambda self, name, *_: signal.raise_signal(signal.SIGINT) if name == 'click' else None"
    done = run_python(
        "-c",
        f"import signal, sys; sys.meta_path.insert(0, type('Slow', (), {{'find_spec': {press}}})());"
        "from caw_toolkit.__main__ import main; main()",
    )
    assert (done.returncode, done.stderr) == (130, "caw: error: interrupted\n")
