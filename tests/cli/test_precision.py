"""In which numbers networks compute."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest
import torch
from click.testing import CliRunner

from caw_process import run_caw
from caw_toolkit import devices
from caw_toolkit.cli.options import device_option
from caw_toolkit.devices import mixed_precision, uses_bfloat16
from caw_toolkit.errors import CawUsageError


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(("said", "used"), [("float32", False), ("bfloat16", True), ("auto", None), ("", None)])
def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch, said: str, used: bool | None, fast: bool) -> None:
    monkeypatch.setattr(devices, "has_fast_bfloat16", lambda device_type: fast)
    monkeypatch.setenv("CAW_PRECISION", said)
    assert uses_bfloat16("cpu") is (fast if used is None else used)
    with mixed_precision(torch.device("cpu")):
        assert torch.is_autocast_enabled("cpu") is uses_bfloat16("cpu")


def test_an_unknown_precision_is_refused(monkeypatch: pytest.MonkeyPatch, tiny_model_path: Path) -> None:
    monkeypatch.setenv("CAW_PRECISION", "float16")
    with pytest.raises(CawUsageError, match=r"'float16' in CAW_PRECISION: .*bfloat16"):
        uses_bfloat16("cpu")
    settings = ["--model", str(tiny_model_path), "-o", "-", "--duration", "1", "--seed", "1"]
    done = run_caw("generate", *settings, environment={"CAW_PRECISION": "float16"})
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1


def test_the_option_lasts_as_long_as_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    @device_option
    def show(device: str) -> None:
        click.echo(f"{device} {os.environ['CAW_PRECISION']}")

    monkeypatch.setenv("CAW_PRECISION", "float32")
    assert CliRunner().invoke(show, ["--precision", "bfloat16"]).output == "auto bfloat16\n"
    assert CliRunner().invoke(show, []).output == "auto float32\n"
    assert os.environ["CAW_PRECISION"] == "float32"


def test_takes_of_both_are_alike_and_not_the_same(tiny_model_path: Path, tmp_path: Path) -> None:
    takes = []
    for name in ("float32", "bfloat16"):
        target = tmp_path / f"{name}.wav"
        settings = ["--duration", "2", "--seed", "1", "--precision", name, "-o", str(target)]
        done = run_caw("generate", "--model", tiny_model_path, *settings)
        assert done.returncode == 0, done.stderr
        takes.append(torch.frombuffer(bytearray(target.read_bytes()[44:]), dtype=torch.uint8))
    assert len(takes[0]) == len(takes[1]) and not torch.equal(*takes)
