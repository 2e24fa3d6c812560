"""The adversarial training step against a plain transcription of it: the same losses and gradients."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from caw_toolkit.generators.dilated import DilatedGenerator, DilatedStack, stack_span
from caw_toolkit.generators.fast_cpu.batch_norm import NormalisedActivation
from caw_toolkit.generators.fast_cpu.convolution import FastConvolution
from caw_toolkit.generators.fast_cpu.stack import FastStack, convolution
from caw_toolkit.training.losses import (
    critic_loss,
    generator_loss,
    gradient_penalty,
    multi_scale_spectrogram_loss,
    waveform_loss,
)
from caw_toolkit.training.objectives.critic import DilatedDiscriminator, initialise
from paths import ROOT

CLIP = 600
TOLERANCE = 1e-4
#: Of float32 gradients at random weights: a single leaky ReLU that rounding flips changes them by about 1e-3.
FLIPPED = 1e-2


@pytest.fixture(scope="module")
def plain() -> ModuleType:
    path = ROOT / "benchmarks" / "plain_transcription.py"
    specification = importlib.util.spec_from_file_location("plain_transcription", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


def random_networks(channels: int, hidden: int, blocks: int) -> tuple[DilatedGenerator, DilatedDiscriminator]:
    random = torch.Generator().manual_seed(3)
    generator = DilatedGenerator(audio_channels=channels, hidden_channels=hidden, blocks=blocks)
    discriminator = DilatedDiscriminator(audio_channels=channels, hidden_channels=hidden, blocks=blocks)
    for network in (generator, discriminator):
        initialise(network, random)
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                if not name.endswith("original0"):
                    parameter.add_(0.05 * torch.randn(parameter.shape, generator=random))
    return generator, discriminator


def assert_same_gradients(ours: nn.Module, theirs: nn.Module, tolerance: float) -> None:
    """Relative to each parameter's gradient, unless that is a rounding error only: biases before a batch norm."""
    expected = {name: parameter.grad for name, parameter in theirs.named_parameters() if parameter.grad is not None}
    largest = max(float(gradient.norm()) for gradient in expected.values())
    for name, parameter in ours.named_parameters():
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        error = (gradient - expected[name]).norm() if name in expected else gradient.norm()
        norm = expected[name].norm() if name in expected else gradient.new_zeros(())
        assert error <= tolerance * norm.clamp_min(1e-2 * largest), name


def random_signal(channels: int, samples: int, seed: int) -> torch.Tensor:
    return 0.3 * torch.randn(1, channels, samples, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("with_coarse", [False, True], ids=["coarsest", "upper"])
@pytest.mark.parametrize(
    ("channels", "hidden", "blocks", "dtype"),
    [
        (1, 96, 8, torch.float64),
        (2, 40, 6, torch.float64),
        (1, 16, 8, torch.float64),
        (2, 96, 8, torch.float32),
    ],
)
def test_step_equals_the_plain_transcription(
    plain: ModuleType, channels: int, hidden: int, blocks: int, dtype: torch.dtype, with_coarse: bool
) -> None:
    tolerance = TOLERANCE if dtype is torch.float64 else FLIPPED
    samples = CLIP + stack_span(blocks)
    generator, discriminator = random_networks(channels, hidden, blocks)
    reference = (plain.Generator(channels, hidden, blocks), plain.Discriminator(channels, hidden, blocks))
    for network in (generator, discriminator, *reference):
        network.to(dtype)
    reference[0].load_state_dict(generator.state_dict())
    reference[1].load_state_dict(discriminator.state_dict())
    real, noise, reconstruction_noise = (random_signal(channels, samples, seed).to(dtype) for seed in range(3))
    coarse = random_signal(channels, samples, 4).to(dtype) if with_coarse else None
    step = plain.Step(*reference, real, plain.Weights(waveform=10.0, spectrogram=0.05))
    expected_fake = reference[0](noise, coarse)
    expected = step.discriminator_loss(expected_fake, 0.3)

    generator.train()
    discriminator.train()
    fake = generator(noise, coarse)
    critic = discriminator.ready(real)
    adversarial = critic_loss(critic(real), critic(fake.detach()))
    penalty = gradient_penalty(critic.input_gradient, real, fake, 0.3)
    (adversarial + penalty).backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(fake, expected_fake, rtol=TOLERANCE, atol=TOLERANCE)
    torch.testing.assert_close(adversarial.detach(), expected["critic"], rtol=TOLERANCE, atol=1e-6)
    torch.testing.assert_close(penalty.detach(), expected["gradient_penalty"], rtol=TOLERANCE, atol=0)
    assert_same_gradients(discriminator, reference[1], tolerance)

    expected = step.generator_loss(expected_fake, reconstruction_noise, coarse)
    discriminator.requires_grad_(False)
    adversarial = generator_loss(discriminator.ready(fake)(fake))
    result = generator(reconstruction_noise, coarse)
    reconstruction = 10.0 * waveform_loss(real, result) + 0.05 * multi_scale_spectrogram_loss(real, result)
    (adversarial + reconstruction).backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(adversarial.detach(), expected["adversarial"], rtol=TOLERANCE, atol=1e-6)
    torch.testing.assert_close(reconstruction.detach(), expected["reconstruction"], rtol=TOLERANCE, atol=0)
    assert_same_gradients(generator, reference[0], tolerance)
    for ours, theirs in zip(generator.buffers(), reference[0].buffers(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=TOLERANCE, atol=1e-5)


@pytest.mark.parametrize("dilation", [1, 4, 128, 256])
@pytest.mark.parametrize("channels", [(40, 33), (1, 40), (40, 1), (2, 40), (40, 2)])
def test_convolution_and_its_gradients_against_torch(dilation: int, channels: tuple[int, int]) -> None:
    random = torch.Generator().manual_seed(0)
    weight = torch.randn(channels[1], channels[0], 9, generator=random, dtype=torch.float64).requires_grad_()
    x = torch.randn(8 * dilation + 77, channels[0], generator=random, dtype=torch.float64).requires_grad_()
    h = torch.randn(x.shape, generator=random, dtype=torch.float64)
    g = torch.randn(77, channels[1], generator=random, dtype=torch.float64).requires_grad_()
    fast = convolution(weight, dilation)
    assert isinstance(fast, FastConvolution) == (min(channels) > 2)

    y = F.conv1d(x.t()[None], weight, dilation=dilation)[0].t()
    torch.testing.assert_close(fast(x), y)
    expected = torch.autograd.grad(y, (x, weight), g)
    torch.testing.assert_close(torch.autograd.grad(fast(x), (x, weight), g, retain_graph=True), expected)

    transposed = F.conv_transpose1d(g.t()[None], weight, dilation=dilation)[0].t()
    torch.testing.assert_close(fast.transpose(g), transposed)
    expected = torch.autograd.grad(transposed, (g, weight), h)
    torch.testing.assert_close(torch.autograd.grad(fast.transpose(g), (g, weight), h), expected)


@pytest.mark.parametrize("samples", [1, 15, 16, 17, 2048, 2049])
def test_convolution_of_any_length(samples: int) -> None:
    weight, x = torch.randn(32, 32, 9), torch.randn(samples + 8, 32)
    torch.testing.assert_close(
        FastConvolution(weight, 1)(x), F.conv1d(x.t()[None], weight)[0].t(), rtol=1e-5, atol=1e-4
    )


def test_convolution_is_as_exact_as_the_direct_form() -> None:
    weight, x = torch.randn(96, 96, 9), torch.randn(3000, 96)
    exact = F.conv1d(x.t()[None].double(), weight.double())[0].t()
    error = (FastConvolution(weight, 1)(x) - exact).norm() / exact.norm()
    assert error < 1e-6


def test_normalised_activation_against_autograd() -> None:
    random = torch.Generator().manual_seed(0)
    y = (1 + torch.randn(2500, 5, generator=random, dtype=torch.float64)).requires_grad_()
    gain, offset = torch.randn(2, 5, generator=random, dtype=torch.float64).unbind()
    gain.requires_grad_()
    offset.requires_grad_()
    dz = torch.randn(y.shape, generator=random, dtype=torch.float64).requires_grad_()
    h = torch.randn(y.shape, generator=random, dtype=torch.float64)
    fast = NormalisedActivation(y, gain, offset, eps=1e-5, slope=0.2)

    z = F.leaky_relu(F.batch_norm(y.t()[None], None, None, gain, offset, training=True), 0.2)[0].t()
    torch.testing.assert_close(fast.output(), z)
    expected = torch.autograd.grad(z, (y, gain, offset), dz, create_graph=True)
    torch.testing.assert_close(torch.autograd.grad(fast.output(), (y, gain, offset), dz), expected)
    torch.testing.assert_close(fast.input_gradient(dz), expected[0])
    second = torch.autograd.grad((expected[0] * h).sum(), (dz, y, gain))
    torch.testing.assert_close(torch.autograd.grad((fast.input_gradient(dz) * h).sum(), (dz, y, gain)), second)


def test_stack_in_evaluation_mode_against_its_modules() -> None:
    stack = DilatedStack(1, 33, 34, 5)
    stack(torch.randn(1, 1, 2000))  # gives the normalisation its statistics
    stack.eval()
    x = torch.randn(1, 1, 900)
    torch.testing.assert_close(FastStack(stack)(x[0].t()).t()[None], stack(x), rtol=1e-4, atol=1e-5)


def test_long_signals_are_generated_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    generator, _ = random_networks(1, 33, 5)
    generator(random_signal(1, 3000, 0), None)  # gives the normalisation its statistics
    folded = generator.folded()
    signal = random_signal(1, 2500, 1)
    with torch.inference_mode():
        whole = folded(signal, None)
        monkeypatch.setattr("caw_toolkit.generators.dilated.BLOCK_SAMPLES", 700)
        torch.testing.assert_close(folded(signal, None), whole, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(generator.eval()(signal, None), whole, rtol=1e-4, atol=1e-5)
