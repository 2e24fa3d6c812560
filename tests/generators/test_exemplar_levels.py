"""Levels of exemplars that follow other audio, on a relation that is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from caw_toolkit.generators.exemplar_levels import PASSBAND, ExemplarLevels, frame_samples

RATE, HOP = 8000, 256
SAMPLES = 12 * RATE


def band(seed: int, channels: int, low: float, high: float) -> Tensor:
    """Noise between two shares of the band."""
    spectrum = torch.fft.rfft(torch.randn(channels, SAMPLES, generator=torch.Generator().manual_seed(seed)))
    bins = spectrum.shape[1]
    spectrum[:, : round(low * bins)] = 0
    spectrum[:, round(high * bins) :] = 0
    signal: Tensor = torch.fft.irfft(spectrum, SAMPLES)
    return signal


def related(seed: int, channels: int = 1) -> tuple[Tensor, Tensor]:
    """A recording whose highs are the louder the louder its lows are, and those lows."""
    steps = torch.randn(SAMPLES // 1000 + 1, generator=torch.Generator().manual_seed(seed))
    level = torch.nn.functional.interpolate(steps[None, None], size=SAMPLES, mode="linear")[0, 0].exp()
    coarse = level * band(seed + 1, channels, 0, 0.5 * PASSBAND)
    return coarse + 0.3 * level.square() * band(seed + 2, channels, 0.5 * PASSBAND, 1), coarse


def levels(channels: int = 1) -> ExemplarLevels:
    return ExemplarLevels(*related(0, channels), torch.ones(SAMPLES, dtype=torch.bool), hop=HOP, ratio=2)


def decibels(signal: Tensor) -> Tensor:
    """Of each tenth of a second."""
    return 10 * signal.unfold(1, RATE // 10, RATE // 10).square().mean(2).log10()


@pytest.mark.parametrize("channels", [1, 2])
def test_segments_that_are_too_loud_or_too_soft_get_the_level_of_the_recording(channels: int) -> None:
    real, coarse = related(10, channels)
    made = coarse + 0.3 * band(20, channels, 0.5, 1)
    highs = levels(channels).apply(made, coarse) - coarse
    before, after = ((decibels(each) - decibels(real - coarse)).abs().mean() for each in (made - coarse, highs))
    assert before > 5
    assert after < 2.5


def test_what_is_below_the_band_stays() -> None:
    _, coarse = related(10)
    extended = levels().apply(coarse + band(20, 1, 0.5, 1), coarse)
    spectra = (torch.fft.rfft(signal)[:, : SAMPLES // 8] for signal in (extended, coarse))
    torch.testing.assert_close(*spectra, atol=0.02 * float(torch.fft.rfft(coarse).abs().max()), rtol=0)


def test_silence_stays_silent() -> None:
    silence = torch.zeros(1, RATE)
    assert not levels().apply(silence, silence).any()


def test_channels_keep_their_image() -> None:
    """Highs that are the same on both sides stay so: what is in the side of the recording is not invented."""
    real, coarse = related(0)
    real, coarse = (signal.expand(2, -1).contiguous() for signal in (real, coarse))
    fitted = ExemplarLevels(real, coarse, torch.ones(SAMPLES, dtype=torch.bool), hop=HOP, ratio=2)
    extended = fitted.apply(coarse + 0.3 * band(20, 1, 0.5, 1), coarse)
    torch.testing.assert_close(extended[0], extended[1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 32000, 44100, 48000])
def test_frames_of_blocks_coincide(rate: int) -> None:
    from caw_toolkit.training.objectives.exemplar import hop_samples

    size = frame_samples(hop_samples(rate, 0.032))
    assert size % 4 == 0
    assert 0.003 < size / rate < 0.013
    assert rate % size == 0 or math.gcd(rate, 4) < 4
