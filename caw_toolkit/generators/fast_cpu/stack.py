"""The dilated networks' fast path on the CPU: the same function as their modules', in other operations.

A `FastStack` is made from a network's stack for one training step, or for generation: the weight normalisation and the
transforms of the kernels are computed once, however often the stack is then run. Signals are `(samples, channels)`
inside; the convolutions are those of `convolution`, the normalisations those of `batch_norm`.

`FastStack.input_gradient` writes the gradient penalty's inner gradient out as a computation of its own, so that
differentiating it takes one ordinary backward pass, without the generic double backward of each module.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from caw_toolkit.generators.fast_cpu.batch_norm import NormalisedActivation
from caw_toolkit.generators.fast_cpu.convolution import TAPS, FastConvolution, TapConvolution

#: Narrower convolutions gain nothing from the transforms.
LEAST_CHANNELS = 32


def is_fast(x: Tensor, hidden_channels: int) -> bool:
    """Whether a stack of `hidden_channels` runs faster here than as modules: one wide signal on the CPU."""
    return x.device.type == "cpu" and x.shape[0] == 1 and hidden_channels >= LEAST_CHANNELS


def convolution(weight: Tensor, dilation: int) -> FastConvolution | TapConvolution:
    """The convolution for a kernel of this shape."""
    if min(weight.shape[:2]) >= LEAST_CHANNELS and weight.shape[2] == TAPS:
        return FastConvolution(weight, dilation)
    return TapConvolution(weight, dilation)


@dataclass(frozen=True)
class _Layer:
    """A convolution, and what follows it."""

    convolution: FastConvolution | TapConvolution
    bias: Tensor
    norm: nn.BatchNorm1d | None = None
    slope: float = 1.0

    def output(self, y: Tensor) -> Tensor:
        """What follows the convolution, for its output without bias."""
        if self.norm is None:
            return y + self.bias if self.slope == 1.0 else F.leaky_relu_(y + self.bias, self.slope)
        if self.norm.training:
            return self.activation(y).output()
        assert self.norm.running_mean is not None
        assert self.norm.running_var is not None
        factor = self.norm.weight * torch.rsqrt(self.norm.running_var + self.norm.eps)
        shift = (self.bias - self.norm.running_mean) * factor + self.norm.bias
        return F.leaky_relu_(torch.addcmul(shift, y, factor), self.slope)

    def activation(self, y: Tensor) -> NormalisedActivation:
        """Normalisation with the signal's statistics, whatever the bias; the running statistics learn of both."""
        assert self.norm is not None
        result = NormalisedActivation(y, self.norm.weight, self.norm.bias, eps=self.norm.eps, slope=self.slope)
        _update_running_statistics(self.norm, result.mean + self.bias.detach(), result.variance, len(y))
        return result


class FastStack:
    """A stack of dilated convolutions, ready to be run several times with its present weights.

    Args:
        stack: of `torch.nn.Conv1d`, `BatchNorm1d` and `LeakyReLU`.
    """

    def __init__(self, stack: nn.Sequential) -> None:
        self._layers: list[_Layer] = []
        for module, norm, activation in _group(stack):
            assert module.bias is not None
            fast = convolution(module.weight, module.dilation[0])
            slope = activation.negative_slope if activation is not None else 1.0
            self._layers.append(_Layer(fast, module.bias, norm, slope))

    def __call__(self, x: Tensor) -> Tensor:
        """The stack's output: `(samples, channels) -> (samples - span, channels)`."""
        for layer in self._layers:
            x = layer.output(layer.convolution(x))
        return x

    def input_gradient(self, x: Tensor, output_gradient: Tensor) -> Tensor:
        """The gradient of the input, in training mode; differentiable by the weights.

        Args:
            x: input.
            output_gradient: gradient of the output.

        Shape:
            x and the result: `(samples, channels)`; output_gradient: `(samples - span, channels)`
        """
        *inner, last = self._layers
        activations = []
        for layer in inner:
            activations.append(layer.activation(layer.convolution(x)))
            x = activations[-1].output()
        gradient = last.convolution.transpose(output_gradient)
        for layer, activation in zip(reversed(inner), reversed(activations), strict=True):
            gradient = layer.convolution.transpose(activation.input_gradient(gradient))
        return gradient


def _group(stack: nn.Sequential) -> list[tuple[nn.Conv1d, nn.BatchNorm1d | None, nn.LeakyReLU | None]]:
    """Each convolution with the normalisation and the activation that follow it."""
    groups: list[tuple[nn.Conv1d, nn.BatchNorm1d | None, nn.LeakyReLU | None]] = []
    for module in stack:
        if isinstance(module, nn.Conv1d):
            groups.append((module, None, None))
        elif isinstance(module, nn.BatchNorm1d):
            groups[-1] = (groups[-1][0], module, None)
        elif isinstance(module, nn.LeakyReLU):
            groups[-1] = (*groups[-1][:2], module)
    return groups


@torch.no_grad()
def _update_running_statistics(norm: nn.BatchNorm1d, mean: Tensor, variance: Tensor, count: int) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.num_batches_tracked is not None
    assert norm.momentum is not None
    norm.running_mean.lerp_(mean, norm.momentum)
    norm.running_var.lerp_(variance * (count / (count - 1)), norm.momentum)
    norm.num_batches_tracked += 1
