"""The flow generator: companding, folding, and a solver that agrees with an equation solved by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.generators.flow import RENOISE_STRENGTH, FlowGenerator, compand, expand, frame, unframe
from caw_toolkit.generators.registry import build_generator
from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.training.objectives import build_objective
from scale_tasks import SMALL_OPTIONS, make_spec


def generator(
    *, channels: int = 1, conditional: bool = False, solver_steps: int = 24, solver_spacing: float = 1.0
) -> FlowGenerator:
    """Untrained, but with a velocity that depends on its input."""
    torch.manual_seed(0)
    made = FlowGenerator(
        audio_channels=channels,
        conditional=conditional,
        frame_samples=4,
        widths=(8, 8),
        companding=0.6,
        solver_steps=solver_steps,
        solver_spacing=solver_spacing,
    )
    nn.init.normal_(made.network.exit.weight, std=0.02)
    return made.eval().requires_grad_(False)


class LinearVelocity(nn.Module):
    """Velocity = factor * signal: the solution from 0 to 1 is a multiplication by exp(factor)."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, frames: Tensor, time: Tensor) -> Tensor:
        return self.factor * frames


@pytest.mark.parametrize("exponent", [0.4, 0.6, 1.0])
def test_expanding_undoes_companding(exponent: float) -> None:
    signal = torch.linspace(-1.5, 1.5, 601, dtype=torch.float64)
    torch.testing.assert_close(expand(compand(signal, exponent), exponent), signal, atol=1e-12, rtol=0)
    companded = compand(signal, exponent)
    assert (companded.diff() > 0).all()
    np.testing.assert_allclose(companded, np.sign(signal.numpy()) * np.abs(signal.numpy()) ** exponent)


@pytest.mark.parametrize("channels", [1, 2])
def test_unfolding_undoes_folding(channels: int) -> None:
    waveform = torch.randn(3, channels, 40)
    frames = frame(waveform, 4)
    assert frames.shape == (3, channels * 4, 10)
    assert torch.equal(unframe(frames, 4), waveform)


def test_a_frame_holds_neighbouring_samples() -> None:
    left, right = torch.arange(8.0), 100 + torch.arange(8.0)
    frames = frame(torch.stack([left, right])[None], 4)[0]
    assert frames[:, 1].sort().values.tolist() == [4, 5, 6, 7, 104, 105, 106, 107]


@pytest.mark.parametrize("samples", [1, 63, 64, 101])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("conditional", [False, True])
def test_as_many_samples_come_out(samples: int, channels: int, conditional: bool) -> None:
    coarse = torch.randn(1, channels, samples) if conditional else None
    made = generator(channels=channels, conditional=conditional, solver_steps=3)
    assert made(torch.randn(1, channels, samples), coarse).shape == (1, channels, samples)


@pytest.mark.parametrize("spacing", [1.0, 1.5])
@pytest.mark.parametrize(("factor", "tolerance"), [(-1.0, 2e-3), (0.7, 2e-3)])
def test_the_solver_solves_the_equation(factor: float, tolerance: float, spacing: float) -> None:
    made = generator(solver_spacing=spacing)
    made.network = LinearVelocity(factor)  # type: ignore[assignment]
    noise = torch.randn(1, 1, 64)
    expected = expand(noise * math.exp(factor), 0.6)
    torch.testing.assert_close(made(noise, None), expected, rtol=3 * tolerance, atol=1e-5)


class TimesAsked(nn.Module):
    """No velocity; remembers the times that it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def forward(self, frames: Tensor, time: Tensor) -> Tensor:
        self.times.append(time.item())
        return torch.zeros_like(frames)


def test_spaced_steps_are_shorter_near_noise_and_the_same_in_both_directions() -> None:
    made = generator(solver_steps=4, solver_spacing=2.0)
    visited = []
    for solve in (lambda: made(torch.randn(1, 1, 64), None), lambda: made.invert(torch.randn(1, 1, 64), None)):
        asked = TimesAsked()
        made.network = asked  # type: ignore[assignment]
        solve()
        visited.append(sorted(set(asked.times)))
    assert visited[0] == pytest.approx([0, 1 / 16, 1 / 4, 9 / 16])
    assert visited[1] == pytest.approx([1 / 16, 1 / 4, 9 / 16, 1])


@pytest.mark.parametrize("spacing", [1.0, 1.5])
@pytest.mark.parametrize("conditional", [False, True])
def test_noise_of_a_signal_leads_back_to_it(conditional: bool, spacing: float) -> None:
    """To 30 dB: the same steps are solved in both directions, with an error of second order."""
    made = generator(conditional=conditional, solver_spacing=spacing)
    real = 0.1 * torch.randn(1, 1, 400, generator=torch.Generator().manual_seed(1))
    coarse = 0.3 * torch.randn(1, 1, 400, generator=torch.Generator().manual_seed(2)) if conditional else None
    made.fit_levels(real[0], coarse[0] if coarse is not None else None)
    made.gain.fill_(1.3 if not conditional else 1.0)
    noise = made.invert(real, coarse)
    error = made(noise, coarse) - real
    assert 10 * torch.log10(real.square().mean() / error.square().mean()) > 30


def test_noise_found_for_a_signal_is_the_solution_backwards_from_near_it() -> None:
    made = generator()
    made.network = LinearVelocity(0.7)  # type: ignore[assignment]
    real, fresh = torch.randn(1, 1, 402), torch.randn(1, 1, 402)
    made.fit_levels(real[0], None)
    target, _ = made.normalise(real, None)
    near = (1 - RENOISE_STRENGTH) * target + RENOISE_STRENGTH * fresh
    expected = near * math.exp(-0.7 * (1 - RENOISE_STRENGTH))
    torch.testing.assert_close(made.renoise(real, fresh), expected[..., :400], atol=0, rtol=0.002)


def test_the_tiny_models_reconstruction_resembles_the_recording(tiny_model: PyramidModel, speech: AudioClip) -> None:
    rate = tiny_model.rates[0]
    real = resample(speech.samples, speech.sample_rate, rate)[0]
    again = tiny_model.reconstruct(up_to_rate=rate)[0]
    count = min(real.size, again.size)
    assert real.size - again.size < 16
    assert np.corrcoef(real[:count], again[:count])[0, 1] > 0.9


def test_the_less_it_is_led_to_noise_the_more_of_a_guess_stays(tiny_model: PyramidModel, speech: AudioClip) -> None:
    flow, rate = tiny_model.scales[0].generator, tiny_model.rates[0]
    assert isinstance(flow, FlowGenerator)
    signal = torch.from_numpy(resample(speech.samples, speech.sample_rate, rate))[None]
    known, gap = torch.ones(signal.shape[-1], dtype=torch.bool), slice(3 * rate, 4 * rate)
    known[gap] = False
    noise = torch.randn(signal.shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        filled = [flow.fill(signal, known, noise, strength)[0, 0] for strength in (0.01, 0.5, 1.0)]
    guess = signal[0, 0]
    similarity = [np.corrcoef(one[gap], guess[gap])[0, 1] for one in filled]
    assert similarity[0] > 0.99
    assert similarity[0] > similarity[1] > similarity[2]
    for one in filled:
        torch.testing.assert_close(one[known], guess[known])


def test_fitted_levels_bring_signal_and_condition_to_one() -> None:
    made = generator(channels=2, conditional=True)
    coarse = torch.stack([0.2 * torch.randn(5000), 0.01 * torch.randn(5000)])
    real = coarse + torch.stack([0.05 * torch.randn(5000), 0.3 * torch.randn(5000)])
    made.fit_levels(real, coarse)
    target, condition = made.normalise(real[None], coarse[None])
    assert condition is not None
    for signal in (target, condition):
        torch.testing.assert_close(signal.square().mean(-1).sqrt(), torch.ones(1, 2), atol=1e-3, rtol=0)


def test_a_silent_channel_divides_by_no_zero() -> None:
    made = generator(channels=2)
    made.fit_levels(torch.stack([torch.randn(500), torch.zeros(500)]), None)
    target, _ = made.normalise(torch.zeros(1, 2, 500), None)
    assert torch.isfinite(target).all() and (made.signal_level > 0).all()


def test_its_architecture_builds_it_again() -> None:
    made = generator(channels=2, conditional=True, solver_spacing=1.5)
    twin = build_generator(made.architecture)
    twin.load_state_dict(made.state_dict())
    noise, coarse = torch.randn(2, 1, 2, 64)
    assert torch.equal(twin.eval()(noise, coarse), made(noise, coarse))


def test_what_an_older_model_does_not_say() -> None:
    absent = ("solver_spacing", "kernel_size")
    architecture = {key: value for key, value in generator().architecture.items() if key not in absent}
    made = build_generator(architecture)
    assert isinstance(made, FlowGenerator)
    assert made.solver_spacing == 1.0 and made.network.kernel_size == 5


def test_the_objective_passes_its_solver_and_its_kernels_on() -> None:
    options = {**SMALL_OPTIONS["flow_matching"], "solver_steps": 4, "solver_spacing": 1.5, "kernel_size": 3}
    made = build_objective("flow_matching", options).untrained_generator(make_spec(0, 1000))
    assert made.architecture["solver_steps"] == 4 and made.architecture["solver_spacing"] == 1.5
    assert made.state_dict()["network.encoder.0.0.first.weight"].shape[-1] == 3
