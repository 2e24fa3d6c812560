"""Bandwidth extension: what the input has is kept, what it lacks is added, whatever its rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner
from scipy.signal import butter, sosfiltfilt

from caw_bwe.extension import bandwidth, extend
from caw_toolkit import CawError, PyramidModel
from caw_toolkit.cli import main
from caw_toolkit.resampling import resample


def noise(seconds: float, rate: int, cutoff: float | None = None) -> np.ndarray:
    samples = np.random.default_rng(0).standard_normal((1, round(seconds * rate))) * 0.1
    if cutoff:
        samples = sosfiltfilt(butter(20, cutoff, fs=rate, output="sos"), samples)
    return samples.astype(np.float32)


def test_bandwidth_is_that_of_the_content_not_of_the_file() -> None:
    assert bandwidth(noise(2, 8000), 8000) == pytest.approx(4000, abs=10)
    upsampled = bandwidth(noise(2, 44100, cutoff=4000), 44100)
    assert 3900 < upsampled < 5500
    assert bandwidth(np.zeros((1, 8000), np.float32), 8000) == 0


def test_own_band_is_kept_and_length_follows_the_rate(tiny_model: PyramidModel) -> None:
    recording = noise(1.5, 8000, cutoff=1000)
    extended = extend(tiny_model, recording, 8000, seed=1)
    assert extended.shape == (1, round(1.5 * tiny_model.sample_rate))
    own = resample(recording, 8000, tiny_model.sample_rate)
    low = slice(0, round(600 * 1.5))  # below the crossfade
    np.testing.assert_allclose(np.fft.rfft(extended[0])[low], np.fft.rfft(own[0])[low], atol=1e-2)


def test_silence_stays_silent(tiny_model: PyramidModel) -> None:
    assert not extend(tiny_model, np.zeros((1, 8000), np.float32), 8000, seed=1).any()


def test_too_little_content_is_refused(tiny_model: PyramidModel) -> None:
    with pytest.raises(CawError, match="too little to go by"):
        extend(tiny_model, noise(1, 8000, cutoff=80), 8000, seed=1)


def test_a_full_band_recording_is_refused(tiny_model: PyramidModel) -> None:
    with pytest.raises(CawError, match="nothing is missing"):
        extend(tiny_model, noise(1, tiny_model.sample_rate), tiny_model.sample_rate, seed=1)


def test_the_command_writes_beside_its_input(tiny_model: PyramidModel, tmp_path: Path) -> None:
    tiny_model.save(tmp_path / "speaker.pt")
    sf.write(tmp_path / "lowres.wav", noise(1, 4000, cutoff=1000)[0], 4000)
    arguments = ["bwe", "--model", str(tmp_path / "speaker.pt"), str(tmp_path / "lowres.wav"), "--seed", "1"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    assert sf.info(tmp_path / "lowres.bwe.wav").samplerate == tiny_model.sample_rate
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 2
    assert "--force" in again.stderr
