"""Losses of the paper: Wasserstein, gradient penalty, multi-scale spectrogram (equations 3, 6, 7)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

#: (window, hop, FFT size) of the multi-scale spectrogram loss, in samples (supplement A.1).
SPECTROGRAM_SIZES = ((240, 50, 512), (600, 120, 1024), (1200, 240, 2048))


def critic_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """What the discriminator minimises: mean score of the fake minus mean score of the real signal (equation 3).

    Args:
        real_scores: a score for each window of the real signal.
        fake_scores: a score for each window of the generated signal.

    Shape:
        any, any -> `()`
    """
    return fake_scores.mean() - real_scores.mean()


def generator_loss(fake_scores: Tensor) -> Tensor:
    """What the generator minimises: minus the mean score of the fake signal (equation 3).

    Shape:
        any -> `()`
    """
    return -fake_scores.mean()


def input_gradient(discriminator: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The gradient at `x` of the sum of a discriminator's scores; differentiable.

    Args:
        discriminator: maps signals to scores of any shape.
        x: signal.

    Shape:
        x and the result: `(batch, channels, samples)`
    """
    x = x.detach().requires_grad_(True)
    return torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)[0]


def gradient_penalty(
    gradient_at: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, blend: float, weight: float = 0.01
) -> Tensor:
    """Penalty on discriminator gradients whose norm is not 1 (equation 6).

    The published implementation is followed where the paper leaves a choice: the gradient is that of the *sum* of the
    scores, so that it does not depend on the signal's length; its norm is taken over the channels at each sample, so
    that a signal of n samples contributes n norms; and one blend factor serves the whole step.

    Args:
        gradient_at: maps a signal to the discriminator's gradient there, as `input_gradient` does.
        real: real signal.
        fake: generated signal; no gradient flows into it.
        blend: share of the real signal in the blend at which the gradient is taken, 0 to 1.
        weight: factor on the result (lambda).

    Shape:
        real, fake: `(batch, channels, samples)`; result: `()`
    """
    gradient = gradient_at((blend * real + (1 - blend) * fake).detach())
    norms: Tensor = torch.linalg.vector_norm(gradient, dim=1)  # (batch, samples)
    return weight * (norms - 1).square().mean()


def multi_scale_spectrogram_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Distance of magnitude spectrograms at three resolutions, blind to phase (equation 7).

    The distance at a resolution is the Euclidean norm, over bins and frames, of the difference of the magnitudes of
    centred, Hann-windowed STFTs. It grows with the square root of the length. Channels and batch items are averaged.

    Args:
        real: real signal.
        fake: reconstructed signal.

    Shape:
        real, fake: `(batch, channels, samples)`; result: `()`
    """
    distances = []
    for window, hop, fft_size in SPECTROGRAM_SIZES:
        difference = _magnitude(real, window, hop, fft_size) - _magnitude(fake, window, hop, fft_size)
        distances.append(torch.linalg.vector_norm(difference, dim=(-2, -1)).mean())
    return torch.stack(distances).mean()


def waveform_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Mean squared difference, the first term of equation (4).

    Shape:
        real, fake: `(batch, channels, samples)`; result: `()`
    """
    return F.mse_loss(fake, real)


def _magnitude(x: Tensor, window: int, hop: int, fft_size: int) -> Tensor:
    """`(batch, channels, samples) -> (batch * channels, bins, frames)`."""
    signals = x.flatten(0, 1)
    return torch.stft(
        signals,
        fft_size,
        hop_length=hop,
        win_length=window,
        window=torch.hann_window(window, device=x.device, dtype=x.dtype),
        # Reflection needs more samples than it mirrors; the coarsest scales of short clips have fewer.
        pad_mode="reflect" if signals.shape[-1] > fft_size // 2 else "constant",
        return_complex=True,
    ).abs()
