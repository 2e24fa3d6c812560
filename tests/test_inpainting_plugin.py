"""Inpainting: gaps are checked, never trained on, and nothing outside them changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner

from caw_inpainting import gaps
from caw_inpainting.filling import strangeness
from caw_toolkit import AudioClip, CawError, CawUsageError, PyramidModel
from caw_toolkit.cli import main

RATE = 4000


@pytest.fixture
def clip(speech: AudioClip) -> AudioClip:
    from caw_toolkit.resampling import resample

    return AudioClip(resample(speech.samples, speech.sample_rate, RATE), RATE)


@pytest.mark.parametrize(
    ("holes", "error", "message"),
    [
        ([(-4, 10)], CawUsageError, "does not lie within"),
        ([(10, 10)], CawUsageError, "does not lie within"),
        ([(0, 10**9)], CawUsageError, "does not lie within"),
        ([(100, 300), (200, 400)], CawUsageError, "overlap"),
        ([(4000, 11 * RATE)], CawError, "leave no stretch"),
    ],
)
def test_holes_that_make_no_sense(clip: AudioClip, holes: list[gaps.Gap], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        gaps.checked(holes, clip)


def test_training_never_sees_the_gaps(clip: AudioClip) -> None:
    holes = [(3 * RATE, 4 * RATE), (5 * RATE, 6 * RATE)]
    left = gaps.parts(clip, holes)
    np.testing.assert_array_equal(left[0].samples, clip.samples[:, : 3 * RATE])
    np.testing.assert_array_equal(left[1].samples, clip.samples[:, 6 * RATE :])
    assert len(left) == 2  # the second between the gaps is too short to train on


def test_digital_silence_is_found(clip: AudioClip) -> None:
    samples = np.maximum(np.abs(clip.samples), 1e-4)
    samples[:, 1000:1500] = 0
    samples[:, 3000:3010] = 0  # shorter than a gap
    samples[:, -800:] = 0
    total = samples.shape[1]
    assert gaps.silences(AudioClip(samples, RATE)) == [(1000, 1500), (total - 800, total)]


def test_what_was_there_is_less_strange_than_silence_or_noise(clip: AudioClip) -> None:
    gap = (4 * RATE, 4 * RATE + 1500)
    silent, noisy = clip.samples.copy(), clip.samples.copy()
    silent[:, slice(*gap)] = 0
    noisy[:, slice(*gap)] = np.random.default_rng(0).standard_normal(1500) * clip.rms
    found = strangeness(clip.samples, RATE, gap)
    assert found < strangeness(silent, RATE, gap)
    assert found < strangeness(noisy, RATE, gap)


def test_everything_outside_gaps_and_crossfades_is_untouched(clip: AudioClip) -> None:
    made = np.ones_like(clip.samples)
    holes = [(0, 100), (5000, 6000)]
    joined = gaps.stitched(clip.samples, made, holes, RATE)
    fade = round(gaps.CROSSFADE_SECONDS * RATE)
    assert (joined[:, :100] == 1).all()
    assert (joined[:, 5000:6000] == 1).all()
    np.testing.assert_array_equal(joined[:, 100 + fade : 5000 - fade], clip.samples[:, 100 + fade : 5000 - fade])
    np.testing.assert_array_equal(joined[:, 6000 + fade :], clip.samples[:, 6000 + fade :])


def test_the_command_fills_a_gap_bit_exactly_elsewhere(
    tiny_model: PyramidModel, clip: AudioClip, tmp_path: Path
) -> None:
    tiny_model.save(tmp_path / "clip.pt")
    sf.write(tmp_path / "clip.wav", clip.samples[0], RATE, subtype="PCM_16")
    command = ["inpaint", str(tmp_path / "clip.wav"), "--model", str(tmp_path / "clip.pt"), "--seed", "1", "-n", "2"]
    result = CliRunner().invoke(main, [*command, "--hole", "3.2", "3.95"])
    assert result.exit_code == 0, result.stderr
    before, _ = sf.read(tmp_path / "clip.wav", dtype="int16")
    takes = [sf.read(tmp_path / f"clip.inpainted{take}.wav", dtype="int16")[0] for take in (1, 2)]
    assert sf.info(tmp_path / "clip.inpainted1.wav").subtype == "PCM_16"
    outside = np.ones(len(before), bool)
    outside[round((3.2 - gaps.CROSSFADE_SECONDS) * RATE) : round((3.95 + gaps.CROSSFADE_SECONDS) * RATE)] = False
    for take in takes:
        np.testing.assert_array_equal(take[outside], before[outside])
        assert take[round(3.3 * RATE) : round(3.9 * RATE)].any()
    assert (takes[0] != takes[1]).any()
