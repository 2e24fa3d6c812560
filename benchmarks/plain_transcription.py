"""The paper's networks and its training step, written plainly, to compare the toolkit's adversarial training with.

Standard modules only: dilated `Conv1d` with weight norm, `BatchNorm1d`, `LeakyReLU`; the whole signal in each step; the
gradient penalty by double backward; the coarser scales' output drawn anew in each step, by networks in evaluation mode.
Nothing here is made to be fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

SPECTROGRAMS = ((240, 50, 512), (600, 120, 1024), (1200, 240, 2048))


class PreEmphasis(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x - 0.97 * F.pad(x, (1, 0))[..., :-1]


def dilated_stack(in_channels: int, channels: int, out_channels: int, blocks: int = 8) -> nn.Sequential:
    layers: list[nn.Module] = []
    for block in range(blocks):
        first, last = block == 0, block == blocks - 1
        layers.append(
            weight_norm(
                nn.Conv1d(in_channels if first else channels, out_channels if last else channels, 9, dilation=2**block)
            )
        )
        if not last:
            layers += [nn.BatchNorm1d(channels), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)


class Generator(nn.Module):
    def __init__(self, audio_channels: int = 1, channels: int = 96, blocks: int = 8) -> None:
        super().__init__()
        self.pad = 4 * (2**blocks - 1)
        self.stack = dilated_stack(audio_channels, channels, channels, blocks)
        self.gate_tanh = weight_norm(nn.Conv1d(channels, channels, 9, padding=4))
        self.gate_sigmoid = weight_norm(nn.Conv1d(channels, channels, 9, padding=4))
        self.output = weight_norm(nn.Conv1d(channels, audio_channels, 1))
        self.pre_emphasis = PreEmphasis()

    def forward(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        x = noise if coarse is None else noise + coarse
        x = self.stack(F.pad(x, (self.pad, self.pad)))
        x = torch.tanh(self.gate_tanh(x)) * torch.sigmoid(self.gate_sigmoid(x))
        x = self.pre_emphasis(self.output(x))
        return x if coarse is None else x + coarse


class Discriminator(nn.Module):
    def __init__(self, audio_channels: int = 1, channels: int = 96, blocks: int = 8) -> None:
        super().__init__()
        self.stack = dilated_stack(audio_channels, channels, 1, blocks)
        self.pre_emphasis = PreEmphasis()

    def forward(self, x: Tensor) -> Tensor:
        return self.pre_emphasis(self.stack(x))


def cubic_upsample(x: Tensor, from_rate: int, to_rate: int, length: int) -> Tensor:
    """Keys' cubic convolution: output sample n lies at input position `n * from_rate / to_rate`."""
    position = torch.arange(length, dtype=torch.float64) * from_rate / to_rate
    below = position.floor().long()
    t = (position - below).to(x.dtype)
    result = torch.zeros(*x.shape[:-1], length)
    for tap in (-1, 0, 1, 2):
        distance = (t - tap).abs()
        near = 1.5 * distance**3 - 2.5 * distance**2 + 1
        far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
        result = result + torch.where(distance <= 1, near, far) * x[..., (below + tap).clamp(0, x.shape[-1] - 1)]
    return result


@dataclass
class PyramidScale:
    generator: Generator
    rate: int
    noise_std: float


def generate(pyramid: Sequence[PyramidScale], seconds: float, audio_channels: int = 1) -> Tensor:
    """A new signal of all scales, `(1, channels, samples)`: whole signals, no folding."""
    signal: Tensor | None = None
    below = 0
    with torch.no_grad():
        for scale in pyramid:
            length = round(seconds * scale.rate)
            noise = scale.noise_std * torch.randn(1, audio_channels, length)
            coarse = None if signal is None else cubic_upsample(signal, below, scale.rate, length)
            signal, below = scale.generator.eval()(noise, coarse), scale.rate
    assert signal is not None
    return signal


def gradient_penalty(discriminator: nn.Module, real: Tensor, fake: Tensor, blend: float) -> Tensor:
    mixed = (blend * real + (1 - blend) * fake.detach()).requires_grad_(True)
    (gradient,) = torch.autograd.grad(discriminator(mixed).sum(), mixed, create_graph=True)
    return 0.01 * ((gradient.norm(dim=1) - 1) ** 2).mean()


def spectrogram_loss(real: Tensor, fake: Tensor) -> Tensor:
    losses = []
    for window, hop, size in SPECTROGRAMS:
        magnitudes = [
            torch.stft(
                x.flatten(0, 1), size, hop, window, torch.hann_window(window, dtype=x.dtype), return_complex=True
            ).abs()
            for x in (real, fake)
        ]
        losses.append((magnitudes[0] - magnitudes[1]).norm(dim=(-2, -1)).mean())
    return torch.stack(losses).mean()


@dataclass
class Weights:
    """alpha 1 and alpha 2 of equation (4)."""

    waveform: float = 10.0
    spectrogram: float = 0.0


class Step:
    """The training of one scale, step by step.

    Args:
        generator: of the scale.
        discriminator: of the scale.
        real: signal, `(1, channels, samples)`.
        weights: of the reconstruction loss.
    """

    def __init__(
        self, generator: Generator, discriminator: Discriminator, real: Tensor, weights: Weights | None = None
    ) -> None:
        self.generator, self.discriminator, self.real = generator.train(), discriminator.train(), real
        self.weights = weights or Weights()
        self.optimisers = [torch.optim.Adam(n.parameters(), 0.0015, (0.5, 0.999)) for n in (generator, discriminator)]

    def discriminator_loss(self, fake: Tensor, blend: float) -> dict[str, Tensor]:
        """Gradients of the discriminator, accumulated term by term; returns the losses."""
        self.discriminator.zero_grad()
        real_loss = -self.discriminator(self.real).mean()
        real_loss.backward()
        fake_loss = self.discriminator(fake.detach()).mean()
        fake_loss.backward()
        penalty = gradient_penalty(self.discriminator, self.real, fake, blend)
        penalty.backward()
        return {"critic": (real_loss + fake_loss).detach(), "gradient_penalty": penalty.detach()}

    def generator_loss(
        self, fake: Tensor, reconstruction_noise: Tensor, reconstruction_coarse: Tensor | None
    ) -> dict[str, Tensor]:
        """Gradients of the generator; returns the losses."""
        self.generator.zero_grad()
        adversarial = -self.discriminator(fake).mean()
        adversarial.backward()
        reconstruction = self.generator(reconstruction_noise, reconstruction_coarse)
        loss = self.weights.waveform * F.mse_loss(reconstruction, self.real)
        if self.weights.spectrogram:
            loss = loss + self.weights.spectrogram * spectrogram_loss(self.real, reconstruction)
        loss.backward()
        return {"adversarial": adversarial.detach(), "reconstruction": loss.detach()}

    def __call__(
        self,
        noise: Tensor,
        coarse: Tensor | None,
        reconstruction_noise: Tensor,
        reconstruction_coarse: Tensor | None,
        blend: float,
    ) -> dict[str, float]:
        """Update both networks once."""
        fake = self.generator(noise, coarse)
        losses = self.discriminator_loss(fake, blend)
        self.optimisers[1].step()
        losses |= self.generator_loss(fake, reconstruction_noise, reconstruction_coarse)
        self.optimisers[0].step()
        return {name: float(value) for name, value in losses.items()}
