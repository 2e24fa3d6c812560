"""The MDCT: lossless, orthogonal, and equal to its definition by way of scipy's DCT-IV."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.fft
import torch

from caw_toolkit.dsp.lapped_transform import LappedTransform


def mdct_by_dct4(signal: np.ndarray, bands: int) -> np.ndarray:
    """`(samples,)`, a multiple of `bands`, to `(bands, samples / bands + 1)`: sine window, folding, orthonormal DCT-IV.

    A windowed frame (a, b, c, d) of four half hops has the MDCT of (-c_reversed - d, a - b_reversed) under the DCT-IV.
    """
    window = np.sin(np.pi / (2 * bands) * (np.arange(2 * bands) + 0.5))
    padded = np.pad(signal, bands)
    half = bands // 2
    columns = []
    for start in range(0, padded.size - bands, bands):
        a, b, c, d = (padded[start : start + 2 * bands] * window).reshape(4, half)
        folded = np.concatenate([-c[::-1] - d, a - b[::-1]])
        columns.append(scipy.fft.dct(folded, type=4, norm="ortho"))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("bands", [2, 4, 16, 64, 256])
def test_it_is_the_mdct(bands: int) -> None:
    signal = np.random.default_rng(bands).standard_normal(bands * 9)
    ours = LappedTransform(bands)(torch.from_numpy(signal).float()[None, None])[0, 0].numpy()
    np.testing.assert_allclose(ours, mdct_by_dct4(signal, bands), atol=2e-5)


@pytest.mark.parametrize("bands", [2, 8, 64])
@pytest.mark.parametrize("samples", [1, 7, 64, 500, 641])
def test_nothing_is_lost(bands: int, samples: int) -> None:
    waveform = torch.randn(3, 2, samples, generator=torch.Generator().manual_seed(0))
    transform = LappedTransform(bands)
    subbands = transform(waveform)
    assert subbands.shape == (3, 2, bands, transform.frames(samples))
    back = transform.inverse(subbands)
    assert back.shape[-1] == (subbands.shape[-1] - 1) * bands
    torch.testing.assert_close(back[..., :samples], waveform, atol=1e-5, rtol=0)
    assert back[..., samples:].abs().max().item() < 1e-5 if back.shape[-1] > samples else True


@pytest.mark.parametrize("bands", [4, 32])
def test_it_is_orthogonal(bands: int) -> None:
    """Energies and angles stay, whatever the signals."""
    first, second = torch.randn(2, 1, 40 * bands, generator=torch.Generator().manual_seed(1))
    transform = LappedTransform(bands)
    before, after = (first * second).sum(), (transform(first[None]) * transform(second[None])).sum()
    torch.testing.assert_close(after, before, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(transform(first[None]).square().sum(), first.square().sum(), rtol=1e-5, atol=0)


def test_a_tone_lies_in_its_band() -> None:
    bands, band = 32, 11
    frequency = math.pi * (band + 0.5) / bands  # radians a sample
    subbands = LappedTransform(bands)(torch.sin(frequency * torch.arange(3200.0))[None, None])[0, 0, :, 2:-2]
    energy = subbands.square().sum(1)
    assert int(energy.argmax()) == band
    assert energy[band - 2 : band + 3].sum() > 0.99 * energy.sum()


def test_channels_and_batch_are_kept_apart() -> None:
    transform = LappedTransform(8)
    waveform = torch.randn(2, 2, 100)
    alone = transform(waveform[1:, 1:])[0, 0]
    torch.testing.assert_close(transform(waveform)[1, 1], alone)


def test_gradients_pass_through_both_ways() -> None:
    transform = LappedTransform(4)
    waveform = torch.randn(1, 1, 24, requires_grad=True)
    transform.inverse(transform(waveform)).sum().backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(waveform.grad, torch.ones_like(waveform), atol=1e-5, rtol=0)
