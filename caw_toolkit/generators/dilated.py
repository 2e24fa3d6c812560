"""The paper's generator and discriminator: stacks of dilated convolutions (section 3 and supplement A.3).

Block i of a stack is a weight-normalised convolution of kernel 9 and dilation 2**i without padding; all but the last
are followed by batch normalisation and a leaky ReLU. With b blocks a stack's output is `8 * (2**b - 1)` samples shorter
than its input: 2040 samples with the paper's 8, what the paper calls the receptive field. A block more or less doubles
or halves it. The generator pads its input with as many zeros, half at each end, so that its output is as long as the
signal; near the ends of a clip these zeros tell it where it is (supplement A.4).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.parametrize import is_parametrized

from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.generators.fast_cpu.stack import FastStack, convolution, is_fast

KERNEL_SIZE = 9
LEAKY_SLOPE = 0.2
PRE_EMPHASIS = 0.97
WEIGHT_STD = 0.02
#: Long signals are generated in blocks of this length.
BLOCK_SAMPLES = 16384

_GATE_PADDING = KERNEL_SIZE // 2
_PRE_EMPHASIS_PADDING = 1
#: The convolutions after the stack.
_GATE = ("gate_tanh", "gate_sigmoid", "output")


def stack_span(blocks: int) -> int:
    """Samples by which a stack of dilated convolutions shortens its input.

    >>> stack_span(8)
    2040
    """
    return (KERNEL_SIZE - 1) * ((1 << blocks) - 1)


def pre_emphasis(x: Tensor) -> Tensor:
    """Filter every channel with [1, -0.97], starting from rest: as long as the input.

    Shape:
        `(..., samples) -> (..., samples)`
    """
    return x - PRE_EMPHASIS * F.pad(x, (1, 0))[..., :-1]


class DilatedStack(nn.Sequential):
    """Dilated convolutions, each but the last with batch normalisation and a leaky ReLU.

    Args:
        in_channels: of the input.
        hidden_channels: of all layers but the last.
        out_channels: of the last layer.
        blocks: convolutions.

    Shape:
        `(batch, in_channels, samples) -> (batch, out_channels, samples - stack_span(blocks))`
    """

    def __init__(self, in_channels: int, hidden_channels: int, out_channels: int, blocks: int) -> None:
        super().__init__()
        for block in range(blocks):
            last = block == blocks - 1
            convolution = nn.Conv1d(
                in_channels if block == 0 else hidden_channels,
                out_channels if last else hidden_channels,
                KERNEL_SIZE,
                dilation=2**block,
            )
            self.append(weight_norm(convolution))
            if not last:
                self.append(nn.BatchNorm1d(hidden_channels))
                self.append(nn.LeakyReLU(LEAKY_SLOPE))


class DilatedGenerator(ScaleGenerator):
    """The paper's generator of one scale (equation 2, figures 5 and 14).

    Dilated stack, gated unit (tanh times sigmoid, each after a convolution of kernel 9), 1x1 convolution, pre-emphasis,
    plus the upsampled coarser signal. All convolutions are weight-normalised: 11,282,272 parameters in 16 scales.

    Args:
        audio_channels: of the signal.
        hidden_channels: of the convolutions; the paper takes 16 at the coarsest scale and 96 at the others.
        blocks: dilated convolutions; 8 in the paper.
        normalised_gate: whether the convolutions after the stack are weight-normalised, too, as the published ones are.
    """

    memorises_edges = True  # by the zeros around the signal

    def __init__(
        self,
        *,
        audio_channels: int = 1,
        hidden_channels: int = 96,
        blocks: int = 8,
        normalised_gate: bool = True,
    ) -> None:
        super().__init__()
        self.architecture: dict[str, Any] = {
            "type": "dilated",
            "audio_channels": audio_channels,
            "hidden_channels": hidden_channels,
            "blocks": blocks,
            "normalised_gate": normalised_gate,
        }
        #: Zeros before and after the input.
        self.padding = stack_span(blocks) // 2
        #: Samples on each side of an output sample that the layers after the stack look at.
        self.output_context = _GATE_PADDING + _PRE_EMPHASIS_PADDING
        self.receptive_field = stack_span(blocks) + 2 * self.output_context
        self.stack: nn.Sequential = DilatedStack(audio_channels, hidden_channels, hidden_channels, blocks)
        normalised = weight_norm if normalised_gate else _unchanged
        self.gate_tanh = normalised(_gate_convolution(hidden_channels))
        self.gate_sigmoid = normalised(_gate_convolution(hidden_channels))
        self.output = normalised(nn.Conv1d(hidden_channels, audio_channels, 1))

    def forward(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        """Equation (2): the coarser signal plus the detail that its zero-padded sum with the noise gives.

        Args:
            noise: white Gaussian noise of the scale's standard deviation.
            coarse: upsampled coarser signal; None at the coarsest scale.

        Shape:
            noise, coarse and the result: `(batch, audio_channels, samples)`
        """
        if coarse is None:
            return self.detail(F.pad(noise, (self.padding, self.padding)))
        return self.detail(F.pad(noise + coarse, (self.padding, self.padding))) + coarse

    def detail(self, padded: Tensor) -> Tensor:
        """What the generator adds to the coarser signal.

        Args:
            padded: noise plus coarser signal, with `padding` samples more at each end: zeros at the ends of a signal,
                its neighbouring samples inside it.

        Shape:
            `(batch, audio_channels, samples + 2 * padding) -> (batch, audio_channels, samples)`
        """
        if not is_fast(padded, self.architecture["hidden_channels"]):
            return self._modules_detail(padded)
        fast = FastDetail(self)
        return fast(padded) if self.training or torch.is_grad_enabled() else self._in_blocks(fast, padded)

    def _modules_detail(self, padded: Tensor) -> Tensor:
        x = self.stack(padded)  # (batch, hidden_channels, samples)
        x = torch.tanh(self.gate_tanh(x)) * torch.sigmoid(self.gate_sigmoid(x))
        return pre_emphasis(self.output(x))

    def _in_blocks(self, detail: FastDetail, padded: Tensor) -> Tensor:
        """A long signal block by block, each with its surroundings: the same signal, in less memory and less time."""
        samples = padded.shape[-1] - 2 * self.padding
        parts = []
        for start in range(0, samples, BLOCK_SAMPLES):
            stop = min(start + BLOCK_SAMPLES, samples)
            first, last = max(0, start - self.output_context), min(samples, stop + self.output_context)
            block = detail(padded[..., first : last + 2 * self.padding])
            parts.append(block[..., start - first : stop - first])
        return torch.cat(parts, dim=-1)

    def __reduce_ex__(self, protocol: Any) -> str | tuple[Any, ...]:
        """Normalised weights cannot be pickled as they are: a generator that has any goes as its state."""
        if not any(is_parametrized(module) for module in self.modules()):
            return super().__reduce_ex__(protocol)
        state = {name: value.detach() for name, value in self.state_dict().items()}
        trainable = any(parameter.requires_grad for parameter in self.parameters())
        return _rebuilt, (type(self), self.architecture, state, self.training, trainable)

    def __deepcopy__(self, memo: dict[int, Any]) -> DilatedGenerator:
        made = type(self).__new__(type(self))
        memo[id(self)] = made
        made.__dict__ = copy.deepcopy(self.__dict__, memo)
        return made

    @torch.no_grad()
    def folded(self) -> DilatedGenerator:
        """A copy in evaluation mode, with weight and batch normalisation folded into plain convolutions."""
        result = copy.deepcopy(self).eval()
        result.stack = folded_stack(result.stack)
        for name in _GATE:
            setattr(result, name, _plain_convolution(getattr(result, name)))
        return result.eval().requires_grad_(False)


def _rebuilt(
    kind: type[DilatedGenerator],
    architecture: Mapping[str, Any],
    state: Mapping[str, Tensor],
    training: bool,
    trainable: bool,
) -> DilatedGenerator:
    """A generator by its state; what is drawn to initialise it leaves torch's random numbers as they were."""
    with torch.random.fork_rng(devices=[]):
        made = kind(**{name: value for name, value in architecture.items() if name != "type"})
    made.to(next(iter(state.values())).device).load_state_dict(state)
    return made.train(training).requires_grad_(trainable)


class FastDetail:
    """`DilatedGenerator.detail` of one signal on the CPU, with the weights that the generator has when this is made."""

    def __init__(self, generator: DilatedGenerator) -> None:
        gates = (generator.gate_tanh, generator.gate_sigmoid)
        self._stack = FastStack(generator.stack)
        self._gates = convolution(torch.cat([gate.weight for gate in gates]), 1)
        self._gate_bias = torch.cat([_bias(gate) for gate in gates])
        self._output = generator.output

    def __call__(self, padded: Tensor) -> Tensor:
        """As `DilatedGenerator.detail`, for a batch of one."""
        x = self._stack(padded[0].t())  # (samples, hidden_channels)
        both = self._gates(F.pad(x, (0, 0, _GATE_PADDING, _GATE_PADDING))) + self._gate_bias
        tanh, sigmoid = both.chunk(2, dim=1)
        x = F.linear(torch.tanh(tanh) * torch.sigmoid(sigmoid), self._output.weight[..., 0], self._output.bias)
        return pre_emphasis(x.t()[None])


@torch.no_grad()
def folded_stack(stack: nn.Sequential) -> nn.Sequential:
    """The function of a stack in evaluation mode with its normalisations folded into plain convolutions."""
    layers: list[nn.Module] = []
    for layer in stack:
        if isinstance(layer, nn.Conv1d):
            layers.append(_plain_convolution(layer))
        elif isinstance(layer, nn.BatchNorm1d):
            _fold_batch_norm(layers[-1], layer)
        else:
            layers.append(layer)
    return nn.Sequential(*layers).eval()


def with_normalised_gate(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of a generator whose gate has plain weights, for one whose gate is weight-normalised.

    The same function: a weight is its own direction, of its own norm.
    """
    result = dict(state)
    for name in _GATE:
        weight = result.pop(f"{name}.weight", None)
        if weight is not None:
            result[f"{name}.parametrizations.weight.original0"] = torch.norm_except_dim(weight, 2, 0)
            result[f"{name}.parametrizations.weight.original1"] = weight
    return result


def has_plain_gate(state: Mapping[str, Tensor]) -> bool:
    """Whether a generator's state is of one whose gate has plain weights."""
    return f"{_GATE[0]}.weight" in state


def _gate_convolution(channels: int) -> nn.Conv1d:
    return nn.Conv1d(channels, channels, KERNEL_SIZE, padding=_GATE_PADDING)


def _unchanged(convolution: nn.Conv1d) -> nn.Conv1d:
    return convolution


def _bias(convolution: nn.Conv1d) -> Tensor:
    assert convolution.bias is not None
    return convolution.bias


def _plain_convolution(convolution: nn.Conv1d) -> nn.Conv1d:
    weight = convolution.weight
    plain = nn.Conv1d(
        convolution.in_channels,
        convolution.out_channels,
        convolution.kernel_size[0],
        padding=convolution.padding[0],
        dilation=convolution.dilation[0],
        device=weight.device,
        dtype=weight.dtype,
    )
    plain.weight.copy_(weight)
    assert plain.bias is not None
    assert convolution.bias is not None
    plain.bias.copy_(convolution.bias)
    return plain


def _fold_batch_norm(convolution: nn.Module, norm: nn.BatchNorm1d) -> None:
    assert isinstance(convolution, nn.Conv1d)
    assert convolution.bias is not None
    assert norm.running_mean is not None
    assert norm.running_var is not None
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    convolution.weight.mul_(gain[:, None, None])
    convolution.bias.copy_((convolution.bias - norm.running_mean) * gain + norm.bias)
