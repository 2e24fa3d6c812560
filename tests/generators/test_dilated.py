"""The paper's networks: sizes, receptive fields, padding, folding."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from torch import nn
from torch.nn import functional as F

from caw_toolkit.generators.dilated import (
    DilatedGenerator,
    DilatedStack,
    has_plain_gate,
    pre_emphasis,
    stack_span,
    with_normalised_gate,
)
from caw_toolkit.generators.registry import build_generator
from caw_toolkit.training.objectives.critic import DilatedDiscriminator, initialise


def used(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network after some training: weights away from zero and its own batch statistics."""
    random = torch.Generator().manual_seed(seed)
    initialise(network, random)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if not name.endswith("original0"):  # a norm has to stay positive
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=random))
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(generator=random)
                module.running_var.uniform_(0.5, 2.0, generator=random)
    return network.eval()


def dependence(network: nn.Module, x: torch.Tensor, output_sample: int) -> tuple[int, int]:
    """First and last input sample that an output sample depends on."""
    x = x.clone().requires_grad_(True)
    network(x)[0, 0, output_sample].backward()
    assert x.grad is not None
    touched = x.grad[0, 0].nonzero()
    return int(touched.min()), int(touched.max())


@pytest.mark.parametrize(("blocks", "span"), [(1, 8), (7, 1016), (8, 2040), (9, 4088)])
def test_stack_span(blocks: int, span: int) -> None:
    assert stack_span(blocks) == span


def test_the_stack_has_the_papers_receptive_field() -> None:
    stack = used(DilatedStack(1, 4, 4, 8)).double()
    x = torch.randn(1, 1, 2100, dtype=torch.float64)
    assert stack(x).shape == (1, 4, 60)
    assert dependence(stack, x, 10) == (10, 10 + 2040)


def test_generator_receptive_field_by_perturbation() -> None:
    generator = used(DilatedGenerator(hidden_channels=4)).double()
    assert isinstance(generator, DilatedGenerator)
    noise = torch.randn(1, 1, 4000, dtype=torch.float64)
    before = generator(noise, None)
    noise[0, 0, 2000] += 10
    changed = (generator(noise, None) - before)[0, 0].nonzero()
    assert int(changed.max() - changed.min()) + 1 == generator.receptive_field == 2040 + 10
    assert int(changed.min()) >= 2000 - generator.receptive_field // 2
    assert int(changed.max()) <= 2000 + generator.receptive_field // 2


def test_generator_keeps_the_length_and_adds_to_the_coarser_signal() -> None:
    generator = used(DilatedGenerator(audio_channels=2, hidden_channels=4, blocks=4))
    noise, coarse = torch.randn(3, 2, 100), torch.randn(3, 2, 100)
    result = generator(noise, coarse)
    assert result.shape == (3, 2, 100)
    torch.testing.assert_close(result, generator(noise + coarse, None) + coarse)


def test_generator_against_its_formula() -> None:
    """The layers written out with functions and effective weights."""
    generator = used(DilatedGenerator(hidden_channels=3, blocks=3))
    assert isinstance(generator, DilatedGenerator)
    noise, coarse = torch.randn(1, 1, 200), torch.randn(1, 1, 200)
    x = F.pad(noise + coarse, (28, 28))
    for block in range(3):
        convolution: Any = generator.stack[3 * block]
        direction = convolution.parametrizations.weight.original1
        norm = convolution.parametrizations.weight.original0
        weight = norm * direction / direction.square().sum((1, 2), keepdim=True).sqrt()
        x = F.conv1d(x, weight, convolution.bias, dilation=2**block)
        if block < 2:
            batch_norm: Any = generator.stack[3 * block + 1]
            x = (x - batch_norm.running_mean[:, None]) / (batch_norm.running_var[:, None] + 1e-5).sqrt()
            x = x * batch_norm.weight[:, None] + batch_norm.bias[:, None]
            x = torch.where(x > 0, x, 0.2 * x)
    gates = [F.conv1d(F.pad(x, (4, 4)), g.weight, g.bias) for g in (generator.gate_tanh, generator.gate_sigmoid)]
    x = F.conv1d(gates[0].tanh() * gates[1].sigmoid(), generator.output.weight, generator.output.bias)
    emphasised = scipy.signal.lfilter([1, -0.97], [1], x.detach().numpy())
    expected = torch.from_numpy(emphasised.astype(np.float32)) + coarse
    torch.testing.assert_close(generator(noise, coarse), expected, atol=1e-4, rtol=1e-4)


def test_pre_emphasis_is_the_filter_from_rest() -> None:
    x = torch.randn(2, 3, 50, dtype=torch.float64)
    np.testing.assert_allclose(pre_emphasis(x).numpy(), scipy.signal.lfilter([1, -0.97], [1], x.numpy()), atol=1e-12)


def test_the_papers_pyramid_has_as_many_parameters_as_the_published_code() -> None:
    coarsest, other = DilatedGenerator(hidden_channels=16), DilatedGenerator(hidden_channels=96)
    counts = [sum(parameter.numel() for parameter in network.parameters()) for network in (coarsest, other)]
    # Weights, biases and weight-norm gains of all convolutions: dilated, gate, 1x1; and batch norm.
    by_hand = (1 * 96 * 9 + 7 * 96 * 96 * 9) + 8 * (96 + 96) + 7 * 2 * 96 + 2 * (96 * 96 * 9 + 96 + 96) + (96 + 1 + 1)
    assert counts[1] == by_hand
    assert counts[0] + 15 * counts[1] == 11_282_272


def test_a_plain_gate_becomes_a_normalised_one_of_the_same_function() -> None:
    """Models of earlier versions had plain weights there."""
    plain = used(DilatedGenerator(hidden_channels=8, blocks=4, normalised_gate=False))
    normalised = DilatedGenerator(hidden_channels=8, blocks=4).eval()
    assert has_plain_gate(plain.state_dict()) and not has_plain_gate(normalised.state_dict())
    normalised.load_state_dict(with_normalised_gate(plain.state_dict()))
    noise = torch.randn(1, 1, 500)
    torch.testing.assert_close(normalised(noise, None), plain(noise, None), rtol=1e-4, atol=1e-7)


def test_discriminator_scores_every_window() -> None:
    discriminator = used(DilatedDiscriminator(hidden_channels=4)).double()
    assert isinstance(discriminator, DilatedDiscriminator)
    x = torch.randn(1, 1, 2100, dtype=torch.float64)
    assert discriminator.minimum_samples == 2041
    assert discriminator(x).shape == (1, 1, 2100 - 2040)
    assert dependence(discriminator, x, 10) == (9, 10 + 2040)  # pre-emphasis looks one window back
    assert discriminator(x[..., :2041]).shape == (1, 1, 1)


@pytest.mark.parametrize("audio_channels", [1, 2])
def test_folding_keeps_the_function(audio_channels: int) -> None:
    generator = used(DilatedGenerator(audio_channels=audio_channels, hidden_channels=16))
    assert isinstance(generator, DilatedGenerator)
    state = copy.deepcopy(generator.state_dict())
    folded = generator.folded()
    noise, coarse = torch.randn(2, audio_channels, 3000), torch.randn(2, audio_channels, 3000)
    with torch.no_grad():
        expected = generator(noise, coarse)
        torch.testing.assert_close(folded(noise, coarse), expected, atol=1e-5, rtol=1e-5)
    assert not folded.training
    assert folded.architecture == generator.architecture
    assert folded.receptive_field == generator.receptive_field
    assert not any(isinstance(module, nn.BatchNorm1d) for module in folded.modules())
    assert not any("parametrizations" in name for name in folded.state_dict())
    torch.testing.assert_close(dict(generator.state_dict()), dict(state))


def test_architecture_makes_an_equal_generator() -> None:
    generator = used(DilatedGenerator(audio_channels=2, hidden_channels=8, blocks=5))
    assert isinstance(generator, DilatedGenerator)
    assert generator.architecture == {
        "type": "dilated",
        "audio_channels": 2,
        "hidden_channels": 8,
        "blocks": 5,
        "normalised_gate": True,
    }
    other = build_generator(generator.architecture).eval()
    other.load_state_dict(generator.state_dict())
    noise = torch.randn(1, 2, 300)
    torch.testing.assert_close(other(noise, None), generator(noise, None), rtol=0, atol=0)


def test_initialisation() -> None:
    networks = [DilatedDiscriminator(hidden_channels=64) for _ in range(2)]
    for network in networks:
        initialise(network, torch.Generator().manual_seed(3))
    torch.testing.assert_close(dict(networks[0].state_dict()), dict(networks[1].state_dict()), rtol=0, atol=0)
    for module in networks[0].modules():
        if isinstance(module, nn.Conv1d):
            assert float(module.weight.detach().std()) == pytest.approx(0.02, rel=0.1)
            assert module.bias is not None
            assert not module.bias.any()
        if isinstance(module, nn.BatchNorm1d):
            assert float(module.weight.detach().mean()) == pytest.approx(1, abs=0.02)
            assert float(module.weight.detach().std()) == pytest.approx(0.02, rel=0.5)
