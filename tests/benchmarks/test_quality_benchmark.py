"""The quality benchmark finds its cases, keeps what it made, and prints what it measured."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from caw_process import ENVIRONMENT, contents
from caw_toolkit import AudioClip
from harness.catalogue import TASKS
from harness.inpainting import longest_silence
from harness.tables import bootstrap_interval, per_case, summary
from harness.task import Case, Column
from harness.toolkit import Toolkit
from paths import ROOT
from time_to_quality import draw, spread

BENCHMARK = ROOT / "benchmarks" / "quality.py"
RATE = 16_000


def run_benchmark(*arguments: str | Path) -> str:
    command = [sys.executable, str(BENCHMARK), *map(str, arguments)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def clips(speech: AudioClip, tmp_path: Path) -> Path:
    """A folder of test recordings with a few clips for most tasks."""
    rng = np.random.default_rng(0)
    voice = speech.samples[0].astype(np.float64)
    noisy = voice + 0.1 * rng.standard_normal(len(voice))
    broken = voice.copy()
    broken[5 * RATE : 5 * RATE + 8000] = 0
    files = {
        "denoise/voice_clean": voice,
        "denoise/voice_white_5_noisy": noisy,
        "denoise/voice_white_9_noisy": 0.5 * (voice + noisy),
        "published/inpainting/1-real": voice,
        "published/inpainting/1-with_hole": broken,
        "published/inpainting/1-caw": voice,
        "speech/anna_train": voice[: 4 * RATE],
        "speech/anna_test1": voice[4 * RATE : 7 * RATE],
        "speech/librispeech_male": voice[: 3 * RATE],
        "noise/vinyl_hiss": 0.01 * rng.standard_normal(RATE),
        "published/music/anna_real": voice[: 4 * RATE],
        "published/unconditional/speeches/anna_real": voice,
        "published/unconditional/speeches/anna_caw1": voice[: 4 * RATE],
    }
    for name, samples in files.items():
        path = tmp_path / "clips" / f"{name}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(path, samples, RATE)
    return tmp_path / "clips"


def test_results_are_kept_and_used_again(clips: Path, tmp_path: Path) -> None:
    command = ("denoise", "--clips", clips, "--results", tmp_path / "results", "--only", "*_5", "--verbose")
    first = run_benchmark(*command)
    rows = re.findall(r"^\| (\S+) \| 1 \| (-?[\d.]+) \|", first, re.MULTILINE)
    assert [name for name, _ in rows][-1] == "**caw_toolkit**"
    scores = {name: float(snr) for name, snr in rows}
    assert scores["**caw_toolkit**"] > scores["input"] + 3
    assert "| voice_white_5 | log-MMSE |" in first and "voice_white_9" not in first
    before = contents(tmp_path / "results")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "results").rglob("*")}
    assert run_benchmark(*command) == first
    assert contents(tmp_path / "results") == before
    assert {path: path.stat().st_mtime_ns for path in times} == times


@pytest.mark.parametrize("task", ["inpaint", "generate"])
def test_baselines_need_no_training(clips: Path, tmp_path: Path, task: str) -> None:
    table = run_benchmark(task, "--clips", clips, "--results", tmp_path / "results", "--baselines-only")
    assert "caw_toolkit" not in table
    assert not (tmp_path / "results" / "models").exists()
    assert re.search(r"^\| (best-context copy|cut and paste) \| 1 \|", table, re.MULTILINE)
    assert "nan" not in table


@pytest.mark.slow
def test_a_model_is_trained_once_for_the_same_bytes(clips: Path, tmp_path: Path) -> None:
    clip = clips / "speech" / "anna_train.flac"
    twin = clip.with_name("anna_again.flac")
    twin.write_bytes(clip.read_bytes())
    toolkit = Toolkit(tmp_path / "models", minutes=0.05, seed=1)
    first = toolkit.model([clip])
    changed = first.stat().st_mtime_ns
    assert toolkit.model([twin]) == first
    assert first.stat().st_mtime_ns == changed


def test_models_of_other_presets_have_other_names(tmp_path: Path) -> None:
    keys = [Toolkit(tmp_path, minutes=1, seed=0, preset=preset).key for preset in ("fast", "paper", "own/mine.toml")]
    assert keys == ["1min-seed0", "1min-paper-seed0", "1min-mine-seed0"]


def test_a_failing_command_is_reported(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        Toolkit(tmp_path, minutes=1, seed=0).run("info", tmp_path / "missing.pt")


def test_cases_of_every_task_are_found(clips: Path, tmp_path: Path) -> None:
    names = {name: [case.name for case in task.cases(clips, tmp_path / "inputs")] for name, task in TASKS.items()}
    assert names["denoise"] == ["voice_white_5", "voice_white_9"]
    assert names["bwe-held-out"] == ["anna_test1_4000hz", "anna_test1_8000hz"]
    assert names["bwe-4to16"] == names["inpaint-lengths"] == []
    (case,) = TASKS["inpaint"].cases(clips, tmp_path / "inputs")
    assert case.gap == (5 * RATE, 5 * RATE + 8000)


def test_no_clips_is_said(tmp_path: Path) -> None:
    environment = {**os.environ, "CAW_TEST_AUDIO": str(tmp_path)}
    command = [sys.executable, str(BENCHMARK), "generate", "--results", str(tmp_path / "results")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no clips for generate" in done.stderr


def test_time_to_quality_takes_cases_from_all_over_each_table() -> None:
    cases = [Case(str(number), "low" if number < 8 else "high", Path(), Path()) for number in range(10)]
    assert [case.name for case in spread(cases, 3)] == ["0", "2", "5", "8", "9"]
    assert spread(cases[:2], 3) == cases[:2]


def test_time_to_quality_draws_a_curve_for_each_clip(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    names = {column.score: 1.0 for column in TASKS["generate"].columns}
    results = {
        "published": {"a": names},
        **{f"**caw_toolkit**, {minutes} min": {"a": names, "b": names} for minutes in (1, 5)},
    }
    draw(tmp_path / "curve.png", {"generate": results}, (1.0, 5.0))
    assert (tmp_path / "curve.png").stat().st_size > 10_000


def test_longest_silence() -> None:
    samples = np.ones((2, 1000), np.float32)
    samples[:, 100:200] = 0
    samples[:, 300:500] = 0
    samples[0, 600:900] = 0
    assert longest_silence(AudioClip(samples, RATE)) == (300, 500)


def test_the_bootstrap_interval_is_that_of_the_mean() -> None:
    values = np.random.default_rng(1).normal(5, 2, 400)
    low, high = bootstrap_interval(list(values))
    assert (low + high) / 2 == pytest.approx(values.mean(), abs=0.02)
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.1)


def test_tables_leave_out_scores_that_are_missing_somewhere() -> None:
    results = {"a": {"x": {"snr": 1.0, "opinion": 3.0}, "y": {"snr": 3.0, "opinion": 3.0}}, "b": {"x": {"snr": 2.0}}}
    columns = (Column("snr", "SNR", 1), Column("opinion", "opinion"))
    assert summary(results, columns).splitlines() == [
        "| system | clips | SNR |",
        "| --- | --- | --- |",
        "| a | 2 | 2.0 [1.0, 3.0] |",
        "| b | 1 | 2.0 |",
    ]
    assert per_case(results, columns).splitlines()[2:] == ["| x | a | 1.0 |", "| x | b | 2.0 |", "| y | a | 3.0 |"]


def test_mixtures_of_records_have_the_level_that_they_are_named_after(clips: Path, tmp_path: Path) -> None:
    cases = TASKS["records"].cases(clips, tmp_path)
    assert {case.group for case in cases} == {"white", "crackle", "rumble", "gramophone", "hum", "vinyl"}
    for case in cases:
        clean, noisy = (sf.read(path)[0] for path in (case.reference, case.source))
        level = 20 * np.log10(clean.std() / (noisy - clean).std())
        assert level == pytest.approx(float(case.name.rsplit("_", 1)[1]), abs=0.05)


def test_variations_stand_beside_the_song_itself(clips: Path, tmp_path: Path) -> None:
    table = run_benchmark("vary", "--clips", clips, "--results", tmp_path / "results", "--baselines-only")
    assert "| the song itself | 1 | 1.00 | 1.00 | 1.00 | 0.00 |" in table
