"""Batch normalisation with a leaky ReLU in one step, its gradient, and the gradient of that.

The statistics are the signal's own, as in training. The input's gradient is a differentiable operation too, because
the gradient penalty differentiates it. Only the input is kept for the gradients: everything else is computed anew, in
blocks that stay in the cache, which takes less time than reading it back from memory would.

With normalised input n = r (y - mean), r = 1 / sqrt(variance + eps), u = gain n + offset, z = leaky(u), the gradient is

    dy = gain r P(q),  q = leaky'(u) dz,  P(v) = v - mean(v) - n mean(v n).

P is symmetric, so a gradient h of dy goes back to dz through the same steps in reverse order. With the means
a = mean(q n), b = mean(h n) and c = mean(h q) - mean(h) mean(q) - a b, it also gives y the gradient

    gain r^2 (2 a b n - c n - b (q - mean(q)) - a (h - mean(h)))

and `gain` the gradient r N c, for N samples.

Signals are `(samples, channels)`; statistics and parameters `(channels,)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

#: Samples of a block.
BLOCK_SAMPLES = 1024


def moments(y: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of every channel."""
    total = torch.zeros(y.shape[1], dtype=torch.float64)
    squares = torch.zeros_like(total)
    for (rows,) in _blocks(y.detach()):
        total += rows.sum(0)
        squares += rows.square().sum(0)
    mean = total / len(y)
    return mean.to(y), (squares / len(y) - mean.square()).clamp_min(0).to(y)


class NormalisedActivation:
    """Batch normalisation and leaky ReLU of one signal, with the signal's statistics.

    Args:
        y: signal, whose statistics are taken.
        gain: of the batch normalisation.
        offset: of the batch normalisation.
        eps: added to the variance.
        slope: of the leaky ReLU below zero.
    """

    def __init__(self, y: Tensor, gain: Tensor, offset: Tensor, *, eps: float, slope: float) -> None:
        self.mean, self.variance = moments(y)
        self._y, self._gain, self._offset, self._slope = y, gain, offset, slope
        self._scale = (self.variance + eps).rsqrt()

    def output(self) -> Tensor:
        """The activation."""
        arguments = (self._y, self._gain, self._offset, self.mean, self._scale, self._slope)
        return _Activate.apply(*arguments)  # type: ignore[no-any-return]

    def input_gradient(self, dz: Tensor) -> Tensor:
        """The gradient of the signal, given that of the activation; differentiable."""
        arguments = (dz, self._y, self._gain, self._offset, self.mean, self._scale, self._slope)
        return _Gradient.apply(*arguments)  # type: ignore[no-any-return]


class _Activate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, gain: Tensor, offset: Tensor, mean: Tensor, r: Tensor, slope: float) -> Tensor:
        ctx.save_for_backward(y, gain, offset, mean, r)
        ctx.slope = slope
        factor, shift = gain * r, offset - gain * r * mean
        z = torch.empty_like(y)
        for rows, out in _blocks(y, z):
            torch.addcmul(shift, rows, factor, out=out)
            torch.nn.functional.leaky_relu_(out, slope)
        return z

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dz: Tensor) -> tuple[Tensor | None, ...]:
        y, gain, offset, mean, r = ctx.saved_tensors
        dy, d_gain, d_offset = _input_gradient(dz, y, gain, offset, mean, r, ctx.slope)
        return dy, d_gain, d_offset, None, None, None


class _Gradient(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, dz: Tensor, y: Tensor, gain: Tensor, offset: Tensor, mean: Tensor, r: Tensor, slope: float
    ) -> Tensor:
        ctx.save_for_backward(dz, y, gain, offset, mean, r)
        ctx.slope = slope
        return _input_gradient(dz, y, gain, offset, mean, r, slope)[0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, h: Tensor) -> tuple[Tensor | None, ...]:
        dz, y, gain, offset, mean, r = ctx.saved_tensors
        d_dz, dy, d_gain = _second_gradient(h, dz, y, gain, offset, mean, r, ctx.slope)
        return d_dz, dy, d_gain, None, None, None, None


def _input_gradient(
    dz: Tensor, y: Tensor, gain: Tensor, offset: Tensor, mean: Tensor, r: Tensor, slope: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of the input, the gain and the offset."""
    factor, shift = gain * r, offset - gain * r * mean
    dy = torch.empty_like(y)  # holds q first
    scratch = y.new_empty(BLOCK_SAMPLES, y.shape[1])
    sum_q, sum_qy = torch.zeros(2, y.shape[1], dtype=torch.float64)
    # First pass: q and the sums over the whole signal that P subtracts.
    for d_rows, rows, q in _blocks(dz, y, dy):
        u = torch.addcmul(shift, rows, factor, out=scratch[: len(rows)])
        _leaky_gradient(d_rows, u, slope, out=q)
        sum_q += q.sum(0)
        sum_qy += torch.mul(q, rows, out=u).sum(0)
    sum_qn = (r * (sum_qy - mean * sum_q)).to(y)
    mean_q, a = (sum_q / len(y)).to(y), sum_qn / len(y)
    of_y, constant = -factor * a * r, factor * (a * r * mean - mean_q)
    # Second pass: gain r (q - mean(q) - n a), with n written in terms of y: one multiple of y and a constant.
    for rows, out in _blocks(y, dy):
        others = torch.addcmul(constant, rows, of_y, out=scratch[: len(rows)])
        torch.addcmul(others, out, factor, out=out)
    return dy, sum_qn, sum_q.to(y)


def _second_gradient(
    h: Tensor, dz: Tensor, y: Tensor, gain: Tensor, offset: Tensor, mean: Tensor, r: Tensor, slope: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of `dz`, `y` and the gain, from the gradient `h` of the input's gradient."""
    factor, shift = gain * r, offset - gain * r * mean
    sum_q, sum_qy, sum_h, sum_hy, sum_hq = torch.zeros(5, y.shape[1], dtype=torch.float64)
    first, second = y.new_empty(2, BLOCK_SAMPLES, y.shape[1])
    # First pass: the five sums that a, b and c are made of; q is not kept but computed again below.
    for h_rows, d_rows, rows in _blocks(h, dz, y):
        q, product = first[: len(rows)], second[: len(rows)]
        torch.addcmul(shift, rows, factor, out=product)
        _leaky_gradient(d_rows, product, slope, out=q)
        sum_q += q.sum(0)
        sum_qy += torch.mul(q, rows, out=product).sum(0)
        sum_h += h_rows.sum(0)
        sum_hy += torch.mul(h_rows, rows, out=product).sum(0)
        sum_hq += torch.mul(h_rows, q, out=product).sum(0)
    mean_q, mean_h = (sum_q / len(y)).to(y), (sum_h / len(y)).to(y)
    a = (r * (sum_qy - mean * sum_q) / len(y)).to(y)
    b = (r * (sum_hy - mean * sum_h) / len(y)).to(y)
    c = (sum_hq / len(y)).to(y) - mean_h * mean_q - a * b
    # Both results are sums of multiples of q, h and y, and constants.
    h_of_y, h_constant = -factor * b * r, factor * (b * r * mean - mean_h)
    outer = gain * r.square()
    y_of_y = outer * (2 * a * b - c) * r
    y_constant = outer * (b * mean_q + a * mean_h) - y_of_y * mean
    y_of_q, y_of_h = -outer * b, -outer * a
    d_dz, dy = torch.empty_like(y), torch.empty_like(y)
    for h_rows, d_rows, rows, d_out, y_out in _blocks(h, dz, y, d_dz, dy):
        u, product = first[: len(rows)], second[: len(rows)]
        torch.addcmul(shift, rows, factor, out=u)
        torch.addcmul(h_constant, h_rows, factor, out=product).addcmul_(rows, h_of_y)
        _leaky_gradient(product, u, slope, out=d_out)
        torch.addcmul(y_constant, rows, y_of_y, out=y_out).addcmul_(h_rows, y_of_h)
        y_out.addcmul_(_leaky_gradient(d_rows, u, slope, out=product), y_of_q)
    return d_dz, dy, r * len(y) * c


def _leaky_gradient(gradient: Tensor, u: Tensor, slope: float, *, out: Tensor) -> Tensor:
    return torch.ops.aten.leaky_relu_backward.grad_input(  # type: ignore[no-any-return]
        gradient, u, slope, False, grad_input=out
    )


def _blocks(*signals: Tensor) -> Iterator[tuple[Tensor, ...]]:
    return zip(*(torch.split(signal, BLOCK_SAMPLES) for signal in signals), strict=True)
