"""What is regenerated from the band below: its level, its harmonics, its silence."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from caw_toolkit.fine_structure import regenerated
from caw_toolkit.lapped_transform import LappedTransform

RATE, BANDS = 8000, 16
PITCH = 200


def from_below(coarse: Tensor) -> Tensor:
    return regenerated(coarse, LappedTransform(BANDS), ratio=2, power=0.01)


def below(signal: Tensor) -> Tensor:
    """The lower half of a signal's band, at a root mean square of 0.1."""
    spectrum = torch.fft.rfft(signal)
    spectrum[..., spectrum.shape[-1] // 2 :] = 0
    lower = torch.fft.irfft(spectrum, signal.shape[-1])
    return 0.1 * lower / lower.square().mean().sqrt()


def noise(channels: int = 1, samples: int = RATE) -> Tensor:
    return below(torch.randn(1, channels, samples, generator=torch.Generator().manual_seed(1)))


def pulses() -> Tensor:
    signal = torch.zeros(1, 1, 2 * RATE)
    signal[..., :: RATE // PITCH] = 1
    return below(signal)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("samples", [1, 64, 1001])
def test_there_are_as_many_coefficients_as_in_the_signal(channels: int, samples: int) -> None:
    coarse = 0.1 * torch.ones(2, channels, samples)
    assert from_below(coarse).shape == LappedTransform(BANDS)(coarse).shape


def test_noise_gives_all_bands_above_the_first_ones_unit_level() -> None:
    levels = from_below(noise())[0, 0, BANDS // 2 + 2 :, 20:-20].square().mean(1).sqrt()
    assert levels.min() > 0.85 and levels.max() < 1.15


@pytest.mark.parametrize("coarse", [noise(), pulses()], ids=["noise", "pulses"])
def test_the_level_of_the_signal_does_not_matter(coarse: Tensor) -> None:
    torch.testing.assert_close(from_below(0.1 * coarse), from_below(coarse), atol=0.05, rtol=0)


def test_a_voice_gets_harmonics() -> None:
    """There is more power at multiples of the pitch than halfway between them, above the cutoff as below it."""
    made = LappedTransform(BANDS).inverse(from_below(pulses()))[0, 0, : 2 * RATE]
    power = torch.fft.rfft(made * torch.hann_window(2 * RATE)).abs().square()
    bins = torch.arange(1, RATE // 2 // PITCH) * 2 * PITCH  # two seconds: two bins a hertz
    contrast = power[bins] / power[bins + PITCH]
    assert contrast[bins > RATE // 2].median() > 10


def test_silence_stays_silent_and_spreads_no_further_than_the_receptive_field() -> None:
    assert not from_below(torch.zeros(1, 1, RATE)).any()
    coarse = noise()
    coarse[..., RATE // 2 :] = 0
    assert not from_below(coarse)[..., RATE // 2 // BANDS + 20 :].any()


def test_a_block_on_the_grid_of_windows_gives_what_the_whole_gives() -> None:
    coarse, start = noise(), 40 * BANDS
    whole, part = from_below(coarse), from_below(coarse[..., start:])
    torch.testing.assert_close(part[..., 20:-20], whole[..., 60:-20], atol=1e-4, rtol=0)
