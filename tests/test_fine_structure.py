"""What a band is made of: its level, its harmonics, its silence, and what it depends on."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from caw_toolkit.fine_structure import GAIN, FineStructure
from caw_toolkit.lapped_transform import LappedTransform

RATE, BANDS = 8000, 16
PITCH = 200
POWER = torch.tensor(0.01)


def made(coarse: Tensor, bands: int = BANDS, ratio: int = 2) -> Tensor:
    return FineStructure(LappedTransform(bands), ratio)(coarse, POWER)


def below(signal: Tensor, ratio: int = 2) -> Tensor:
    """The lower part of a signal's band, with the power of the recording."""
    spectrum = torch.fft.rfft(signal)
    spectrum[..., spectrum.shape[-1] // ratio :] = 0
    lower = torch.fft.irfft(spectrum, signal.shape[-1])
    return lower * (POWER / lower.square().mean()).sqrt()


def noise(channels: int = 1, samples: int = 2 * RATE) -> Tensor:
    return torch.randn(1, channels, samples, generator=torch.Generator().manual_seed(1))


def pulses() -> Tensor:
    signal = torch.zeros(1, 1, 2 * RATE)
    signal[..., :: RATE // PITCH] = 1
    return below(signal)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("samples", [1, 64, 1001])
def test_there_are_as_many_coefficients_as_the_transform_gives(channels: int, samples: int) -> None:
    coarse = 0.1 * noise(channels, samples)
    coefficients = made(coarse)
    assert coefficients.shape == LappedTransform(BANDS)(coarse).shape
    assert coefficients.isfinite().all()


@pytest.mark.parametrize("ratio", [2, 3])
@pytest.mark.parametrize("bands", [16, 32, 96])
def test_noise_gives_one_level_but_for_a_dip_next_to_the_cutoff(bands: int, ratio: int) -> None:
    levels = made(below(noise(), ratio), bands, ratio)[0, 0, bands // ratio :, 20:-20].square().mean(1).sqrt() / GAIN
    assert levels[0] > 0.5
    assert levels[3:].min() > 0.8 and levels[3:].max() < 1.2


@pytest.mark.parametrize("coarse", [below(noise()), pulses()], ids=["noise", "pulses"])
def test_the_level_of_the_signal_does_not_matter(coarse: Tensor) -> None:
    torch.testing.assert_close(made(0.1 * coarse), made(coarse), atol=0.05, rtol=0)


def test_a_voice_gets_harmonics() -> None:
    """There is more power at multiples of the pitch than halfway between them."""
    waveform = LappedTransform(BANDS).inverse(made(pulses()))[0, 0, : 2 * RATE]
    power = torch.fft.rfft(waveform * torch.hann_window(2 * RATE)).abs().square()
    bins = torch.arange(1, RATE // 2 // PITCH) * 2 * PITCH  # two seconds: two bins a hertz
    contrast = power[bins] / power[bins + PITCH]
    assert contrast[bins > RATE // 2].median() > 10


def test_silence_stays_silent() -> None:
    assert not made(torch.zeros(1, 1, RATE)).any()
    one_sided = torch.cat([below(noise()), torch.zeros(1, 1, 2 * RATE)], dim=1)
    assert not made(one_sided)[:, 1].any()


def test_a_sample_is_heard_no_further_than_the_receptive_field() -> None:
    coarse = below(noise())
    other = coarse.clone()
    other[..., RATE] += 1
    frames = (made(other) - made(coarse)).abs().amax(dim=(0, 1, 2)).nonzero().flatten()
    reach = FineStructure(LappedTransform(BANDS), 2).receptive_field / 2
    assert (frames * BANDS - RATE).abs().max() <= reach


def test_a_block_on_the_grid_gives_what_the_whole_gives() -> None:
    structure = FineStructure(LappedTransform(BANDS), 2)
    coarse, start = below(noise()), 5 * structure.granule
    edge = structure.receptive_field // BANDS
    whole, part = structure(coarse, POWER)[..., start // BANDS :], structure(coarse[..., start:], POWER)
    torch.testing.assert_close(part[..., edge:], whole[..., edge:], atol=1e-5, rtol=0)
