"""The modified discrete cosine transform (MDCT): an orthogonal lapped transform with a sine window.

It turns a waveform into `bands` critically sampled subbands and back without loss (time-domain aliasing cancellation:
Princen and Bradley, 1986). As the transform is orthogonal, white noise stays white noise. It is written as a strided
convolution, fast for the short blocks used here (4 to 256 bands).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class LappedTransform(nn.Module):
    """MDCT of a block of channels.

    Args:
        bands: subbands, which is also the hop in samples; every window covers two hops.

    Example:
        >>> transform = LappedTransform(bands=16)
        >>> waveform = torch.randn(1, 2, 160)
        >>> bands = transform(waveform)
        >>> bands.shape
        torch.Size([1, 2, 16, 11])
        >>> torch.allclose(transform.inverse(bands), waveform, atol=1e-5)
        True
    """

    basis: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.bands = bands
        time = torch.arange(2 * bands, dtype=torch.float64) + 0.5
        frequency = torch.arange(bands, dtype=torch.float64) + 0.5
        window = torch.sin(math.pi / (2 * bands) * time)
        cosines = torch.cos(math.pi / bands * (time[None] + bands / 2) * frequency[:, None])
        basis = math.sqrt(2 / bands) * window * cosines
        self.register_buffer("basis", basis[:, None].float(), persistent=False)

    def frames(self, samples: int) -> int:
        """Frames that `samples` samples are turned into."""
        return -(-samples // self.bands) + 1

    def forward(self, waveform: Tensor) -> Tensor:
        """Waveform to subbands.

        Shape:
            `(batch, channels, samples)` -> `(batch, channels, bands, ceil(samples / bands) + 1)`.
        """
        batch, channels, samples = waveform.shape
        padding = (self.bands, self.bands + -samples % self.bands)
        padded = functional.pad(waveform.reshape(batch * channels, 1, samples), padding)
        return functional.conv1d(padded, self.basis, stride=self.bands).reshape(batch, channels, self.bands, -1)

    def inverse(self, subbands: Tensor) -> Tensor:
        """Subbands to waveform.

        Shape:
            `(batch, channels, bands, frames)` -> `(batch, channels, (frames - 1) * bands)`.
        """
        batch, channels, bands, frames = subbands.shape
        waveform = functional.conv_transpose1d(
            subbands.reshape(batch * channels, bands, frames), self.basis, stride=bands
        )
        return waveform.reshape(batch, channels, -1)[..., bands:-bands]


def smooth(subbands: Tensor, *, bands: int, frames: int) -> Tensor:
    """Mean over neighbours; edges are repeated.

    Args:
        subbands: values.
        bands: how many to average, odd.
        frames: how many to average, odd.

    Shape:
        subbands and the result: `(batch, channels, bands, frames)`.
    """
    beside, around = bands // 2, frames // 2
    padded = functional.pad(subbands, (around, around, beside, beside), mode="replicate")
    return functional.avg_pool2d(padded, (bands, frames), stride=1)
