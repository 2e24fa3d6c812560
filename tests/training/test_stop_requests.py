"""A training that is stopped and resumed ends with the model of one that was left alone, whatever stopped it.

`python tests/training/test_stop_requests.py 30` stops so many trainings and says how many ended so.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from caw_process import ENVIRONMENT
from caw_toolkit.training.checkpoints import checkpoint_path
from caw_toolkit.training.stop_requests import stop_requests
from short_training import CAW, OPTIONS, prepare, same, tensors

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL) if sys.platform != "win32" else ()


def start(folder: Path, model: Path, *more: str) -> subprocess.Popen[str]:
    arguments = ["train", "clip.wav", "-o", str(model), *OPTIONS, "--quiet", *more]
    return subprocess.Popen(
        [sys.executable, "-c", CAW, *arguments], env=ENVIRONMENT, cwd=folder, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> str:
    _, said = process.communicate(timeout=120)
    return said


def stop_and_resume(folder: Path, sign: signal.Signals, draw: random.Random, stops: int) -> dict[str, Any]:
    """Train a model that is stopped a few times, each time a moment after a checkpoint."""
    model = folder / f"model-{draw.randrange(10**9)}" / "model.pt"
    model.parent.mkdir()
    state, stopped = checkpoint_path(model), 0
    while True:
        before = state.stat().st_mtime_ns if state.exists() else 0
        process = start(folder, model, *(["--resume"] if state.exists() else []))
        if stopped < stops:
            while process.poll() is None and (not state.exists() or state.stat().st_mtime_ns == before):
                time.sleep(0.002)
            time.sleep(draw.uniform(0, 0.3))
            process.send_signal(sign)
        said = finish(process)
        if process.returncode == 0:
            break
        stopped += 1
        assert process.returncode == (-sign if sign == signal.SIGKILL else 130), said
        assert sign == signal.SIGKILL or said.count("caw: error: ") == said.count("\n") == 1, said
        assert state.exists() and not model.exists(), said
        assert sign == signal.SIGKILL or [item.name for item in model.parent.iterdir()] == [state.name]
    assert [item.name for item in model.parent.iterdir()] == ["model.pt"]
    return tensors(model)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stopping")
    prepare(folder)
    return folder


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, Any]:
    return stop_and_resume(folder, signal.SIGINT, random.Random("left alone"), stops=0)


# The others are among those of the slow test.
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL] if SIGNALS else [])
def test_a_stopped_training_ends_the_same(folder: Path, expected: dict[str, Any], sign: signal.Signals) -> None:
    assert same(stop_and_resume(folder, sign, random.Random(f"{sign}"), stops=1), expected)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(30))
def test_many_stopped_trainings_end_the_same(folder: Path, expected: dict[str, Any], number: int) -> None:
    assert same(stop_and_resume(folder, SIGNALS[number % len(SIGNALS)], random.Random(number), stops=1), expected)


def test_a_second_request_stops_at_once() -> None:
    with stop_requests() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.made
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_handlers_are_as_before() -> None:
    before = [signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)]
    with stop_requests() as stop:
        assert signal.getsignal(signal.SIGINT) != before[0]
        assert signal.getsignal(signal.SIGTERM) == before[1] == signal.SIG_DFL
        assert not stop.made
    assert [signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)] == before


def test_other_threads_change_nothing() -> None:
    seen: list[object] = []

    def run() -> None:
        with stop_requests() as stop:
            seen.append((signal.getsignal(signal.SIGINT), stop.made))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [(signal.getsignal(signal.SIGINT), False)]


def main(count: int) -> None:
    """Stop so many trainings."""
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        expected = stop_and_resume(folder, signal.SIGINT, random.Random("left alone"), stops=0)
        for number in range(count):
            sign = SIGNALS[number % len(SIGNALS)]
            made = stop_and_resume(folder, sign, random.Random(number), stops=1)
            ends[f"{sign.name}: {'the same' if same(made, expected) else 'ANOTHER MODEL'}"] += 1
            print(number + 1, dict(sorted(ends.items())), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
