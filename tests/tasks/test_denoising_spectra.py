"""What denoising makes of spectra is what scipy makes of them."""

from __future__ import annotations

import numpy as np
from scipy.signal import istft, stft
from scipy.special import exp1

from caw_denoising.log_mmse import log_amplitude_factor
from caw_denoising.stft import signal_of, spectra_of


def test_the_transform_is_that_of_scipy() -> None:
    samples = np.random.default_rng(0).standard_normal((2, 5000)).astype(np.float32)
    for size in (64, 512, 4096):
        expected = stft(samples, nperseg=size, noverlap=size * 3 // 4)[2]
        spectra = spectra_of(samples, size)
        np.testing.assert_allclose(spectra, expected, atol=1e-6)
        back = istft(expected, nperseg=size, noverlap=size * 3 // 4)[1][:, :5000]
        np.testing.assert_allclose(signal_of(spectra, size, 5000), back, atol=1e-5)


def test_the_table_is_the_exponential_integral() -> None:
    ratios = np.geomspace(1e-8, 30, 10_001)
    np.testing.assert_allclose(log_amplitude_factor(ratios), np.exp(exp1(ratios) / 2), rtol=1e-6)
