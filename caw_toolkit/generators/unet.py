"""A small one-dimensional U-Net over frames, the network of the fast objectives.

Residual blocks of two convolutions; strided convolutions between levels; skip connections are added. Normalisation is
over channels only, never over time, so that the receptive field is finite and any stretch of a signal can be computed
by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Frames are reduced by this factor from level to level.
STRIDE = 4


class UNet(nn.Module):
    """Frames to frames.

    Args:
        in_channels: channels of the input frames.
        out_channels: channels of the output frames.
        widths: channels of each level, finest first.
        kernel_size: taps of each convolution, odd.
        blocks: residual blocks a level on the way down, and again on the way up.
        embedding: size of the embedding of a scalar condition (`forward(..., time)`); 0 for none.

    Shape:
        `(batch, in_channels, frames)` -> `(batch, out_channels, frames)`; frames are padded inside to a multiple of
        `STRIDE ** (levels - 1)`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        widths: Sequence[int],
        kernel_size: int = 5,
        blocks: int = 1,
        embedding: int = 0,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.blocks = blocks
        self.total_stride: int = STRIDE ** (len(widths) - 1)
        pairs = list(zip(widths, widths[1:], strict=False))

        def level(width: int) -> BlockSequence:
            return BlockSequence(ResidualBlock(width, kernel_size, embedding) for _ in range(blocks))

        self.entry = nn.Conv1d(in_channels, widths[0], kernel_size, padding=kernel_size // 2)
        self.exit = nn.Conv1d(widths[0], out_channels, kernel_size, padding=kernel_size // 2)
        self.encoder = nn.ModuleList(level(width) for width in widths)
        self.decoder = nn.ModuleList(level(width) for width in widths)
        self.down = nn.ModuleList(nn.Conv1d(fine, coarse, STRIDE, stride=STRIDE) for fine, coarse in pairs)
        self.up = nn.ModuleList(nn.ConvTranspose1d(coarse, fine, STRIDE, stride=STRIDE) for fine, coarse in pairs)
        self.embed = TimeEmbedding(embedding) if embedding else None
        nn.init.zeros_(self.exit.weight)

    @property
    def receptive_field(self) -> int:
        """Frames that an output frame depends on (an upper bound: positions differ by their place in the strides)."""
        taps = self.kernel_size - 1
        field: int = 2 * taps
        for depth in range(len(self.encoder)):
            field += 2 * (2 * self.blocks * taps) * int(STRIDE**depth)
        return field + 2 * self.total_stride

    def forward(self, frames: Tensor, time: Tensor | None = None) -> Tensor:
        count = frames.shape[-1]
        condition = self.embed(time) if self.embed is not None and time is not None else None
        hidden = self.entry(functional.pad(frames, (0, -count % self.total_stride)))
        skips = []
        for depth, blocks in enumerate(self.encoder):
            if depth:
                hidden = self.down[depth - 1](hidden)
            hidden = blocks(hidden, condition)
            skips.append(hidden)
        for depth in reversed(range(len(self.decoder))):
            if depth < len(self.decoder) - 1:
                hidden = skips[depth] + self.up[depth](hidden)
            hidden = self.decoder[depth](hidden, condition)
        out: Tensor = self.exit(hidden)
        return out[..., :count]


class BlockSequence(nn.ModuleList):
    """Residual blocks in turn, all with the same condition."""

    def forward(self, hidden: Tensor, condition: Tensor | None) -> Tensor:
        for block in self:
            hidden = block(hidden, condition)
        return hidden


class ResidualBlock(nn.Module):
    """Two convolutions on the channel-normalised input, modulated by the condition; starts as the identity."""

    def __init__(self, width: int, kernel_size: int, embedding: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(width, width, kernel_size, padding=kernel_size // 2)
        self.second = nn.Conv1d(width, width, kernel_size, padding=kernel_size // 2)
        self.modulation = nn.Linear(embedding, 2 * width) if embedding else None
        nn.init.zeros_(self.second.weight)

    def forward(self, hidden: Tensor, condition: Tensor | None) -> Tensor:
        normalised = hidden * torch.rsqrt(hidden.square().mean(1, keepdim=True) + 1e-4)
        inner = self.first(functional.silu(normalised))
        if self.modulation is not None and condition is not None:
            gain, bias = self.modulation(condition).unsqueeze(-1).chunk(2, dim=1)
            inner = inner * (1 + gain) + bias
        out: Tensor = hidden + self.second(functional.silu(inner))
        return out


class TimeEmbedding(nn.Module):
    """Sinusoidal features of a scalar in [0, 1], `(batch,)` -> `(batch, size)`."""

    frequencies: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.exp(torch.linspace(0, math.log(200), 32)), persistent=False)
        self.layers = nn.Sequential(nn.Linear(64, size), nn.SiLU(), nn.Linear(size, size), nn.SiLU())

    def forward(self, time: Tensor) -> Tensor:
        angles = time[:, None] * self.frequencies
        out: Tensor = self.layers(torch.cat([angles.sin(), angles.cos()], dim=1))
        return out
