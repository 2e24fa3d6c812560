"""What a band is made of: its level, its harmonics, its silence, and what it depends on."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from caw_toolkit.dsp.lapped_transform import LappedTransform
from caw_toolkit.generators.band_extension.excitation import Excitation

RATE, BANDS = 8000, 16
PITCH = 200
POWER = torch.tensor(0.01)


def made(coarse: Tensor, bands: int = BANDS, ratio: int = 2) -> Tensor:
    coefficients: Tensor = Excitation(LappedTransform(bands), ratio)(coarse, POWER)
    return coefficients


def below(signal: Tensor, ratio: int = 2) -> Tensor:
    """The lower part of a signal's band, with the power of the recording."""
    spectrum = torch.fft.rfft(signal)
    spectrum[..., spectrum.shape[-1] // ratio :] = 0
    lower: Tensor = torch.fft.irfft(spectrum, signal.shape[-1])
    return lower * (POWER / lower.square().mean()).sqrt()


def noise(channels: int = 1, samples: int = 2 * RATE) -> Tensor:
    return torch.randn(1, channels, samples, generator=torch.Generator().manual_seed(1))


def pulse_train() -> Tensor:
    signal = torch.zeros(1, 1, 2 * RATE)
    signal[..., :: RATE // PITCH] = 1
    return signal


def pulses() -> Tensor:
    return below(pulse_train())


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("samples", [1, 64, 1001])
def test_there_are_as_many_coefficients_as_the_transform_gives(channels: int, samples: int) -> None:
    coarse = 0.1 * noise(channels, samples)
    coefficients = made(coarse)
    assert coefficients.shape == LappedTransform(BANDS)(coarse).shape
    assert coefficients.isfinite().all()


@pytest.mark.parametrize("ratio", [2, 3])
@pytest.mark.parametrize("bands", [16, 32, 96])
def test_noise_gives_one_level_from_the_cutoff_on(bands: int, ratio: int) -> None:
    levels = made(below(noise(), ratio), bands, ratio)[0, 0, -(-bands // ratio) :, 20:-20].square().mean(1).sqrt()
    assert levels.min() > 0.8 and levels.max() < 1.2


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


def correlation_with(real: Tensor, structure: Excitation, coarse: Tensor) -> float:
    band, fine = structure.transform(real - coarse)[:, :, BANDS // 2 :], structure(coarse, POWER)[:, :, BANDS // 2 :]
    return float((band * fine).sum() / (band.square().sum() * fine.square().sum()).sqrt())


def fit(structure: Excitation, real: Tensor, coarse: Tensor) -> None:
    band = structure.transform(real - coarse)[0]
    level = band.square().mean(-1, keepdim=True).sqrt().clamp_min(1e-8)
    structure.fit(band / level, coarse[0], torch.ones(coarse.shape[-1], dtype=torch.bool), level[..., 0])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("delay", [0, 3])
def test_the_phase_of_the_highs_is_learnt_from_the_recording(sign: int, delay: int) -> None:
    spectrum = torch.fft.rfft(pulse_train())
    spectrum[..., : spectrum.shape[-1] // 2] = 0
    coarse = pulses()
    real = coarse + sign * torch.fft.irfft(spectrum, 2 * RATE).roll(delay)
    structure = Excitation(LappedTransform(BANDS), 2)
    before = correlation_with(real, structure, coarse)
    fit(structure, real, coarse)
    assert correlation_with(real, structure, coarse) > max(before, 0) + 0.1


def test_the_phase_of_noise_leaves_its_level() -> None:
    coarse = below(noise())
    structure = Excitation(LappedTransform(BANDS), 2)
    fit(structure, noise(), coarse)
    levels = structure(coarse, POWER)[0, 0, BANDS // 2 + 3 :, 20:-20].square().mean(1).sqrt()
    assert levels.min() > 0.8 and levels.max() < 1.2


@pytest.mark.parametrize("samples", [1, RATE])
def test_silence_teaches_no_phase(samples: int) -> None:
    structure, coarse = Excitation(LappedTransform(BANDS), 2), pulses()
    fit(structure, torch.zeros(1, 1, samples), torch.zeros(1, 1, samples))
    torch.testing.assert_close(structure(coarse, POWER), made(coarse), atol=1e-5, rtol=0)


def test_silence_stays_silent() -> None:
    assert not made(torch.zeros(1, 1, RATE)).any()
    one_sided = torch.cat([below(noise()), torch.zeros(1, 1, 2 * RATE)], dim=1)
    assert not made(one_sided)[:, 1].any()


def test_a_sample_is_heard_no_further_than_the_receptive_field() -> None:
    coarse = below(noise())
    other = coarse.clone()
    other[..., RATE] += 1
    frames = (made(other) - made(coarse)).abs().amax(dim=(0, 1, 2)).nonzero().flatten()
    reach = Excitation(LappedTransform(BANDS), 2).receptive_field / 2
    assert (frames * BANDS - RATE).abs().max() <= reach


def test_a_block_on_the_grid_gives_what_the_whole_gives() -> None:
    structure = Excitation(LappedTransform(BANDS), 2)
    coarse, start = below(noise()), 5 * structure.total_stride
    edge = structure.receptive_field // BANDS
    whole, part = structure(coarse, POWER)[..., start // BANDS :], structure(coarse[..., start:], POWER)
    torch.testing.assert_close(part[..., edge:], whole[..., edge:], atol=1e-5, rtol=0)
