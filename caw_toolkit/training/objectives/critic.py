"""The paper's discriminator, and how both networks are initialised (section 3 and supplement A.3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from caw_toolkit.generators.dilated import PRE_EMPHASIS, WEIGHT_STD, DilatedStack, pre_emphasis, stack_span
from caw_toolkit.generators.fast_cpu.stack import FastStack, is_fast
from caw_toolkit.training.losses import input_gradient


class DilatedDiscriminator(nn.Module):
    """The paper's discriminator of one scale: a dilated stack with one output channel, then pre-emphasis.

    Args:
        audio_channels: of the signal.
        hidden_channels: of the convolutions.
        blocks: dilated convolutions.
    """

    def __init__(self, *, audio_channels: int = 1, hidden_channels: int = 96, blocks: int = 8) -> None:
        super().__init__()
        #: Least number of samples that can be scored.
        self.minimum_samples = stack_span(blocks) + 1
        self.stack = DilatedStack(audio_channels, hidden_channels, 1, blocks)
        self._hidden_channels = hidden_channels

    def ready(self, example: Tensor) -> Critic:
        """The discriminator with its present weights, in the fastest form for inputs like `example`."""
        return FastCritic(self) if is_fast(example, self._hidden_channels) else Critic(self)

    def forward(self, x: Tensor) -> Tensor:
        """Score every window of `minimum_samples` samples.

        Shape:
            `(batch, audio_channels, samples) -> (batch, 1, samples - minimum_samples + 1)`
        """
        return pre_emphasis(self.stack(x))


class Critic:
    """A discriminator with the weights that it has when this is made.

    Args:
        discriminator: in training mode.
    """

    def __init__(self, discriminator: DilatedDiscriminator) -> None:
        self._discriminator = discriminator

    def __call__(self, x: Tensor) -> Tensor:
        """The scores: as `DilatedDiscriminator.forward`."""
        return self._discriminator(x)  # type: ignore[no-any-return]

    def input_gradient(self, x: Tensor) -> Tensor:
        """The gradient of the sum of the scores, as long as `x`; differentiable by the weights."""
        return input_gradient(self, x)


class FastCritic(Critic):
    """A `Critic` of one signal, as a `FastStack`."""

    def __init__(self, discriminator: DilatedDiscriminator) -> None:
        super().__init__(discriminator)
        self._stack = FastStack(discriminator.stack)

    def __call__(self, x: Tensor) -> Tensor:
        return pre_emphasis(self._stack(x[0].t()).t()[None])

    def input_gradient(self, x: Tensor) -> Tensor:
        scores = x.shape[-1] - self._discriminator.minimum_samples + 1
        emphasis = x.new_full((scores, 1), 1 - PRE_EMPHASIS)
        emphasis[-1] = 1.0  # no later score subtracts from the last
        return self._stack.input_gradient(x[0].detach().t(), emphasis).t()[None]


@torch.no_grad()
def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights as the paper does: convolutions from N(0, 0.02), batch-norm scales from N(1, 0.02), biases zero.

    Args:
        network: changed in place; must be on the CPU, like `generator`.
        generator: random state to draw from.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv1d):
            weight = torch.empty_like(module.weight).normal_(0.0, WEIGHT_STD, generator=generator)
            if parametrize.is_parametrized(module, "weight"):
                module.weight = weight  # sets the direction and the norm
            else:
                module.weight.copy_(weight)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.BatchNorm1d):
            module.weight.normal_(1.0, WEIGHT_STD, generator=generator)
            module.bias.zero_()
