"""Objectives by name: options checked with the closest known name, and two objectives staged in one."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch

from caw_toolkit import AudioClip, make_plan
from caw_toolkit.errors import CawUsageError
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.generators.flow import FlowGenerator
from caw_toolkit.generators.gaussian import GaussianGenerator
from caw_toolkit.parts import own_parts
from caw_toolkit.pyramid.material import Material
from caw_toolkit.training.objectives import build_objective
from caw_toolkit.training.objectives.base import Objective, ScaleSpec
from caw_toolkit.training.objectives.flow_matching import FlowTrainer
from caw_toolkit.training.presets import load_preset, preset_directory
from scale_tasks import SMALL_OPTIONS, make_spec, noise_task


def test_every_objective_has_a_small_example() -> None:
    assert set(SMALL_OPTIONS) == set(own_parts("objective"))


@pytest.mark.parametrize("name", sorted(own_parts("objective")))
def test_objectives_are_built_by_name(name: str) -> None:
    objective = build_objective(name, SMALL_OPTIONS[name])
    assert isinstance(objective, Objective)
    generator = objective.untrained_generator(make_spec(1, 2000))
    assert isinstance(generator, ScaleGenerator) and generator.receptive_field > 1
    assert generator.architecture["type"]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("adversarial", 0),
        ("adversarial", 1),
        ("conditional_gaussian", 1),
        ("exemplar", 1),
        ("flow_matching", 0),
        ("flow_matching", 1),
        ("staged", 0),
        ("staged", 1),
    ],
)
def test_a_trainer_keeps_its_promises(name: str, index: int, channels: int) -> None:
    """Finite losses; a copy continued from the state equals the original; the generator is ready for use."""
    objective = build_objective(name, SMALL_OPTIONS[name])
    trainers = [objective.scale_trainer(noise_task(index, channels)) for _ in range(2)]
    for _ in range(2):
        losses = trainers[0].step(0.1)
    assert all(isinstance(value, float) and abs(value) < 1e6 for value in losses.values())
    stored = io.BytesIO()
    torch.save(trainers[0].state_dict(), stored)
    stored.seek(0)
    trainers[1].load_state_dict(torch.load(stored, weights_only=True))
    finals = []
    for trainer in trainers:
        trainer.step(0.6)
        finals.append(trainer.finish().generator.state_dict())
    for key, value in finals[0].items():
        assert torch.equal(value, finals[1][key]), key
    trained = trainers[0].finish()
    generator = trained.generator
    assert trainers[0].total_steps >= 0 and trained.noise_std >= 0
    noise, coarse = torch.randn(2, 1, channels, 1001)
    with torch.no_grad():
        made = generator(noise, coarse if index else None)
    assert made.shape == noise.shape and torch.isfinite(made).all()
    assert (trained.reconstruction_noise is None) == (index > 0)


@pytest.mark.parametrize("name", ["solver_steps", "solver_spacing", "companding", "frame_seconds"])
def test_options_of_flow_matching_are_above_0(name: str) -> None:
    with pytest.raises(CawUsageError, match=f"{name} must be above 0"):
        build_objective("flow_matching", {name: 0})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kernel_size": 4}, "kernel_size must be odd, not 4"),
        ({"kernel_size": -1}, "kernel_size must be from 1 to 99"),
        ({"decay_after": 1.0}, "decay_after must be from 0 to below 1"),
    ],
)
def test_options_of_networks_are_checked(options: dict[str, float], words: str) -> None:
    for name in ("flow_matching", "conditional_gaussian"):
        with pytest.raises(CawUsageError, match=words):
            build_objective(name, options)


@pytest.mark.parametrize("name", ["conditional_gaussian", "exemplar_or_gaussian"])
def test_frames_are_no_longer_than_a_model_file_can_hold(name: str) -> None:
    objective = build_objective(name, {"frame_seconds": 0.3})
    with pytest.raises(CawUsageError, match=r"frame_seconds of 0\.3 is \d+ samples at 48000 Hz, .* at the most"):
        objective.untrained_generator(ScaleSpec(1, 2, 48000, 16000, 1))


@pytest.mark.parametrize(
    ("decay_after", "rates"),
    [(0.5, [1, 1, 1, 0.5, 0.02]), (0.25, [1, 1, 2 / 3, 1 / 3, 0.02]), (0.0, [1, 0.75, 0.5, 0.25, 0.02])],
)
def test_the_rate_falls_from_there_on(decay_after: float, rates: list[float]) -> None:
    options = {**SMALL_OPTIONS["flow_matching"], "decay_after": decay_after, "learning_rate": 1.0}
    trainer = build_objective("flow_matching", options).scale_trainer(noise_task(0))
    assert isinstance(trainer, FlowTrainer)
    trainer.steps_done = 1000  # past the warm-up
    seen = []
    for progress in (0.0, 0.25, 0.5, 0.75, 1.0):
        trainer._set_learning_rate(progress)
        seen.append(trainer.optimiser.learning_rate)
    assert seen == pytest.approx(rates)


def test_even_times_lie_one_in_each_part_of_their_distribution() -> None:
    """In each sixteenth of the logit-normal distribution."""
    options = {**SMALL_OPTIONS["flow_matching"], "batch": 16, "even_times": True}
    trainer = build_objective("flow_matching", options).scale_trainer(noise_task(0))
    assert isinstance(trainer, FlowTrainer)
    edges = torch.sigmoid(torch.special.ndtri(torch.arange(1, 16) / 16))
    draws = [trainer.draw_times() for _ in range(5)]
    for times in draws:
        assert torch.bucketize(times, edges).tolist() == list(range(16))
    assert not torch.equal(draws[0], draws[1])


def test_an_unknown_objective_names_the_closest() -> None:
    with pytest.raises(CawUsageError, match="unknown objective 'flow_matchin': did you mean 'flow_matching'"):
        build_objective("flow_matchin", {})


@pytest.mark.parametrize("name", ["adversarial", "conditional_gaussian", "flow_matching"])
def test_an_unknown_option_names_the_closest(name: str) -> None:
    with pytest.raises(CawUsageError, match="no option 'learning_rat': did you mean 'learning_rate'"):
        build_objective(name, {"learning_rat": 0.1})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps must be above 0"),
        ({"batch": 1.5}, "batch must be a whole number"),
        ({"widths": []}, "widths must be a list of whole numbers"),
        ({"widths": [0, 8]}, "widths must be above 0"),
        ({"ema_decay": 1.0}, "ema_decay must be"),
        ({"learning_rate": "fast"}, "learning_rate must be a number"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0"),
        ({"batch": 10**8}, "batch must be above 0 and at most 4096, not 100000000"),
        ({"widths": [8] * 200}, "widths may be up to 10, not 200"),
        ({"epochs": 10**400}, r"epochs must be no more than 1e\+15"),
    ],
)
@pytest.mark.parametrize("name", ["conditional_gaussian", "flow_matching"])
def test_values_out_of_range_are_refused(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(CawUsageError, match=message):
        build_objective(name, options)


class TestStaged:
    def test_each_stage_has_a_scale_and_the_last_the_rest(self) -> None:
        staged = build_objective("staged", SMALL_OPTIONS["staged"])
        types = [type(staged.untrained_generator(make_spec(index, 500 * 4**index))) for index in range(4)]
        assert types == [FlowGenerator, GaussianGenerator, GaussianGenerator, GaussianGenerator]

    @pytest.mark.parametrize("options", [{}, {"stages": []}, {"stages": "flow_matching"}, {"stages": [{"name": 5}]}])
    def test_it_needs_a_list_of_stages(self, options: dict[str, Any]) -> None:
        with pytest.raises(CawUsageError, match="staged objective takes 'stages'"):
            build_objective("staged", options)

    def test_errors_of_a_stage_name_its_objective(self) -> None:
        stages = [{"name": "conditional_gaussian", "frame_second": 0.1}]
        with pytest.raises(
            CawUsageError, match=r"conditional_gaussian .* 'frame_second': did you mean 'frame_seconds'"
        ):
            build_objective("staged", {"stages": stages})


def test_conditional_gaussians_need_a_scale_below() -> None:
    with pytest.raises(CawUsageError, match="coarsest"):
        build_objective("conditional_gaussian", {}).untrained_generator(make_spec(0, 500))


@pytest.mark.parametrize("material", list(Material))
@pytest.mark.parametrize("name", [path.stem for path in preset_directory().glob("*.toml")])
def test_shipped_presets_name_objectives_and_options_that_exist(name: str, material: Material) -> None:
    preset = load_preset(name, material=material)
    build_objective(preset.objective, preset.objective_options)


@pytest.mark.parametrize(("rate", "usual"), [(22254, 22050), (11127, 11025), (44056, 44100), (16001, 16000)])
def test_a_rate_that_has_no_frames_is_refused_before_the_work(rate: int, usual: int) -> None:
    noise = np.random.default_rng(0).standard_normal((1, 3 * rate)).astype(np.float32)
    with pytest.raises(CawUsageError, match=f"a scale of {rate} Hz .* --sample-rate {usual}"):
        make_plan(AudioClip(noise, rate))
    assert make_plan(AudioClip(noise, rate), sample_rate=usual).rates[-1] == usual


def test_usual_rates_have_frames() -> None:
    preset = load_preset("fast", material=Material.MUSIC)
    objective = build_objective(preset.objective, preset.objective_options)
    for rate in (4000, 8000, 11025, 12000, 18900, 22050, 24000, 32000, 37800, 44100, 47952, 48000, 96000, 192000):
        objective.check_rate(2, rate)
