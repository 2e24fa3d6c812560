"""`caw evaluate`: evaluations come from plugins, and their figures are those of independent scorers."""

from __future__ import annotations

import importlib
import inspect
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner
from PIL import Image

from caw_toolkit.cli import main
from caw_toolkit.plugins import PluginHost
from fake_plugins import FakeEntryPoint, plugin
from paths import ROOT

#: Scorers and recordings that are not in this repository.
SCORERS = Path(os.environ.get("CAW_TEST_SCORERS", ROOT.parent / "shared" / "scoring"))
RECORDINGS = Path(os.environ.get("CAW_TEST_AUDIO", ROOT.parent / "shared" / "audio")) / "published"

needs_scorers = pytest.mark.skipif(
    not (SCORERS.is_dir() and RECORDINGS.is_dir()), reason="no independent scorers and recordings here"
)


def evaluate(*arguments: str | Path) -> Any:
    result = CliRunner().invoke(main, ["evaluate", *map(str, arguments), "--json"])
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("package", [path.parent.name for path in sorted((ROOT / "plugins").glob("*/evaluation.py"))])
def test_scores_of_all_tasks_are_asked_for_alike(package: str) -> None:
    score = importlib.import_module(f"{package}.evaluation").score
    assert list(inspect.signature(score).parameters)[:3] == ["reference", "output", "sample_rate"]


def scorer(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCORERS))
    return importlib.import_module(name)


def assert_agree(ours: dict[str, Any], theirs: dict[str, float], names: dict[str, str]) -> None:
    for our_name, their_name in names.items():
        assert ours[our_name] == pytest.approx(theirs[their_name], rel=0.01), our_name


@pytest.mark.real_audio
@needs_scorers
def test_bandwidth_scores_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    independent = scorer("bwe", monkeypatch)
    folder = RECORDINGS / "bwe_4k_to_16k"
    reference, output = folder / "p360_323_gt.flac", folder / "p360_323_caw.flac"
    (ours,) = evaluate("bwe", "--reference", reference, output)
    loaded = [independent.load(path) for path in (reference, output)]
    theirs = independent.metrics(loaded[0][0], loaded[1][0], loaded[0][1], 2000)
    assert_agree(ours, theirs, {"snr_db": "snr", "lsd": "lsd", "estoi": "estoi"})


@pytest.mark.real_audio
@needs_scorers
def test_gap_scores_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    independent = scorer("inpaint", monkeypatch)
    folder = RECORDINGS / "inpainting"
    reference, output = folder / "16-real.flac", folder / "16-caw.flac"
    real, rate = independent.load(reference)
    start, stop = independent.locate_hole(independent.load(folder / "16-with_hole.flac")[0])
    (ours,) = evaluate("inpaint", "--reference", reference, "--gap", start, stop, "--samples", output)
    theirs = independent.metrics(real, independent.load(output)[0], rate, start, stop)
    names = {"gap_lsd": "lsd", "mel_l1_db": "mel_l1", "level_error_db": "energy_err"}
    assert_agree(ours, theirs, {**names, "join_flux": "flux_join", "nn_context_db": "nn_context"})


@pytest.mark.real_audio
@needs_scorers
def test_noise_scores_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    independent = scorer("denoise", monkeypatch)
    folder = RECORDINGS.parent / "denoise"
    reference, output = folder / "violin_clean.flac", folder / "violin_vinyl_5_noisy.flac"
    (ours,) = evaluate("denoise", "--reference", reference, output)
    clean, noisy = independent.load(reference)[0], independent.pcm16(independent.load(output)[0])
    theirs = {name: getattr(independent, name)(clean, noisy) for name in ("snr", "si_sdr", "lsd")}
    assert_agree(ours, theirs, {"snr_db": "snr", "si_sdr_db": "si_sdr", "lsd": "lsd"})


@pytest.mark.real_audio
@needs_scorers
def test_scores_of_takes_agree(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    independent = scorer("uncond", monkeypatch)
    folder = RECORDINGS / "unconditional" / "speeches"
    reference, output = folder / "speech_real.flac", tmp_path / "take.flac"
    published, rate = independent.load(folder / "speech_caw1.flac")
    sf.write(output, published[: 6 * rate], rate)
    (ours,) = evaluate("generate", "--training", reference, output)
    (real, _), (take, _) = (independent.load(path) for path in (reference, output))
    theirs = independent.metrics(real, take, rate, 0.9, 0.8)
    assert_agree(ours, theirs, {"frechet": "fd_250ms", "copied": "copy_0.5", "flatness_bias_db": "flat_bias"})


def test_evaluations_of_plugins_are_listed_unseen_and_loaded_when_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def register_evaluations(register: Any) -> None:
        register("shout", "caw_no_such_module:evaluate", summary="How loud it is.")
        register("whisper", "os.path:join")

    host = PluginHost([FakeEntryPoint("shout", plugin(register_evaluations=register_evaluations), "caw-shout", "1.0")])
    monkeypatch.setattr("caw_toolkit.cli.evaluate.get_host", lambda: host)
    listing = CliRunner().invoke(main, ["evaluate", "--help"])
    assert listing.exit_code == 0 and "shout    How loud it is." in listing.stdout
    missing = CliRunner().invoke(main, ["evaluate", "shout"])
    assert missing.exit_code == 1
    assert "plugin 'shout' (caw-shout 1.0): evaluation 'shout' could not be loaded" in missing.stderr
    assert "evaluation 'whisper' is no click command" in CliRunner().invoke(main, ["evaluate", "whisper"]).stderr


@pytest.fixture
def other_rate(speech_path: Path, tmp_path: Path) -> Path:
    """The speech clip in stereo at 8 kHz, a little softer."""
    samples, _ = sf.read(speech_path)
    path = tmp_path / "other.wav"
    sf.write(path, np.stack([0.9 * samples[::2]] * 2, axis=1), 8000)
    return path


def test_a_table_has_a_row_for_each_file_and_their_mean(speech_path: Path, other_rate: Path) -> None:
    command = ["evaluate", "bwe", "--reference", str(speech_path), str(speech_path), str(other_rate)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.stderr
    head, first, second, mean = result.stdout.splitlines()
    assert head.split() == ["file", "snr_db", "lsd", "estoi"]
    assert first.split()[0] == str(speech_path) and first.split()[-2:] == ["0.000", "1.000"]
    assert second.split()[0] == str(other_rate)
    estoi = [float(line.split()[-1]) for line in (first, second, mean)]
    assert mean.startswith("mean ") and estoi[2] == pytest.approx((estoi[0] + estoi[1]) / 2, abs=0.001)


@pytest.mark.parametrize("convention", ["ap-bwe", "aero"])
def test_another_convention_is_shown_beside_ours(speech_path: Path, other_rate: Path, convention: str) -> None:
    (plain,) = evaluate("bwe", "--reference", speech_path, other_rate)
    (row,) = evaluate("bwe", "--reference", speech_path, other_rate, "--convention", convention)
    theirs = row.pop(f"lsd_{convention.replace('-', '_')}")
    assert row == plain and 0 < theirs < plain["lsd"]


def test_the_matrix_of_copies_is_drawn_and_its_lines_are_counted(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 24_000)
    recording, take, picture = (tmp_path / name for name in ("recording.wav", "take.wav", "matrix.png"))
    sf.write(recording, noise, 8000)
    sf.write(take, np.concatenate([noise[12_000:], noise[:8000]]), 8000)
    (row,) = evaluate("generate", "--training", recording, take, "--matrix", picture)
    assert row["lines"] == 2 and row["longest_line_s"] == pytest.approx(1.5, abs=0.3)
    assert row["cut_and_paste_lines"] >= 1
    with Image.open(picture) as image:
        assert image.format == "PNG" and image.width > image.height > 320
    arguments = ["evaluate", "generate", "--training", str(recording), str(take), "--matrix", str(picture)]
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 2 and "exists; add --force" in refused.stderr
    replaced = CliRunner().invoke(main, [*arguments, "--force"])
    assert replaced.exit_code == 0 and f"wrote {picture}" in replaced.stderr
    head, counts = (line.split() for line in replaced.stdout.splitlines())
    assert counts[head.index("lines")] == "2"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bew", "x"], "no evaluation 'bew'"),
        (["bwe", "{speech}"], "--reference"),
        (["bwe", "--reference", "{speech}"], "OUT..."),
        (["bwe", "--reference", "{speech}", "{short}"], "at least 0.5 s are needed"),
        (["denoise", "--reference", "{silent}", "{speech}"], "is silent"),
        (["generate", "--training", "{speech}", "{speech}", "--matrix", "m.jpg"], "ends in .png, not m.jpg"),
        (["generate", "--training", "{speech}", "{speech}", "--matrix", "-"], "ends in .png, not -"),
        (["inpaint", "--reference", "{speech}", "--gap", "11", "13", "{speech}"], "does not lie within"),
        (["inpaint", "--reference", "{speech}", "--gap", "1", "1.01", "{speech}"], "shorter than"),
        (["inpaint", "--reference", "{speech}", "--gap", "0", "11.5", "{speech}"], "leaves less than"),
        (["inpaint", "--reference", "{speech}", "--gap", "nan", "1", "{speech}"], "nan is not a number"),
    ],
)
def test_bad_input_is_one_clear_line(arguments: list[str], message: str, speech_path: Path, tmp_path: Path) -> None:
    sf.write(tmp_path / "short.wav", np.full(1000, 0.1), 16_000)
    sf.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    files = {"speech": speech_path, "short": tmp_path / "short.wav", "silent": tmp_path / "silent.wav"}
    result = CliRunner().invoke(main, ["evaluate", *(argument.format(**files) for argument in arguments)])
    assert result.exit_code in (1, 2)
    assert message in result.stderr.splitlines()[-1]


def test_other_rates_and_lengths_are_said(tmp_path: Path) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(32_000)
    for name, samples, rate in (("clean", noise, 16_000), ("short", noise[:16_001], 16_000), ("low", noise, 8000)):
        sf.write(tmp_path / f"{name}.wav", samples, rate)
    sf.write(tmp_path / "same.wav", noise[::2], 8000)
    said = {}
    for name in ("clean", "short", "low", "same"):
        arguments = ["evaluate", "denoise", "--reference", tmp_path / "clean.wav", tmp_path / f"{name}.wav"]
        said[name] = CliRunner().invoke(main, list(map(str, arguments))).stderr
    assert said["clean"] == ""
    assert "short.wav is 1.000 s long" in said["short"] and "clean.wav 2.000 s: what both hold" in said["short"]
    assert "is at 8000 Hz, and is compared at the 16000 Hz" in said["low"] and "4.000 s long" in said["low"]
    assert said["same"].count("\n") == 1
    takes = ["evaluate", "generate", "--training", str(tmp_path / "clean.wav"), str(tmp_path / "short.wav")]
    assert CliRunner().invoke(main, takes).stderr == ""


def test_figures_that_are_none_are_null(tmp_path: Path) -> None:
    """Nothing is copied from nothing."""
    sf.write(tmp_path / "real.wav", np.random.default_rng(0).normal(0, 0.1, 16_000), 8000)
    sf.write(tmp_path / "silent.wav", np.zeros(16_000), 8000)
    (row,) = evaluate("generate", "--training", tmp_path / "real.wav", tmp_path / "silent.wav")
    assert row["copied"] is None
