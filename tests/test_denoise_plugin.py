"""Denoising: the noise goes, the sound stays where it is and as loud as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner
from scipy.signal import butter, sosfilt

from caw_denoise.estimator import denoise
from caw_toolkit import AudioClip, read_audio
from caw_toolkit.cli import main


def snr(reference: np.ndarray, estimate: np.ndarray) -> float:
    return float(10 * np.log10((reference**2).sum() / ((reference - estimate) ** 2).sum()))


def noisy(clip: AudioClip, decibels: float) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(clip.samples.shape)
    return (clip.samples + noise * clip.rms * 10 ** (-decibels / 20)).astype(np.float32)


@pytest.mark.parametrize("decibels", [5, 10])
def test_white_noise_is_lowered(speech: AudioClip, decibels: float) -> None:
    cleaned = denoise(noisy(speech, decibels), speech.sample_rate)
    assert cleaned.shape == speech.samples.shape
    assert snr(speech.samples, cleaned) > decibels + 3


def test_strength_scales_what_is_removed(speech: AudioClip) -> None:
    given = noisy(speech, 10)
    np.testing.assert_allclose(denoise(given, speech.sample_rate, strength=0), given, atol=1e-5)
    removed = [np.std(given - denoise(given, speech.sample_rate, strength=s)) for s in (0.5, 1.0)]
    assert removed[0] == pytest.approx(removed[1] / 2, rel=1e-3)


def test_the_stereo_image_stays(speech: AudioClip) -> None:
    given = noisy(speech, 10)
    cleaned = denoise(np.concatenate([given, given * 0.5]), speech.sample_rate)
    np.testing.assert_allclose(cleaned[1], cleaned[0] * 0.5, atol=1e-6)


def test_a_recording_without_steady_noise_comes_back(speech_path: Path) -> None:
    guitar = read_audio(speech_path.with_name("guitar.flac"))
    cleaned = denoise(guitar.samples, guitar.sample_rate)
    assert snr(guitar.samples, cleaned) > 40


def test_rumble_goes_and_the_lowest_note_stays() -> None:
    rate, random = 16000, np.random.default_rng(0)
    seconds = np.arange(8 * rate) / rate
    notes = sum(np.sin(2 * np.pi * pitch * seconds) * (np.sin(2 * np.pi * beat * seconds) > 0)
                for pitch, beat in ((440, 0.7), (660, 1.1), (550, 0.4)))  # fmt: skip
    notes = (0.1 * notes).astype(np.float32)[None]
    bursts = random.standard_normal(len(seconds)) * np.repeat(random.random(80) ** 4, rate // 10)
    rumble = sosfilt(butter(4, 120, fs=rate, output="sos"), bursts) + 1e-3 * random.standard_normal(len(seconds))
    cleaned = denoise((notes + rumble).astype(np.float32), rate)
    assert snr(notes, cleaned) > snr(notes, notes + rumble) + 10


@pytest.mark.parametrize("samples", [20, 300, 5000])
def test_short_and_silent_input(samples: int) -> None:
    silence = np.zeros((1, samples), np.float32)
    np.testing.assert_array_equal(denoise(silence, 16000), silence)
    click = silence.copy()
    click[0, samples // 2] = 0.5
    assert np.isfinite(denoise(click, 16000)).all()


def test_the_residual_is_what_was_removed(speech: AudioClip, tmp_path: Path) -> None:
    given = noisy(speech, 10)[:, :48000]
    sf.write(tmp_path / "old.wav", given[0], speech.sample_rate, subtype="FLOAT")
    command = ["denoise", str(tmp_path / "old.wav"), "--residual", str(tmp_path / "removed.wav")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.stderr
    cleaned, removed = (sf.read(tmp_path / name)[0] for name in ("old.denoised.wav", "removed.wav"))
    np.testing.assert_allclose(cleaned + removed, given[0], atol=1e-5)
    assert CliRunner().invoke(main, command).exit_code == 2


@pytest.mark.parametrize(
    ("decibels", "options", "noticed"),
    [(np.inf, [], True), (np.inf, ["--quiet"], False), (np.inf, ["--strength", "0"], False), (20, [], False)],
)
def test_a_recording_without_noise_is_reported(
    speech: AudioClip, tmp_path: Path, decibels: float, options: list[str], noticed: bool
) -> None:
    sf.write(tmp_path / "old.wav", noisy(speech, decibels)[0], speech.sample_rate)
    result = CliRunner().invoke(main, ["denoise", str(tmp_path / "old.wav"), *options])
    assert result.exit_code == 0, result.stderr
    assert ("hardly any steady noise found in" in result.stderr) == noticed
