"""The classical methods of the benchmark do what they are said to."""

from __future__ import annotations

import importlib.util
from typing import Literal

import librosa
import numpy as np
import pytest

from baselines import (
    autoregression,
    envelope_noise,
    frame_copy,
    log_mmse,
    noise_reduce,
    patch_copy,
    sinc,
)
from baselines.transforms import inverse, shaped_noise, transform
from caw_toolkit import AudioClip
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.metrics import log_spectral_distance, signal_to_noise_ratio
from caw_toolkit.metrics.signals import Signal
from caw_unconditional import cut_and_paste

RATE = 16_000


@pytest.fixture(scope="module")
def clean(speech: AudioClip) -> Signal:
    return speech.samples[0, :].astype(np.float64)


@pytest.mark.parametrize("padding", ["constant", "reflect"])
def test_transform_and_inverse(clean: Signal, padding: Literal["constant", "reflect"]) -> None:
    spectra = transform(clean, 512, 128, padding=padding)
    wanted = librosa.stft(clean, n_fft=512, hop_length=128, pad_mode=padding)
    np.testing.assert_allclose(spectra[:, : wanted.shape[1]], wanted, atol=1e-4)
    np.testing.assert_allclose(inverse(spectra, len(clean), 512, 128), clean, atol=1e-10)


def test_shaped_noise_has_the_wanted_power() -> None:
    amplitudes = np.zeros((129, 400))
    amplitudes[40:60] = 3.0
    noise = shaped_noise(amplitudes, 64 * 399, 256, 64, np.random.default_rng(0))
    power = np.abs(transform(noise, 256, 64)) ** 2
    assert power[44:56].mean() == pytest.approx(9, rel=0.1)
    assert power[:30].max() < 0.05


@pytest.mark.parametrize("method", ["frame copy", "neighbours", "kernel ridge"])
def test_extensions_keep_the_band_and_add_what_upsampling_lacks(clean: Signal, method: str) -> None:
    low = resample(clean[None, : 3 * RATE], RATE, 4000)[0].astype(np.float64)
    truth, training = clean[: 3 * RATE], clean[4 * RATE :]
    arguments = (low, 4000, training, RATE, len(truth))
    if method == "frame copy":
        extended = frame_copy.extend(*arguments)
    else:
        regress = envelope_noise.neighbours if method == "neighbours" else envelope_noise.kernel_ridge
        extended = envelope_noise.extend(*arguments, np.random.default_rng(0), regress)
    upsampled = sinc.upsample(low, 4000, RATE, len(truth))
    assert len(extended) == len(truth)
    assert log_spectral_distance(truth, extended) < 0.6 * log_spectral_distance(truth, upsampled)
    kept = [resample(signal[None], RATE, 3000)[0] for signal in (upsampled, extended)]
    assert signal_to_noise_ratio(kept[0], kept[1]) > 30


def test_kernel_ridge_interpolates_a_smooth_function() -> None:
    known = np.random.default_rng(0).uniform(-1, 1, (400, 2))
    asked = known[:50] * 0.9
    predicted = envelope_noise.kernel_ridge(known, known.sum(1, keepdims=True), asked)
    np.testing.assert_allclose(predicted[:, 0], asked.sum(1), atol=0.2)


def test_burg_agrees_with_librosa(clean: Signal) -> None:
    stretch = clean[RATE : RATE + 2000]
    np.testing.assert_allclose(autoregression.burg(stretch, 32), librosa.lpc(stretch, order=32), atol=1e-8)


def test_autoregression_continues_tones() -> None:
    time = np.arange(2 * RATE) / RATE
    tones = np.sin(2 * np.pi * 440 * time) + 0.5 * np.sin(2 * np.pi * 1230 * time)
    broken, gap = tones.copy(), (RATE, RATE + 1600)
    broken[slice(*gap)] = 0
    filled = autoregression.fill(broken, RATE, gap)
    assert signal_to_noise_ratio(tones[slice(*gap)], filled[slice(*gap)]) > 20
    np.testing.assert_array_equal(filled[: gap[0]], tones[: gap[0]])


def test_patch_copy_finds_what_repeats() -> None:
    second = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    repeating = np.tile(second, 8)
    broken, gap = repeating.copy(), (4 * RATE, 4 * RATE + 8000)
    broken[slice(*gap)] = 0
    np.testing.assert_allclose(patch_copy.fill(broken, RATE, gap), repeating, atol=1e-12)


def test_patch_copy_says_when_nothing_is_long_enough() -> None:
    with pytest.raises(ValueError, match="long enough"):
        patch_copy.fill(np.ones(2 * RATE), RATE, (RATE // 2, RATE))


def test_log_mmse_removes_noise(clean: Signal) -> None:
    noisy = clean + 0.1 * np.random.default_rng(0).standard_normal(len(clean))
    cleaned = log_mmse.clean(noisy)
    assert signal_to_noise_ratio(clean, cleaned) > signal_to_noise_ratio(clean, noisy) + 3


@pytest.mark.skipif(importlib.util.find_spec("noisereduce") is None, reason="noisereduce is not installed")
def test_noisereduce_keeps_the_length(clean: Signal) -> None:
    assert len(noise_reduce.clean(clean, RATE)) == len(clean)


def test_cut_and_paste_is_made_of_the_recording() -> None:
    counter = np.arange(6 * RATE, dtype=np.float64)
    stitched = cut_and_paste.generate(counter, RATE, 10, np.random.default_rng(0))
    assert len(stitched) == 10 * RATE
    assert (np.abs(np.diff(stitched) - 1) < 1e-6).mean() > 0.8
