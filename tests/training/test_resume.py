"""Training stopped from outside, in a real process: killed at random moments, or interrupted; then resumed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from caw_process import ENVIRONMENT, run_caw, run_python
from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.training.checkpoints import checkpoint_path, stored_seed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")

#: `caw` with checkpoints so often that kills hit the writing of one, too.
CAW = """
from caw_toolkit.cli import main
from caw_toolkit.training import trainer

trainer.CHECKPOINT_INTERVAL_SECONDS = 0.1
main()
"""
KILLS = 3
MINUTES = 0.25  # more than is spent until the last kill


def training_arguments(clip: Path, preset: Path, model: Path) -> list[str]:
    settings = ["--minutes", str(MINUTES), "--sample-rate", "4000", "--material", "speech", "--duration", "4"]
    return ["train", str(clip), "-o", str(model), "--preset", str(preset), "--seed", "3", "--device", "cpu", *settings]


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start `caw` and wait until it has announced what it trains."""
    process = subprocess.Popen(
        [sys.executable, "-c", CAW, *arguments], env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    assert "scales 500, 2000, 4000 Hz" in line, line + process.stderr.read()
    return process


def wait_for_checkpoint(path: Path, process: subprocess.Popen[str]) -> None:
    """Wait until there is a checkpoint that is newer than this call."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    deadline = time.monotonic() + 60
    while not path.exists() or path.stat().st_mtime_ns == before:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)


def stop(process: subprocess.Popen[str], sign: signal.Signals) -> str:
    """Send a signal, and return what is said after it."""
    process.send_signal(sign)
    _, said = process.communicate(timeout=60)
    return said


@pytest.mark.slow
def test_training_survives_being_killed_again_and_again(speech_path: Path, tiny_preset: Path, tmp_path: Path) -> None:
    model, draw = tmp_path / "model.pt", random.Random(1)
    arguments = training_arguments(speech_path, tiny_preset, model)
    for kill in range(KILLS):
        process = start(*arguments, *(["--resume"] if kill else []))
        wait_for_checkpoint(checkpoint_path(model), process)
        time.sleep(draw.uniform(0, 0.5))
        assert process.poll() is None, "it was to be killed before its end"
        stop(process, signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert not model.exists()
    done = run_python("-c", CAW, *arguments, "--resume")
    assert done.returncode == 0, done.stderr
    assert f"wrote {model}" in done.stderr
    assert not checkpoint_path(model).exists()
    trained = PyramidModel.load(model, "cpu")
    assert trained.rates == (500, 2000, 4000) and trained.training["seed"] == 3
    assert sum(trained.training["seconds_spent"]) == pytest.approx(60 * MINUTES, rel=0.15)
    audio = trained.generate(2, seed=1)
    assert audio.shape == (1, 8000) and np.isfinite(audio).all() and audio.std() > 1e-3


def interrupt(sign: signal.Signals, arguments: list[str], model: Path) -> None:
    """Begin a training, and interrupt it after a checkpoint: it leaves its state and says how to go on."""
    process = start(*arguments)
    wait_for_checkpoint(checkpoint_path(model), process)
    said = stop(process, sign)
    assert process.returncode == 130
    state = checkpoint_path(model)
    assert (
        said.removeprefix("\n")
        == f"caw: error: interrupted; the state is in {state}: run the same command with --resume to go on\n"
    )
    assert stored_seed(state) == 3
    assert [path.name for path in model.parent.iterdir()] == [state.name]


def test_an_interrupted_training_says_how_to_go_on(speech_path: Path, tiny_preset: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.pt"
    interrupt(signal.SIGINT, training_arguments(speech_path, tiny_preset, model), model)


def test_an_interruption_before_the_first_step_says_so(speech_path: Path, tiny_preset: Path, tmp_path: Path) -> None:
    process = start(*training_arguments(speech_path, tiny_preset, tmp_path / "model.pt"))
    said = stop(process, signal.SIGINT)
    assert process.returncode == 130
    assert "interrupted" in said and said.count("caw: error:") == 1 and "Traceback" not in said


def test_resuming_with_other_settings_is_refused_and_loses_nothing(
    speech_path: Path, tiny_preset: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model.pt"
    arguments = training_arguments(speech_path, tiny_preset, model)
    interrupt(signal.SIGTERM, arguments, model)
    state = checkpoint_path(model).read_bytes()
    done = run_python("-c", CAW, *arguments, "--resume", "--duration", "5")
    assert done.returncode == 1
    assert "belongs to a training with another recording" in done.stderr
    again = run_caw(*arguments)
    assert again.returncode == 2 and "holds an unfinished training: add --resume" in again.stderr
    assert checkpoint_path(model).read_bytes() == state
