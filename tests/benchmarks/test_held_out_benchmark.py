"""Held-out clips are cut, mixed and limited as the tables say, and channels are scored as channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from scipy.signal import butter, sosfiltfilt

from baselines import patch_copy
from caw_bandwidth_extension.task import bandwidth
from caw_toolkit import read_audio
from caw_toolkit.metrics import log_spectral_distance
from harness.catalogue import TASKS
from harness.held_out import gaps
from harness.levels import band_error, distance_within_band
from harness.stereo import Channels, image_distance, scoring_channels

RATE = 44_100


@pytest.fixture
def piece() -> Channels:
    """Strokes of noise, the right channel half as loud as the left and partly its own; `(2, samples)`, 8 s."""
    rng = np.random.default_rng(0)
    strokes = np.exp(-(np.arange(8 * RATE) % (RATE // 3)) / 4000)
    left, own = rng.standard_normal((2, 8 * RATE))
    return np.asarray(0.05 * strokes * np.stack([left, 0.3 * left + 0.4 * own]))


@pytest.fixture
def clips(piece: Channels, tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    for name, samples in (("music/strokes", piece), ("noise/hiss", piece[:, ::-7]), ("ambience/rain", piece[:, :RATE])):
        path = folder / f"{name}.flac"
        path.parent.mkdir(parents=True)
        sf.write(path, samples.T, RATE)
    return folder


def test_the_image_is_correlation_and_balance(piece: Channels) -> None:
    assert image_distance(piece, piece, RATE) == {"image_correlation": 0, "image_balance_db": 0}
    quieter = piece * [[1], [0.5]]
    assert image_distance(piece, quieter, RATE) == pytest.approx(
        {"image_correlation": 0, "image_balance_db": 20 * np.log10(2)}, abs=1e-6
    )
    narrow = np.stack([piece[0], 0.5 * piece[0]])
    assert image_distance(piece, narrow, RATE)["image_correlation"] == pytest.approx(0.4, abs=0.02)
    assert image_distance(piece[:1], piece[:1], RATE) == {}


def test_band_errors_are_those_above_the_cutoff(piece: Channels) -> None:
    highs = sosfiltfilt(butter(8, 8000, "high", fs=RATE, output="sos"), piece[0])
    assert band_error(piece[0], piece[0], RATE, 8000) == 0
    assert band_error(piece[0], piece[0] - 0.5 * highs, RATE, 10_000) == pytest.approx(20 * np.log10(2), abs=0.1)
    lows = piece[0] - highs
    assert band_error(lows + highs, 3 * lows + highs, RATE, 12_000) < 0.1


def test_what_lies_above_the_reference_does_not_count(piece: Channels) -> None:
    left = piece[0]
    assert distance_within_band(left, left / np.e, RATE) == pytest.approx(
        log_spectral_distance(left, left / np.e), 0.01
    )
    lows = sosfiltfilt(butter(12, 8000, fs=RATE, output="sos"), left)
    hiss = sosfiltfilt(butter(12, 16_000, "high", fs=RATE, output="sos"), left)
    assert distance_within_band(lows, lows + hiss, RATE) < 0.1 * log_spectral_distance(lows, lows + hiss)


def test_gaps_are_silent_and_no_others(clips: Path, tmp_path: Path) -> None:
    task = TASKS["inpaint-held-out"]
    (case,) = task.cases(clips, tmp_path)
    (broken, rate), (real, _) = scoring_channels(case.source), scoring_channels(case.reference)
    missing = np.zeros(broken.shape[1], bool)
    for start, stop in gaps(broken.shape[1], rate):
        assert stop - start == pytest.approx(0.75 * rate, abs=1)
        missing[start:stop] = True
    assert not broken[:, missing].any()
    np.testing.assert_array_equal(broken[:, ~missing], real[:, ~missing])
    whole = task.score(case, case.reference)
    assert (whole["mel_l1_db"], whole["image_correlation"], whole["changed_outside"]) == (0, 0, 0)


@pytest.mark.parametrize("method", ["best-context copy", "another stretch"])
def test_gaps_are_filled_in_both_channels(clips: Path, tmp_path: Path, method: str) -> None:
    task = TASKS["inpaint-held-out"]
    (case,) = task.cases(clips, tmp_path)
    filled, rate = task.baselines()[method](case)
    sf.write(tmp_path / "filled.wav", filled.T, rate)
    scores = task.score(case, tmp_path / "filled.wav")
    assert scores["changed_outside"] == 0
    assert scores["level_error_db"] < 3
    assert scores["image_balance_db"] < 2


def test_one_stretch_is_copied_into_all_channels(piece: Channels) -> None:
    gap = (4 * RATE, 4 * RATE + RATE // 2)
    broken = piece.copy()
    broken[:, slice(*gap)] = 0
    both = patch_copy.fill_channels(broken, RATE, gap)
    np.testing.assert_allclose(both.mean(0), patch_copy.fill(broken.mean(0), RATE, gap), atol=1e-12)


def test_mixtures_have_the_level_that_they_are_named_after(clips: Path, tmp_path: Path) -> None:
    cases = TASKS["denoise-held-out"].cases(clips, tmp_path)
    assert [case.name for case in cases] == [
        f"strokes_{kind}_{level}" for kind in ("white", "hiss") for level in (5, 10)
    ]
    for case in cases:
        clean, noisy = (sf.read(path)[0] for path in (case.reference, case.source))
        level = 20 * np.log10(clean.std() / (noisy - clean).std())
        assert level == pytest.approx(float(case.name.rsplit("_", 1)[1]), abs=0.05)
        assert np.abs(noisy).max() < 1


def test_full_band_sources_lack_the_highs(piece: Channels, clips: Path, tmp_path: Path) -> None:
    sf.write(clips / "music" / "strokes.flac", np.tile(piece, 3).T, RATE)
    cases = TASKS["bwe-full-band"].cases(clips, tmp_path)
    assert [case.name for case in cases] == ["strokes_test_8", "strokes_test_16", "strokes_test_MP3"]
    for case, highest in zip(cases, (4000, 8000, 11_025), strict=True):
        source, reference = read_audio(case.source), read_audio(case.reference)
        assert bandwidth(source.samples, source.sample_rate) == pytest.approx(highest, rel=0.05)
        seconds = source.samples.shape[1] / source.sample_rate
        assert seconds == pytest.approx(reference.samples.shape[1] / RATE, abs=0.001) == 7


def test_takes_stand_beside_the_recordings_own_halves(clips: Path, tmp_path: Path) -> None:
    task = TASKS["generate-held-out"]
    music, ambience = task.cases(clips, tmp_path)
    assert (music.group, ambience.group) == ("generate-held-out, music", "generate-held-out, ambience")
    halves = task.score(music, music.reference)
    assert 0 < halves["frechet"] < 0.2
    assert halves["image_correlation"] < 0.05
