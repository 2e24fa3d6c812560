"""Resampling against hand formulas, scipy and analytic signals."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch

from caw_toolkit.dsp.resampling import resample, resampled_length
from caw_toolkit.errors import CawError
from caw_toolkit.pyramid.upsampling import UPSAMPLERS, upsample_keys, upsample_sinc


def sine(frequency_hz: float, rate: int, samples: int) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(samples) / rate).astype(np.float32)


def keys_kernel(distance: float) -> float:
    """Keys (1981), equation (15), with a = -1/2."""
    s = abs(distance)
    if s < 1:
        return 1.5 * s**3 - 2.5 * s**2 + 1
    if s < 2:
        return -0.5 * s**3 + 2.5 * s**2 - 4 * s + 2
    return 0.0


def keys_by_hand(x: np.ndarray, from_rate: int, to_rate: int, length: int) -> np.ndarray:
    result = np.zeros(length)
    for n in range(length):
        position = n * from_rate / to_rate
        nearest = int(np.floor(position))
        for k in range(nearest - 2, nearest + 4):
            result[n] += x[min(max(k, 0), len(x) - 1)] * keys_kernel(position - k)
    return result


@pytest.mark.parametrize(("from_rate", "to_rate"), [(16000, 500), (44100, 16000), (16000, 14400), (500, 640)])
@pytest.mark.parametrize("samples", [1, 999, 4410])
def test_resample_has_the_exact_length(from_rate: int, to_rate: int, samples: int) -> None:
    result = resample(np.ones((2, samples), dtype=np.float32), from_rate, to_rate)
    assert result.shape == (2, round(samples * to_rate / from_rate))
    assert result.shape[1] == resampled_length(samples, from_rate, to_rate)
    assert result.dtype == np.float32


def test_resample_at_the_same_rate_copies() -> None:
    samples = np.ones((1, 10), dtype=np.float32)
    result = resample(samples, 8000, 8000)
    assert not np.shares_memory(result, samples)
    np.testing.assert_array_equal(result, samples)


def test_resample_keeps_a_sine_and_its_phase() -> None:
    result = resample(sine(100, 16000, 16000)[None], 16000, 1000)[0]
    np.testing.assert_allclose(result[100:-100], sine(100, 1000, 1000)[100:-100], atol=1e-4)


def test_resample_removes_what_the_new_rate_cannot_hold() -> None:
    result = resample(sine(700, 16000, 16000)[None], 16000, 1000)[0]
    assert np.abs(result[100:-100]).max() < 1e-4


def test_resample_agrees_with_scipy_on_band_limited_noise() -> None:
    rng = np.random.default_rng(0)
    noise = scipy.signal.sosfiltfilt(scipy.signal.butter(8, 300, fs=16000, output="sos"), rng.standard_normal(16000))
    expected = scipy.signal.resample(noise, 2000)
    result = resample(noise[None].astype(np.float32), 16000, 2000)[0]
    np.testing.assert_allclose(result[200:-200], expected[200:-200], atol=2e-3 * np.abs(expected).max())


@pytest.mark.parametrize(("from_rate", "to_rate"), [(500, 640), (4000, 8000), (320, 441), (1000, 3000), (14400, 16000)])
def test_keys_follows_the_formula(from_rate: int, to_rate: int) -> None:
    x = np.random.default_rng(1).standard_normal(40)
    length = round(40 * to_rate / from_rate) + 3
    result = upsample_keys(torch.tensor(x), from_rate, to_rate, length)
    np.testing.assert_allclose(result.numpy(), keys_by_hand(x, from_rate, to_rate, length), atol=1e-12)


def test_keys_keeps_leading_dimensions_and_type() -> None:
    x = torch.randn(2, 3, 50)
    result = upsample_keys(x, 500, 640, 64)
    assert result.shape == (2, 3, 64)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result[1, 2], upsample_keys(x[1, 2], 500, 640, 64))


def test_keys_reproduces_a_quadratic() -> None:
    """Keys' kernel with a = -1/2 is exact for polynomials up to the second degree."""
    t = torch.arange(50, dtype=torch.float64)
    fine = torch.arange(120, dtype=torch.float64) * 5 / 12
    expected = 0.3 * fine**2 - fine + 2
    result = upsample_keys(0.3 * t**2 - t + 2, 500, 1200, 120)
    torch.testing.assert_close(result[5:-8], expected[5:-8])


def test_keys_is_differentiable() -> None:
    x = torch.randn(1, 12, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda signal: upsample_keys(signal, 500, 640, 15), x)


def test_sinc_keeps_a_sine_and_has_the_exact_length() -> None:
    x = torch.from_numpy(sine(100, 1000, 2000))[None]
    for length in (3190, 3200, 3210):
        assert upsample_sinc(x, 1000, 1600, length).shape == (1, length)
    result = upsample_sinc(x, 1000, 1600, 3200)[0, 200:-200]
    np.testing.assert_allclose(result.numpy(), sine(100, 1600, 3200)[200:-200], atol=2e-3)


def test_sinc_leaves_less_of_the_image_than_keys() -> None:
    x = torch.from_numpy(sine(400, 1000, 2000))[None]  # its image lies at 600 Hz
    image = {}
    for name, upsample in UPSAMPLERS.items():
        spectrum = torch.fft.rfft(upsample(x, 1000, 2000, 4000)[0] * torch.hann_window(4000)).abs()
        image[name] = float(spectrum[1200] / spectrum[800])
    assert image["sinc"] < 0.01 * image["keys"]


@pytest.mark.parametrize("error", [OSError("libc10_cuda.so: cannot open shared object file"), ImportError("no module")])
def test_an_unusable_torchaudio_is_explained(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    real_import = builtins.__import__

    def failing_import(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("torchaudio"):
            raise error
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", failing_import)
    with pytest.raises(CawError, match="pip install --force-reinstall torch torchaudio") as caught:
        upsample_sinc(torch.zeros(1, 10), 500, 1000, 20)
    assert "\n" not in str(caught.value)
