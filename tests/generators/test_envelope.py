"""Levels of a missing band, by kernel ridge regression, on a relation that is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from caw_toolkit.dsp.lapped_transform import LappedTransform
from caw_toolkit.errors import CawError
from caw_toolkit.generators import envelope as envelope_regression
from caw_toolkit.generators.envelope import GAUSSIAN, LAPLACIAN, STEP, EnvelopeRegression, Kernel

HOP = 16
SAMPLES = 40_000


def related(seed: int) -> tuple[Tensor, Tensor]:
    """A coarser signal whose level drifts, and coefficients above it that follow its level, both noise."""
    draw = torch.Generator().manual_seed(seed)
    steps = torch.randn(SAMPLES // 2000 + 2, generator=draw)
    level = torch.nn.functional.interpolate(steps[None, None], size=SAMPLES, mode="linear")[0, 0].exp()
    spectrum = torch.fft.rfft(torch.randn(SAMPLES, generator=draw))
    spectrum[SAMPLES // 4 :] = 0
    coarse = torch.fft.irfft(spectrum, SAMPLES) * level
    band = LappedTransform(HOP)((torch.randn(SAMPLES, generator=draw) * level.square())[None, None])[0, 0]
    return coarse, band


def regression(seed: int = 0, kernel: Kernel = GAUSSIAN) -> EnvelopeRegression:
    coarse, band = related(seed)
    usable = torch.ones(SAMPLES, dtype=torch.bool)
    return EnvelopeRegression(coarse, band, usable, hop=HOP, ratio=2, kernel=kernel)


@pytest.mark.parametrize("kernel", [GAUSSIAN, LAPLACIAN])
def test_levels_of_other_audio_follow_the_relation_in_the_recording(kernel: Kernel) -> None:
    coarse, band = related(1)
    predicted = regression(kernel=kernel).predict(coarse, band.shape[1])
    assert predicted.shape == band.shape
    smooth = torch.nn.functional.avg_pool1d(band.square().mean(0)[None], 33, 1, 16)[0].log() / 2
    assert np.corrcoef(predicted.mean(0), smooth)[0, 1] > 0.9
    assert (predicted.mean(0) - smooth).abs().mean() < 0.3


def test_a_laplacian_kernel_follows_what_is_louder_than_the_recording() -> None:
    coarse, band = related(1)
    louder = (30**2 * band).square().mean().log() / 2
    gained = [
        regression(kernel=kernel).predict(30 * coarse, band.shape[1]).mean() - louder
        for kernel in (GAUSSIAN, LAPLACIAN)
    ]
    assert gained[0] < gained[1] < 0


@pytest.mark.parametrize("kernel", [GAUSSIAN, LAPLACIAN])
def test_stretches_on_the_grid_are_predicted_like_the_whole(kernel: Kernel) -> None:
    coarse, band = related(1)
    model = regression(kernel=kernel)
    whole = model.predict(coarse, band.shape[1])
    start, stop = 100 * STEP, 200 * STEP  # frames
    context = 8 * STEP
    part = model.predict(coarse[(start - context) * HOP : (stop + context) * HOP], stop - start + 2 * context)
    torch.testing.assert_close(part[:, context:-context], whole[:, start:stop], atol=1e-4, rtol=0)


def test_masked_stretches_are_not_learnt_from() -> None:
    coarse, band = related(0)
    usable = torch.ones(SAMPLES, dtype=torch.bool)
    usable[SAMPLES // 2 :] = False
    spoilt = band.clone()
    spoilt[:, SAMPLES // 2 // HOP + 4 * STEP :] *= 1000
    first, second = (EnvelopeRegression(coarse, each, usable, hop=HOP, ratio=2) for each in (band, spoilt))
    torch.testing.assert_close(first.predict(coarse, 500), second.predict(coarse, 500))


def test_long_recordings_are_thinned_out(monkeypatch: pytest.MonkeyPatch) -> None:
    coarse, _ = related(1)
    complete = regression().predict(coarse, 500)
    monkeypatch.setattr(envelope_regression, "MOST_FRAMES", 200)
    thinned = regression().predict(coarse, 500)
    assert (complete - thinned).abs().mean() < 0.3


def test_silence_is_predicted_without_trouble() -> None:
    assert regression().predict(torch.zeros(4000), 250).isfinite().all()


def test_a_recording_that_is_mostly_silent() -> None:
    coarse, band = related(0)
    coarse[SAMPLES // 10 :] = 0
    band[:, SAMPLES // 10 // HOP :] = 0
    model = EnvelopeRegression(coarse, band, torch.ones(SAMPLES, dtype=torch.bool), hop=HOP, ratio=2)
    assert model.predict(coarse, band.shape[1]).isfinite().all()


def test_a_recording_of_which_nothing_is_usable() -> None:
    coarse, band = related(0)
    with pytest.raises(CawError, match="too short"):
        EnvelopeRegression(coarse, band, torch.zeros(SAMPLES, dtype=torch.bool), hop=HOP, ratio=2)
