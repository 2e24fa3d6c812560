"""Stretches of long recordings that are cleaned: what they share, what they need, and how they end early."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import soundfile as sf

from caw_denoising.noise import Noise
from caw_denoising.rumble import rumble_bins
from caw_denoising.stft import mean_power, spectra_of
from caw_denoising.stretches import Stopped, in_order, lengths
from caw_denoising.survey import Survey
from caw_denoising.views import NoisyRecording
from caw_process import ENVIRONMENT, run_python

RATE = 4000
LONG = """
import os, sys
from caw_denoising import stretches, task
from caw_toolkit.cli import main
stretches.WHOLE_SECONDS, stretches.STRETCH_SECONDS = 15, 5
"""


def write_noise(path: Path, seconds: int, rate: int) -> None:
    tone = 0.1 * np.sin(2 * np.pi * 400 * np.arange(seconds * rate) / rate)
    noise = 0.01 * np.random.default_rng(0).standard_normal(seconds * rate)
    sf.write(path, noise + tone * (np.arange(seconds * rate) % (2 * rate) < rate), rate, subtype="PCM_16")


def test_lengths_follow_the_memory_of_a_second() -> None:
    assert lengths(8000, 2) == lengths(48000, 1) == (120, 40)
    assert lengths(96000, 1) == (60, 20)
    assert lengths(48000, 2)[1] < 40


def test_noise_of_the_surroundings_counts_unless_a_stretch_has_another() -> None:
    level = np.ones(100)
    around = Noise(level, level, 0 * level, is_heard=True)
    chance = np.random.default_rng(0).uniform(0.7, 1.4, 100)
    assert Noise(chance, chance, level, is_heard=True).as_around(around) is around
    other = Noise(2 * chance, 2 * chance, level, is_heard=True)
    assert other.as_around(around) is other


def rumbling(seconds: int) -> np.ndarray:
    """Noise below 70 Hz, with notes from 90 Hz on, all of them after the first 40 s only."""
    random, times = np.random.default_rng(0), np.arange(seconds * RATE) / RATE
    spectrum = np.fft.rfft(random.standard_normal(len(times)))
    spectrum[np.fft.rfftfreq(len(times), 1 / RATE) > 70] *= 0.01
    notes = sum(np.sin(2 * np.pi * pitch * times) for pitch in 90 * np.arange(1, 12))
    rests = (times > 40) & (times % 1 < 0.7)
    return np.asarray((np.fft.irfft(spectrum) + 3 * notes * rests)[None], np.float32)


def test_rumble_is_that_of_all_of_a_recording() -> None:
    samples = rumbling(160)
    surveyed = Survey.of([samples], RATE, channels=1)
    power = mean_power(spectra_of(samples, 1024))
    assert surveyed.rumble_hertz == pytest.approx(rumble_bins(power, RATE / 1024) * RATE / 1024, abs=8)
    assert 40 < (surveyed.rumble_hertz or 0) < 90
    assert Survey.of([samples[:, : 100 * RATE]], RATE, channels=1) == Survey(100 * RATE)


def test_excerpts_are_of_all_parts() -> None:
    material = NoisyRecording(np.arange(25)[None].astype(np.float32), np.ones(3), 4)
    assert material.excerpts(2, 10).samples.tolist() == [[0, 1, 10, 11, 20, 21]]


def test_what_is_worked_on_ends_when_nobody_waits_for_it() -> None:
    begun, ended = Event(), Event()

    def endless(item: int, check: Callable[[], None]) -> int:
        if item == 0:
            return item
        begun.set()
        try:
            while True:
                check()
                time.sleep(0.001)
        except Stopped:
            ended.set()
            raise

    made = in_order(endless, range(9), at_once=2)
    assert next(made) == 0
    assert begun.wait(5)
    made.close()  # as when Ctrl-C leaves it
    assert ended.wait(5)


@pytest.mark.skipif(sys.platform == "win32", reason="sends the signal of Ctrl-C")
def test_ctrl_c_ends_promptly_and_leaves_nothing(tmp_path: Path) -> None:
    write_noise(tmp_path / "long.wav", 60, 16000)
    script = LONG + (
        "steps = task.spectra_of\n"
        "task.spectra_of = lambda *given: (os.write(1, b'begun\\n'), steps(*given))[1]\n"
        "main(['denoise', '--no-declick', sys.argv[1]])\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "long.wav")]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        begun = process.communicate(timeout=30)[0].count("begun")
    assert begun <= 2, "stretches were begun after Ctrl-C"
    assert process.returncode == 130
    assert [path.name for path in tmp_path.iterdir()] == ["long.wav"]


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    script = LONG + (
        "for path in sys.argv[1:]:\n"
        "    main(['denoise', '-q', path], standalone_mode=False)\n"
        "    print([int(line.split()[1]) / 1e3 for line in open('/proc/self/status') if line.startswith('VmHWM')][0])\n"
    )
    for name, seconds in (("short.wav", 20), ("long.wav", 60)):
        write_noise(tmp_path / name, seconds, 8000)
    done = run_python("-c", script, str(tmp_path / "short.wav"), str(tmp_path / "long.wav"))
    assert done.returncode == 0, done.stderr
    short, long = map(float, done.stdout.split())
    # (the peak that getrusage tells counts that of the process which began this one)
    # Two stretches at a time need more or less, as it happens; 40 s more that are not cut need 230 MB more.
    assert long < min(short + 50, 500), f"{short} and {long} MB"
