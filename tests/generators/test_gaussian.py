"""The conditional Gaussian: shapes, its transform, and what it learns from data whose likelihood is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from caw_toolkit.generators.gaussian import LOG_STD_RANGE, GaussianGenerator
from caw_toolkit.generators.registry import build_generator
from caw_toolkit.training.objectives.conditional_gaussian import ConditionalGaussianObjective, GaussianOptions
from scale_tasks import make_task

RATE = 4000
LOUD, QUIET = 1.0, 0.01


@pytest.mark.parametrize("samples", [1, 64, 1001])
@pytest.mark.parametrize("channels", [1, 2])
def test_as_many_samples_come_out(samples: int, channels: int) -> None:
    made = GaussianGenerator(audio_channels=channels, bands=8, widths=(8, 8)).eval()
    noise, coarse = torch.randn(2, 3, channels, samples)
    with torch.no_grad():
        assert made(noise, coarse).shape == (3, channels, samples)


@pytest.mark.parametrize("channels", [1, 2])
def test_analysis_is_undone_by_synthesis(channels: int) -> None:
    made = GaussianGenerator(audio_channels=channels, bands=8, widths=(8,))
    waveform = torch.randn(2, channels, 1001)
    coefficients = made.analyse(waveform)
    assert coefficients.shape[:2] == (2, 8 * channels)
    torch.testing.assert_close(coefficients.square().sum(), waveform.square().sum(), rtol=1e-4, atol=0)
    torch.testing.assert_close(made.synthesise(coefficients, 1001), waveform, atol=1e-5, rtol=0)


def test_stereo_is_split_into_middle_and_side() -> None:
    made = GaussianGenerator(audio_channels=2, bands=8, widths=(8,))
    same = torch.randn(1, 1, 400).expand(1, 2, 400)
    middle, side = torch.unflatten(made.analyse(same), 1, (2, 8))[0]
    assert middle.abs().max() > 1 and side.abs().max() < 1e-5


def test_the_coarsest_scale_is_refused() -> None:
    made = GaussianGenerator(audio_channels=1, bands=8, widths=(8,))
    with pytest.raises(ValueError, match="coarser"):
        made(torch.randn(1, 1, 64), None)


def test_its_architecture_builds_it_again() -> None:
    made = GaussianGenerator(audio_channels=2, bands=8, widths=(8, 12)).eval()
    twin = build_generator(made.architecture)
    twin.load_state_dict(made.state_dict())
    noise, coarse = torch.randn(2, 1, 2, 100)
    with torch.no_grad():
        assert torch.equal(twin.eval()(noise, coarse), made(noise, coarse))


def recording(seed: int, seconds: int = 8) -> tuple[Tensor, Tensor]:
    """Coarser signal and whole signal: each second is loud or quiet, and so is the band, which is otherwise noise."""
    random = torch.Generator().manual_seed(seed)
    envelope = torch.tensor([LOUD, QUIET]).repeat(seconds // 2).repeat_interleave(RATE)[None]
    coarse = envelope * torch.randn(1, seconds * RATE, generator=random)
    band = envelope * torch.randn(1, seconds * RATE, generator=random)
    return coarse, coarse + band


@pytest.fixture(scope="module")
def trained() -> GaussianGenerator:
    coarse, real = recording(seed=0)
    task = make_task(1, real, coarse, rate=RATE, seed=1)
    options = GaussianOptions(
        widths=(16, 16),
        batch=8,
        crop_frames=128,
        frame_seconds=0.002,
        ema_decay=0.9,
        coarse_noise=0.0,
        coarse_jitter=0.0,
    )
    trainer = ConditionalGaussianObjective(options).scale_trainer(task)
    for step in range(300):
        trainer.step(step / 300)
    made = trainer.finish().generator
    assert isinstance(made, GaussianGenerator)
    return made


def test_the_likelihood_converges_to_that_of_the_data(trained: GaussianGenerator) -> None:
    """A normal variable of standard deviation s has an expected negative log-likelihood of 1/2 + ln s.

    (Without the constant; s in units of the band's level, the root mean square over loud and quiet seconds.)
    """
    coarse, real = recording(seed=99)
    with torch.no_grad():
        band = trained.analyse((real - coarse)[None]) / trained.band_level
        mean, log_std = trained.predict(trained.analyse(coarse[None]))
        achieved = (0.5 * ((band - mean) / log_std.exp()).square() + log_std).mean().item()
    level = math.sqrt((LOUD**2 + QUIET**2) / 2)
    best = 0.5 + (math.log(LOUD / level) + math.log(QUIET / level)) / 2
    assert best - 0.05 < achieved < best + 0.2


def test_what_is_generated_is_as_loud_as_the_recording_where_that_is_loud(trained: GaussianGenerator) -> None:
    coarse, _ = recording(seed=99)
    with torch.no_grad():
        noise = torch.randn(1, *coarse.shape, generator=torch.Generator().manual_seed(3))
        band = (trained(noise, coarse[None]) - coarse)[0, 0].unflatten(0, (-1, RATE))
    inner = band[:, RATE // 10 : -RATE // 10].square().mean(1).sqrt()
    np.testing.assert_allclose(20 * torch.log10(inner[0::2] / LOUD), 0, atol=2)
    np.testing.assert_allclose(20 * torch.log10(inner[1::2] / QUIET), 0, atol=4)


def test_silence_stays_quiet(trained: GaussianGenerator) -> None:
    """40 dB below the loud passages, though the recording had no silence."""
    with torch.no_grad():
        out = trained(torch.randn(1, 1, RATE), torch.zeros(1, 1, RATE))
    assert out.square().mean().sqrt() < LOUD / 30


def test_the_spread_is_bounded_whatever_comes_in(trained: GaussianGenerator) -> None:
    with torch.no_grad():
        for level in (0.0, 1e-12, 1e6):
            mean, log_std = trained.predict(level * torch.randn(1, trained.transform.bands, 64))
            assert torch.isfinite(mean).all()
            assert LOG_STD_RANGE[0] <= log_std.min() and log_std.max() <= LOG_STD_RANGE[1]
