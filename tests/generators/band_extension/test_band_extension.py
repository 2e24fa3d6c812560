"""A scale that looks up what the pyramid made from noise, and predicts what belongs to other audio."""

from __future__ import annotations

import pytest
import torch

from caw_toolkit.generators.band_extension.generator import (
    ENOUGH_TRAINING,
    ENSEMBLE_WEIGHT,
    RAISED,
    SHRINKAGE,
    BandExtensionGenerator,
    sharpen,
)
from caw_toolkit.generators.registry import build_generator
from caw_toolkit.generators.timing import Timing
from caw_toolkit.training.objectives import build_objective
from caw_toolkit.training.objectives.base import ScaleTask, ScaleTrainer
from scale_tasks import SMALL_OPTIONS, noise_task


def trained() -> tuple[ScaleTask, ScaleTrainer]:
    given = noise_task(1)
    trainer = build_objective("exemplar_or_gaussian", SMALL_OPTIONS["exemplar_or_gaussian"]).scale_trainer(given)
    for step in range(3):
        losses = trainer.step(step / 3)
    assert list(losses) == ["weighted negative log-likelihood"]
    return given, trainer


def test_it_looks_up_what_it_made_and_predicts_external_audio() -> None:
    given, trainer = trained()
    made = trainer.finish().generator.eval()
    assert isinstance(made, BandExtensionGenerator)
    assert given.coarse is not None
    noise, coarse = torch.randn(1, 1, 2000), given.coarse[None, :, :2000]
    with torch.no_grad():
        assert torch.equal(made(noise, coarse), made.exemplar(noise, coarse))
        timing = Timing(0.0, 1 / 500, lambda samples: samples / 300)
        on_the_beat = made.keep_time(noise, coarse, timing)
        assert torch.equal(on_the_beat, made.exemplar.keep_time(noise, coarse, timing))
        assert not torch.equal(on_the_beat, made(noise, coarse))
        with pytest.raises(RuntimeError, match="prepare_for_external"):
            made.extend(noise, coarse)
        made.prepare_for_external()
        made.regression_weight = 0.0
        extended = made.extend(noise, coarse)
        mean, log_std = made.gaussian.predict(made.gaussian.analyse(coarse))
        assert (log_std > 0).any()
        excitation = made.excitation(coarse, made.gaussian.coarse_level.square().mean()).flatten(1, 2)
        first = made.excitation.first_band
        levels = log_std - SHRINKAGE * log_std.clamp_min(0) + RAISED * ((-1 - log_std) / 2).clamp(0, 1)
        levels[:, first:] = sharpen(levels[None, :, first:], made.gaussian.band_level[None, first:, 0])[0]
        torch.testing.assert_close(extended, made.gaussian.add_band(coarse, mean, levels, excitation))
        assert torch.equal(made.extend(-noise, coarse), extended)


def test_its_architecture_builds_it_again() -> None:
    given, trainer = trained()
    made = trainer.finish().generator.eval()
    twin = build_generator(made.architecture)
    twin.load_state_dict(made.state_dict())
    assert given.coarse is not None
    noise, coarse = torch.randn(1, 1, 2000), given.coarse[None, :, :2000]
    with torch.no_grad():
        assert torch.equal(twin.eval()(noise, coarse), made(noise, coarse))
        for generator in (made, twin):
            generator.prepare_for_external()
        assert torch.equal(twin.extend(noise, coarse), made.extend(noise, coarse))


def test_training_goes_on_from_its_state() -> None:
    _, first = trained()
    _, second = trained()
    second.load_state_dict(first.state_dict())
    assert first.step(0.5) == second.step(0.5)


def test_a_network_that_has_hardly_been_trained_has_no_say() -> None:
    generator = trained()[1].finish().generator
    assert isinstance(generator, BandExtensionGenerator)
    weights = [
        BandExtensionGenerator(generator.exemplar, generator.gaussian, share).regression_weight
        for share in (0, ENOUGH_TRAINING / 2, ENOUGH_TRAINING, 1)
    ]
    assert weights == pytest.approx([1, (1 + ENSEMBLE_WEIGHT) / 2, ENSEMBLE_WEIGHT, ENSEMBLE_WEIGHT])


def test_sharpening_keeps_power_and_makes_formants_clearer() -> None:
    draw = torch.Generator().manual_seed(0)
    envelope = torch.randn(2, 2, 16, 30, generator=draw)
    levels = torch.rand(2, 16, generator=draw) + 0.1
    sharp = sharpen(envelope, levels)
    powers = [(levels[None, :, :, None] * each.exp()).square().sum(2) for each in (envelope, sharp)]
    torch.testing.assert_close(powers[1], powers[0])
    assert (sharp.std(2) > envelope.std(2)).all()
    even = torch.full_like(envelope, -2.0)
    torch.testing.assert_close(sharpen(even, levels), even)
