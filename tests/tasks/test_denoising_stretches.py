"""Stretches of long recordings that are cleaned: what they share, what they need, and how they end early."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner

from caw_denoising import stretches
from caw_denoising.noise import Noise, find_noise
from caw_denoising.rumble import rumble_bins
from caw_denoising.stft import mean_power, spectra_of
from caw_denoising.stretches import Stopped, Stretches, in_order, lengths
from caw_denoising.survey import Survey
from caw_denoising.task import Settings, clean, clean_blocks
from caw_denoising.views import NoisyRecording
from caw_process import ENVIRONMENT, run_python
from caw_toolkit import AudioClip
from caw_toolkit.cli import main
from caw_toolkit.dsp.resampling import resample
from signals import pieces, snr

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
    assert surveyed.rumble_hz == pytest.approx(rumble_bins(power, RATE / 1024) * RATE / 1024, abs=8)
    assert 40 < (surveyed.rumble_hz or 0) < 90
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


def noisy(clip: AudioClip, decibels: float = 15) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(clip.samples.shape)
    return (clip.samples + noise * clip.rms * 10 ** (-decibels / 20)).astype(np.float32)


def test_stretches_overlap_and_hold_everything() -> None:
    signal = np.arange(250 * 10, dtype=np.float64)[None]
    layout = Stretches.of(signal.shape[1], 10, channels=1)
    cut = list(layout.cut(pieces(signal, 77)))
    assert len(cut) == layout.count == 7
    joined = [part[:, : layout.size] for part in cut[:-1]] + [cut[-1]]
    np.testing.assert_array_equal(np.concatenate(joined, axis=1), signal)
    for before, after in zip(cut[:-1], cut[1:], strict=True):
        np.testing.assert_array_equal(before[:, layout.size :], after[:, : layout.fade])


def test_no_more_is_taken_than_is_worked_on() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(6):
            taken.append(item)
            yield item

    for made in in_order(lambda item, check: item, items(), at_once=2):
        assert len(taken) <= made + 2


def test_noise_of_another_stretch_counts_where_it_can_be() -> None:
    level = np.ones(100)
    known = Noise(level, level, 0 * level, is_heard=True)
    assert Noise(1e-9 * level, 2 * level, level).as_around(known).is_heard
    assert not Noise(1e-9 * level, 0.1 * level, level).as_around(known).is_heard
    tones = np.tile(np.abs(np.sin(np.arange(500) / 9))[:, None] ** 8 + 1e-3, 300)  # never pauses
    assert not find_noise(tones).is_heard


def test_a_short_recording_is_cleaned_as_a_whole(speech: AudioClip) -> None:
    given = noisy(speech)[:, : 2 * speech.sample_rate]
    shares: list[float] = []
    whole = clean(given, speech.sample_rate)
    parts = list(
        clean_blocks(lambda: pieces(given), speech.sample_rate, Settings(), channels=1, on_progress=shares.append)
    )
    np.testing.assert_array_equal(np.concatenate([part.samples for part in parts], axis=1), whole.samples)
    assert shares == [1.0]


def test_stretches_sound_like_the_whole(speech: AudioClip, monkeypatch: pytest.MonkeyPatch) -> None:
    rate = speech.sample_rate // 2
    low = AudioClip(resample(speech.samples, speech.sample_rate, rate), rate)
    given = noisy(low)
    whole = clean(given, rate)
    monkeypatch.setattr(stretches, "WHOLE_SECONDS", 6)
    monkeypatch.setattr(stretches, "STRETCH_SECONDS", 5)
    shares: list[float] = []
    cut = clean(given, rate, on_progress=shares.append)
    assert len(shares) == 3 and shares == sorted(shares) and shares[-1] == 1
    assert snr(low.samples, cut.samples) > snr(low.samples, whole.samples) - 0.3
    steps = np.abs(np.diff(cut.samples - whole.samples))
    assert steps.max() < np.abs(np.diff(whole.samples)).max() / 4
    assert cut.findings.noise_db == pytest.approx(whole.findings.noise_db, abs=1)
    assert cut.findings.sample_count >= given.size


def test_result_and_residual_of_stretches_add_up(
    speech: AudioClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretches, "WHOLE_SECONDS", 6)
    monkeypatch.setattr(stretches, "STRETCH_SECONDS", 5)
    given = 0.5 * noisy(speech)[:, : 9 * speech.sample_rate : 2].astype(np.float64)
    sf.write(tmp_path / "a.wav", np.tile(given[0], 2), speech.sample_rate // 2, subtype="PCM_32")
    arguments = ["denoise", str(tmp_path / "a.wav"), "--residual", str(tmp_path / "r.wav"), "--strength", "0.8"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.stderr
    assert "found steady noise" in done.stderr
    before, after, removed = (
        sf.read(tmp_path / name, dtype="int32")[0].astype(np.int64) for name in ("a.wav", "a.denoised.wav", "r.wav")
    )
    np.testing.assert_array_equal(after + removed, before)


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
