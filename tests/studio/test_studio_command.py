"""`caw studio` on the command line."""

from __future__ import annotations

import importlib.util
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from caw_process import ENVIRONMENT
from caw_toolkit.cli import main


def complaint(*arguments: str) -> str:
    """What `caw studio` says when it does not start."""
    result = CliRunner().invoke(main, ["studio", *arguments])
    assert result.exit_code in (1, 2)
    return result.stderr


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "needs starlette and uvicorn: pip install 'caw-toolkit[studio]'" in complaint(str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken_and_an_address_of_another_machine_are_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = complaint(str(tmp_path), "--no-browser", "--port", port)
        assert f"port {port} is taken: choose another with --port" in said
    assert "cannot listen at 192" in complaint(str(tmp_path), "--no-browser", "--host", "192.0.2.1")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_it_serves_until_ctrl_c_and_says_who_else_may_come(tmp_path: Path) -> None:
    arguments = ["studio", str(tmp_path), "--no-browser", "--port", "0", "--host", "0.0.0.0"]
    with subprocess.Popen(
        [sys.executable, "-m", "caw_toolkit", *arguments],
        env=ENVIRONMENT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        port = address.split(":")[2].split("/")[0]
        local = f"http://127.0.0.1:{port}/{address.split('/')[3]}/"
        with urllib.request.urlopen(f"{local}api/files") as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert "whoever can reach this machine" in errors and "Traceback" not in errors
