"""Losses against hand formulas, scipy and librosa."""

from __future__ import annotations

from functools import partial

import librosa
import numpy as np
import pytest
import scipy.signal
import torch

from caw_toolkit.training.losses import (
    critic_loss,
    generator_loss,
    gradient_penalty,
    input_gradient,
    multi_scale_spectrogram_loss,
    waveform_loss,
)


def test_wasserstein_losses() -> None:
    real, fake = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([[5.0, 6.0]])
    assert float(critic_loss(real, fake)) == pytest.approx(5.5 - 2)
    assert float(generator_loss(fake)) == pytest.approx(-5.5)


def test_gradient_penalty_of_a_linear_critic() -> None:
    """Scores <w, x> at each sample: the gradient is w, whatever the blend."""
    weights = torch.tensor([3.0, 4.0])

    def critic(x: torch.Tensor) -> torch.Tensor:
        return torch.einsum("c,bcn->bn", weights, x)

    real, fake = torch.randn(2, 2, 50), torch.randn(2, 2, 50)
    for blend in (0.0, 0.4, 1.0):
        assert float(
            gradient_penalty(partial(input_gradient, critic), real, fake, blend, weight=0.01)
        ) == pytest.approx(0.01 * (5 - 1) ** 2)


def test_gradient_penalty_of_an_averaging_critic() -> None:
    """A filter of length 3, no padding: its interior gradient is the sum of its taps, the ends see fewer of them."""
    taps = torch.tensor([0.5, -1.0, 2.0])

    def critic(x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.conv1d(x, taps[None, None])

    gradient = np.convolve(np.ones(18), taps.numpy())
    expected = np.mean((np.abs(gradient) - 1) ** 2)
    penalty = gradient_penalty(
        partial(input_gradient, critic), torch.randn(1, 1, 20), torch.randn(1, 1, 20), 0.3, weight=1.0
    )
    assert penalty.item() == pytest.approx(expected, rel=1e-5)


def test_gradient_penalty_is_taken_at_the_blend() -> None:
    """Scores x**2 have the gradient 2 x."""
    real, fake = torch.randn(1, 1, 30), torch.randn(1, 1, 30)
    mixed = 0.7 * real + 0.3 * fake
    penalty = gradient_penalty(partial(input_gradient, torch.square), real, fake, 0.7, weight=1.0)
    assert penalty.item() == pytest.approx(float(((2 * mixed).abs() - 1).square().mean()), rel=1e-5)


def test_gradient_penalty_trains_the_critic_and_nothing_else() -> None:
    critic = torch.nn.Conv1d(1, 1, 5)
    fake = torch.randn(1, 1, 30, requires_grad=True)
    gradient_penalty(partial(input_gradient, critic), torch.randn(1, 1, 30), fake, 0.5).backward()  # type: ignore[no-untyped-call]
    assert critic.weight.grad is not None
    assert critic.weight.grad.abs().sum() > 0
    assert fake.grad is None


SIZES = ((240, 50, 512), (600, 120, 1024), (1200, 240, 2048))


def librosa_loss(real: np.ndarray, fake: np.ndarray) -> float:
    norms = []
    for window, hop, fft_size in SIZES:
        real_magnitude, fake_magnitude = (
            np.abs(
                librosa.stft(
                    x, n_fft=fft_size, hop_length=hop, win_length=window, window="hann", center=True, pad_mode="reflect"
                )
            )
            for x in (real, fake)
        )
        norms.append(np.linalg.norm(real_magnitude - fake_magnitude))
    return float(np.mean(norms))


def scipy_loss(real: np.ndarray, fake: np.ndarray) -> float:
    norms = []
    for window, hop, fft_size in SIZES:
        taper = np.pad(scipy.signal.get_window("hann", window), (fft_size - window) // 2)
        magnitudes = []
        for x in (real, fake):
            padded = np.pad(x, fft_size // 2, mode="reflect")
            frames = np.lib.stride_tricks.sliding_window_view(padded, fft_size)[::hop]
            magnitudes.append(np.abs(np.fft.rfft(frames * taper, axis=1)))
        norms.append(np.linalg.norm(magnitudes[0] - magnitudes[1]))
    return float(np.mean(norms))


@pytest.mark.parametrize("reference", [librosa_loss, scipy_loss])
def test_spectrogram_loss_against_other_stfts(reference: object) -> None:
    assert callable(reference)
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((2, 5000))
    result = multi_scale_spectrogram_loss(torch.tensor(real)[None, None], torch.tensor(fake)[None, None])
    assert float(result) == pytest.approx(reference(real, fake), rel=1e-6)


def test_spectrogram_loss_averages_signals() -> None:
    real, fake = torch.randn(2, 3, 4000), torch.randn(2, 3, 4000)
    singly = [
        multi_scale_spectrogram_loss(real[b, c][None, None], fake[b, c][None, None]) for b in (0, 1) for c in range(3)
    ]
    torch.testing.assert_close(multi_scale_spectrogram_loss(real, fake), torch.stack(singly).mean())


def test_spectrogram_loss_ignores_polarity_and_has_finite_gradients() -> None:
    real = torch.randn(1, 1, 3000)
    fake = torch.zeros(1, 1, 3000, requires_grad=True)
    assert float(multi_scale_spectrogram_loss(real, -real)) == pytest.approx(0, abs=1e-4)
    multi_scale_spectrogram_loss(real, fake).backward()  # type: ignore[no-untyped-call]
    assert fake.grad is not None
    assert bool(fake.grad.isfinite().all())


def test_spectrogram_loss_of_a_signal_shorter_than_its_windows() -> None:
    loss = multi_scale_spectrogram_loss(torch.randn(1, 1, 300), torch.randn(1, 1, 300))
    assert float(loss) > 0


def test_waveform_loss_is_the_mean_square() -> None:
    real, fake = torch.randn(1, 2, 40), torch.randn(1, 2, 40)
    assert float(waveform_loss(real, fake)) == pytest.approx(float(((real - fake) ** 2).mean()), rel=1e-5)
