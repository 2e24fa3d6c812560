"""The paper's objective: options, noise, windows, warm starts, training, resuming."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch

from caw_toolkit.dsp.resampling import resample
from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.pyramid.rates import CANDIDATE_RATES, ScaleRules
from caw_toolkit.pyramid.upsampling import upsample_keys
from caw_toolkit.training.losses import multi_scale_spectrogram_loss
from caw_toolkit.training.objectives.adversarial import AdversarialObjective, AdversarialOptions, AdversarialTrainer
from caw_toolkit.training.objectives.base import ScaleSpec, ScaleTask
from paths import ROOT

RATES = (500, 1000, 2000)
SMALL = AdversarialOptions(hidden_channels=8, coarsest_hidden_channels=4, blocks=4, epochs=3)  # receptive field 120


def recording(seconds: float = 3.0, rate: int = 4000) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    signal = (
        0.4 * np.sin(2 * np.pi * 110 * time)
        + 0.3 * np.sin(2 * np.pi * 330 * time)
        + 0.2 * np.sin(2 * np.pi * 700 * time)
    )
    beating: np.ndarray = signal * (1 + np.sin(2 * np.pi * 2 * time)) / 2
    return beating.astype(np.float32)[None, :]


def make_task(
    index: int,
    *,
    segments: tuple[tuple[int, int], ...] | None = None,
    previous: Mapping[str, Any] | None = None,
    generate_coarse: Callable[[int, int, int | None], torch.Tensor] | None = None,
) -> ScaleTask:
    rate = RATES[index]
    real = torch.from_numpy(resample(recording(), 4000, rate))
    coarse = None
    if index:
        below = torch.from_numpy(resample(recording(), 4000, RATES[index - 1]))
        coarse = upsample_keys(below, RATES[index - 1], rate, real.shape[1])
        generate_coarse = generate_coarse or noisy(coarse)
    return ScaleTask(
        spec=ScaleSpec(index=index, count=3, rate=rate, coarser_rate=RATES[index - 1] if index else None, channels=1),
        real=real,
        coarse=coarse,
        segments=segments or ((0, real.shape[1]),),
        generate_coarse=generate_coarse,
        seed=7,
        device=torch.device("cpu"),
        previous=previous or {},
    )


def noisy(coarse: torch.Tensor) -> Callable[[int, int, int | None], torch.Tensor]:
    def generate(start: int, stop: int, seed: int | None) -> torch.Tensor:
        if seed is None:
            return coarse[None, :, start:stop]
        noise = torch.randn(coarse.shape, generator=torch.Generator().manual_seed(seed))
        return (coarse + 0.1 * noise)[None, :, start:stop]

    return generate


def trainer_of(task: ScaleTask, options: AdversarialOptions = SMALL) -> AdversarialTrainer:
    return AdversarialObjective(options).scale_trainer(task)


def weights_of(generator: ScaleGenerator) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in generator.state_dict().items()}


# Options


def test_defaults_are_the_papers() -> None:
    options = AdversarialOptions()
    assert (options.learning_rate, options.betas, options.epochs) == (0.0015, (0.5, 0.999), 3000)
    assert (options.hidden_channels, options.coarsest_hidden_channels, options.blocks) == (96, 16, 8)
    assert (options.gradient_penalty_weight, options.gradient_penalty_interval, options.crop_samples) == (0.01, 1, None)


def test_options_from_a_mapping() -> None:
    options = AdversarialObjective.from_options({"epochs": 10, "betas": [0, 0.9], "waveform_weight": 1}).options
    assert options == AdversarialOptions(epochs=10, betas=(0.0, 0.9), waveform_weight=1.0)
    assert isinstance(options.waveform_weight, float)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epoch": 10}, "no option 'epoch': did you mean 'epochs'"),
        ({"epochs": 2.5}, "epochs must be a whole number, not 2.5"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"epochs": True}, "epochs must be a whole number"),
        ({"learning_rate": "fast"}, "learning_rate must be a number"),
        ({"learning_rate": 0}, "learning_rate must be above 0"),
        ({"betas": [0.5]}, "betas must be a list of 2 numbers"),
        ({"second_scale_full_noise": 1}, "second_scale_full_noise must be true or false"),
        ({"waveform_weight": -1}, "waveform_weight must be at least 0"),
        ({"crop_samples": 2040}, "crop_samples must be above the receptive field of 2040 samples, not 2040"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(CawUsageError, match=message):
        AdversarialObjective.from_options(options)


def test_the_paper_preset_is_the_paper() -> None:
    tomllib = pytest.importorskip("tomllib")
    preset = tomllib.loads((ROOT / "presets" / "paper.toml").read_text("utf-8"))
    scales = dict(preset["scales"])
    assert scales.pop("upsampling") == "keys"
    scales["candidate_rates"] = tuple(scales["candidate_rates"])
    assert ScaleRules(**scales) == ScaleRules(candidate_rates=CANDIDATE_RATES, smallest_ratio=1.1)
    base = dict(preset["objective"])
    assert base.pop("name") == "adversarial"
    assert set(base) == {option.name for option in fields(AdversarialOptions)} - {"crop_samples"}
    assert AdversarialObjective.from_options(base).options == AdversarialOptions()
    weights = {}
    for material, table in preset["material"].items():
        options = AdversarialObjective.from_options({**base, **table["objective"]}).options
        weights[material] = (options.waveform_weight, options.spectrogram_weight, options.second_scale_full_noise)
    assert weights == {"speech": (10, 0, False), "music": (0, 1e-4, True), "ambience": (0, 1e-4, False)}


def test_untrained_generators_have_the_papers_sizes() -> None:
    objective = AdversarialObjective()
    for index, hidden_channels in ((0, 16), (1, 96), (5, 96)):
        generator = objective.untrained_generator(
            ScaleSpec(index=index, count=9, rate=500, coarser_rate=400, channels=2)
        )
        assert generator.architecture["hidden_channels"] == hidden_channels
        assert generator.architecture["audio_channels"] == 2


# Noise


def test_noise_std_of_the_coarsest_scale_is_one() -> None:
    assert trainer_of(make_task(0)).noise_std == 1.0


def test_noise_std_follows_the_energy_added() -> None:
    """The tones below 250 and 500 Hz are known; the amplitude envelope's mean square is 3/8."""
    previous = trainer_of(make_task(0)).warm_start_state()
    trainer = trainer_of(make_task(1, previous=previous))
    assert trainer.noise_std == pytest.approx(0.01 * math.sqrt(0.3**2 / 2 * 3 / 8), rel=0.02)
    without = trainer_of(make_task(1))  # the energy is then measured on the upsampled coarser signal
    assert without.noise_std == pytest.approx(trainer.noise_std, rel=0.1)


def test_noise_std_is_zero_where_energy_falls() -> None:
    assert trainer_of(make_task(1, previous={"energy": 10.0})).noise_std == 0.0


def test_energy_is_measured_on_the_segments_only() -> None:
    task = make_task(1, segments=((0, 1000), (2000, 3000)), previous={"energy": 0.0})
    valid = torch.cat([task.real[:, :1000], task.real[:, 2000:]], dim=1)
    assert trainer_of(task).noise_std == pytest.approx(0.01 * float(valid.square().mean().sqrt()))


def test_full_noise_at_the_second_scale_only() -> None:
    options = replace(SMALL, second_scale_full_noise=True)
    task = make_task(1)
    assert task.coarse is not None
    assert trainer_of(task, options).noise_std == pytest.approx(float(task.coarse.std()), rel=1e-5)
    assert trainer_of(make_task(2), options).noise_std < 0.01


def test_reconstruction_noise_is_fixed_and_at_the_coarsest_scale_only() -> None:
    trainer = trainer_of(make_task(0))
    noise = trainer.finish().reconstruction_noise
    assert noise is not None
    assert noise.shape == (1, 1500)
    assert float(noise.std()) == pytest.approx(1, abs=0.1)
    trainer.step(0.0)
    torch.testing.assert_close(trainer.finish().reconstruction_noise, noise, rtol=0, atol=0)
    assert trainer_of(make_task(1)).finish().reconstruction_noise is None


# Segments


def test_training_never_sees_what_lies_between_segments() -> None:
    segments = ((0, 1000), (1200, 3000))
    states = []
    for hidden in (0.0, 1e3):
        task = make_task(1, segments=segments)
        task.real[:, 1000:1200] = hidden
        for options in (SMALL, replace(SMALL, crop_samples=400)):
            trainer = trainer_of(task, options)
            for _ in range(2):
                trainer.step(0.0)
            states.append(weights_of(trainer.finish().generator))
    torch.testing.assert_close(states[0], states[2], rtol=0, atol=0)
    torch.testing.assert_close(states[1], states[3], rtol=0, atol=0)


def test_a_recording_shorter_than_the_receptive_field_is_refused() -> None:
    with pytest.raises(CawError, match="too short for the scale of 500 Hz: its longest stretch has 100 samples"):
        trainer_of(make_task(0, segments=((0, 100), (200, 290))))


# Steps


def test_total_steps_count_epochs_of_all_usable_segments() -> None:
    segments = ((0, 600), (700, 750), (800, 1500))
    assert trainer_of(make_task(0)).total_steps == 3
    assert trainer_of(make_task(0, segments=segments)).total_steps == 6
    assert trainer_of(make_task(0, segments=segments), replace(SMALL, crop_samples=200)).total_steps == 3


def test_losses_of_the_first_step() -> None:
    """The reconstruction and adversarial losses of the first step, from networks at their initial weights."""
    options = replace(SMALL, waveform_weight=2.0, spectrogram_weight=0.5)
    trainer = trainer_of(make_task(0), options)
    untouched = trainer_of(make_task(0), options)
    losses = trainer.step(0.0)
    assert set(losses) == {"critic", "gradient_penalty", "adversarial", "reconstruction"}
    noise = untouched.finish().reconstruction_noise
    assert noise is not None
    network = untouched.finish().generator.train()  # batch norm with the signal's own statistics
    real, reconstruction = make_task(0).real[None], network(noise[None], None)
    expected = 2 * (real - reconstruction).square().mean() + 0.5 * multi_scale_spectrogram_loss(real, reconstruction)
    assert losses["reconstruction"] == pytest.approx(float(expected), rel=1e-4)


def test_the_learning_rate_drops_after_two_thirds() -> None:
    """Adam's first step moves every weight by about the learning rate."""
    moved = {}
    for progress in (0.0, 0.66, 0.67):
        trainer = trainer_of(make_task(0))
        before = weights_of(trainer.finish().generator)["output.bias"]
        trainer.step(progress)
        moved[progress] = (weights_of(trainer.finish().generator)["output.bias"] - before).abs().item()
    assert moved[0.0] == pytest.approx(0.0015, rel=0.01)
    assert moved[0.66] == pytest.approx(0.0015, rel=0.01)
    assert moved[0.67] == pytest.approx(0.00015, rel=0.01)


def test_lazy_gradient_penalty() -> None:
    options = replace(SMALL, gradient_penalty_interval=3)
    lazy, eager = trainer_of(make_task(0), options), trainer_of(make_task(0))
    losses = [lazy.step(0.0) for _ in range(4)]
    assert ["gradient_penalty" in loss for loss in losses] == [True, False, False, True]
    assert losses[0]["gradient_penalty"] == pytest.approx(3 * eager.step(0.0)["gradient_penalty"], rel=1e-5)


def test_without_reconstruction_weights_there_is_no_reconstruction() -> None:
    trainer = trainer_of(make_task(0), replace(SMALL, waveform_weight=0.0))
    assert "reconstruction" not in trainer.step(0.0)


def test_the_generator_is_a_snapshot_in_evaluation_mode() -> None:
    trainer = trainer_of(make_task(0))
    generator = trainer.finish().generator
    before = weights_of(generator)
    trainer.step(0.0)
    assert not generator.training
    torch.testing.assert_close(weights_of(generator), before, rtol=0, atol=0)


# Warm starts


def test_warm_start_from_the_third_scale() -> None:
    first, second = trainer_of(make_task(0)), trainer_of(make_task(1))
    second.step(0.0)
    cold = weights_of(trainer_of(make_task(1)).finish().generator)
    given = weights_of(trainer_of(make_task(1, previous=first.warm_start_state())).finish().generator)
    torch.testing.assert_close(given, cold, rtol=0, atol=0)

    third = trainer_of(make_task(2, previous=second.warm_start_state()))
    torch.testing.assert_close(
        weights_of(third.finish().generator), weights_of(second.finish().generator), rtol=0, atol=0
    )
    torch.testing.assert_close(
        third.warm_start_state()["discriminator"], second.warm_start_state()["discriminator"], rtol=0, atol=0
    )


def test_a_previous_state_of_other_shapes_is_left_alone() -> None:
    previous = trainer_of(make_task(1), replace(SMALL, hidden_channels=6)).warm_start_state()
    given = weights_of(trainer_of(make_task(2, previous=previous)).finish().generator)
    torch.testing.assert_close(given, weights_of(trainer_of(make_task(2)).finish().generator), rtol=0, atol=0)


# Whole pyramids, resuming


@pytest.mark.parametrize("crop_samples", [None, 300])
def test_three_scales_train_and_generate(crop_samples: int | None) -> None:
    options = replace(SMALL, crop_samples=crop_samples, spectrogram_weight=1e-4)
    generators: list[ScaleGenerator] = []
    stds: list[float] = []
    star: list[torch.Tensor] = []
    previous: Mapping[str, Any] = {}

    def pyramid(index: int) -> Callable[[int, int, int | None], torch.Tensor]:
        @torch.no_grad()
        def generate(start: int, stop: int, seed: int | None) -> torch.Tensor:
            random = torch.Generator().manual_seed(seed or 0)
            signal: torch.Tensor | None = None
            for scale in range(index):
                shape = (1, 1, 3 * RATES[scale])
                noise = torch.randn(shape, generator=random) * stds[scale]
                if seed is None:
                    noise = star[0][None] if scale == 0 else torch.zeros(shape)
                signal = generators[scale](noise, signal)
                signal = upsample_keys(signal, RATES[scale], RATES[scale + 1], 3 * RATES[scale + 1])
            assert signal is not None
            return signal[..., start:stop]

        return generate

    for index in range(3):
        trainer = trainer_of(
            make_task(index, previous=previous, generate_coarse=pyramid(index) if index else None), options
        )
        for step in range(trainer.total_steps):
            losses = trainer.step(step / trainer.total_steps)
            assert all(math.isfinite(loss) for loss in losses.values())
        generators.append(trainer.finish().generator)
        stds.append(trainer.noise_std)
        noise = trainer.finish().reconstruction_noise
        star.extend([noise] if noise is not None else [])
        previous = trainer.warm_start_state()
    coarse = upsample_keys(torch.randn(1, 1, 200), 1000, 2000, 400)
    assert generators[2](torch.randn(1, 1, 400), coarse).shape == (1, 1, 400)


def test_training_reconstructs_the_signal() -> None:
    trainer = trainer_of(make_task(0), replace(SMALL, coarsest_hidden_channels=8))
    losses = [trainer.step(0.0)["reconstruction"] for _ in range(60)]
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("crop_samples", [None, 300])
@pytest.mark.parametrize("index", [0, 1])
def test_resuming_is_bit_identical(index: int, crop_samples: int | None) -> None:
    options = replace(SMALL, crop_samples=crop_samples, gradient_penalty_interval=2)
    segments = ((0, 600), (700, 1500))
    trainer = trainer_of(make_task(index, segments=segments), options)
    for _ in range(3):
        trainer.step(0.0)
    buffer = io.BytesIO()
    torch.save(trainer.state_dict(), buffer)
    expected = [trainer.step(0.7) for _ in range(3)]

    buffer.seek(0)
    resumed = trainer_of(make_task(index, segments=segments), options)
    resumed.load_state_dict(torch.load(buffer, weights_only=True))
    assert [resumed.step(0.7) for _ in range(3)] == expected
    torch.testing.assert_close(
        weights_of(resumed.finish().generator), weights_of(trainer.finish().generator), rtol=0, atol=0
    )


def test_the_seed_decides_the_training() -> None:
    losses = [trainer_of(replace(make_task(0), seed=seed)).step(0.0) for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]


def test_the_global_random_state_plays_no_part() -> None:
    losses = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        losses.append(trainer_of(make_task(1)).step(0.0))
    assert losses[0] == losses[1]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_step_on_a_gpu() -> None:
    device = torch.device("cuda")
    task = make_task(1)
    assert task.coarse is not None
    task = replace(task, real=task.real.to(device), coarse=task.coarse.to(device), device=device)
    losses = trainer_of(task).step(0.0)
    assert losses["critic"] == pytest.approx(trainer_of(make_task(1)).step(0.0)["critic"], rel=1e-2, abs=1e-4)
