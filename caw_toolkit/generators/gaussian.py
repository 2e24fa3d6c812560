"""The conditional Gaussian generator: given the coarser signal, mean and spread of the next band, in one pass.

The new band of a scale is analysed by a lapped transform. A network predicts for every coefficient a mean and a
standard deviation from the coarser signal; the scale's noise, analysed by the same transform, is scaled and added:
`band = mean + std * noise`. What follows from the coarser signal (locked harmonics, onsets) goes into the mean, what
does not (breath, bow, hiss) becomes noise of the right envelope. Trained by likelihood (Kendall and Gal, "What
uncertainties do we need", 2017; the weighting is Seitzer et al., "On the pitfalls of heteroscedastic uncertainty
estimation", 2022), it neither fills quiet passages with noise nor needs an adversary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from caw_toolkit.devices import mixed_precision
from caw_toolkit.dsp.lapped_transform import LappedTransform, smooth
from caw_toolkit.dsp.stereo import mid_side
from caw_toolkit.generators.base import ScaleGenerator, new_band
from caw_toolkit.generators.unet import UNet

#: Shrinkage of predicted spectral envelopes, in nepers: what is learnt from half a minute is too sure of itself. Quiet
#: values are raised and loud ones lowered by up to so much.
SHRINKAGE = 0.1
#: Bounds of the natural logarithm of the predicted standard deviation, in units of the band's level.
LOG_STD_RANGE = (-8.0, 4.0)


class GaussianGenerator(ScaleGenerator):
    """Generator of any scale but the coarsest.

    Args:
        audio_channels: 1 or 2.
        bands: subbands of the lapped transform.
        widths: channels of the network's levels.
        smoothing: coefficients, in time and in frequency, over which the power that the network sees is averaged.
        has_mean: whether the mean is predicted; it is 0 otherwise.
        kernel_size: taps of the network's convolutions, odd.
    """

    band_level: Tensor
    coarse_level: Tensor

    def __init__(
        self,
        *,
        audio_channels: int,
        bands: int,
        widths: Sequence[int],
        smoothing: int = 1,
        has_mean: bool = True,
        kernel_size: int = 5,
    ) -> None:
        super().__init__()
        self.architecture: dict[str, Any] = {
            "type": "gaussian",
            "audio_channels": audio_channels,
            "bands": bands,
            "widths": list(widths),
            "smoothing": smoothing,
            "has_mean": has_mean,
            "kernel_size": kernel_size,
        }
        self.transform = LappedTransform(bands)
        self.smoothing = smoothing
        self.has_mean = has_mean
        channels = audio_channels * bands
        self.network = UNet(2 * channels, (1 + has_mean) * channels, widths=widths, kernel_size=kernel_size)
        self.receptive_field = (self.network.receptive_field + smoothing) * bands
        self.total_stride = self.network.total_stride * bands
        for name in ("band_level", "coarse_level"):
            self.register_buffer(name, torch.ones(channels, 1))

    def fit_levels(self, real: Tensor, coarse: Tensor) -> None:
        """Take the level of every subband from the recording, `(channels, samples)`."""
        self.band_level.copy_(_level(self.analyse(new_band(real, coarse)[None])[0], floor=1e-3))
        self.coarse_level.copy_(_level(self.analyse(coarse[None])[0], floor=1e-3))

    def analyse(self, waveform: Tensor) -> Tensor:
        """`(batch, channels, samples)` -> `(batch, channels * bands, frames)`; stereo is turned to middle and side."""
        coefficients: Tensor = self.transform(mid_side(waveform))
        return coefficients.flatten(1, 2)

    def synthesise(self, coefficients: Tensor, samples: int) -> Tensor:
        """The inverse of `analyse`, cut to `samples`."""
        waveform: Tensor = mid_side(self.transform.inverse(self._bands(coefficients)))
        return waveform[..., :samples]

    def _bands(self, coefficients: Tensor) -> Tensor:
        """`(batch, channels * bands, frames)` -> `(batch, channels, bands, frames)`."""
        batch, _, frames = coefficients.shape
        return coefficients.reshape(batch, -1, self.transform.bands, frames)

    def predict(self, coarse: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation of the band's coefficients, in units of `band_level`.

        Args:
            coarse: coefficients of the coarser signal.

        Shape:
            all: `(batch, channels * bands, frames)`.
        """
        # Two views of the input: signed and compressed, as a waveform is; and log power, in which levels are linear.
        level = coarse / self.coarse_level
        waveform_like = level.sign() * level.abs().sqrt()
        loudness = (self._power(level) + 1e-8).log() / 4 + 1
        with mixed_precision(coarse.device):
            out = self.network(torch.cat([waveform_like, loudness], dim=1)).float()
        mean, log_std = out.chunk(2, dim=1) if self.has_mean else (torch.zeros_like(out), out)
        return mean, log_std.clamp(*LOG_STD_RANGE)

    def _power(self, coefficients: Tensor) -> Tensor:
        """Power of the coefficients, averaged over neighbours if there is smoothing.

        Single coefficients of an MDCT fluctuate with the phase. The difference of a coefficient's neighbours in
        frequency stands in for the sine part that the transform lacks (pseudo-spectrum: Daudet and Sandler, 2004).
        """
        if self.smoothing == 1:
            return coefficients.square()
        bands = self._bands(coefficients)
        beside = functional.pad(bands, (0, 0, 1, 1))
        power = bands.square() + (beside[:, :, 2:] - beside[:, :, :-2]).square()
        return smooth(power, bands=self.smoothing, frames=self.smoothing).flatten(1, 2)

    def forward(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        if coarse is None:
            raise ValueError("the conditional Gaussian generator needs a coarser signal")
        mean, log_std = self.predict(self.analyse(coarse))
        return self.add_band(coarse, mean, _shrink(log_std), self.analyse(noise))

    def add_band(self, coarse: Tensor, mean: Tensor, log_std: Tensor, excitation: Tensor) -> Tensor:
        """The coarser signal with a band of predicted coefficients, `(batch, channels, samples)`.

        Args:
            coarse: as in `forward`.
            mean: as `predict` returns it.
            log_std: the spectral envelope, in the units of `predict`.
            excitation: coefficients of unit level for them to shape: of noise, or of `Excitation`.
        """
        band = (mean + log_std.exp() * excitation) * self.band_level
        return coarse + self.synthesise(band, coarse.shape[-1])


def _shrink(log_std: Tensor) -> Tensor:
    """Predicted log standard deviations, nearer to the middle."""
    quiet = ((-1 - log_std) / 2).clamp(0, 1)
    loud = ((1 + log_std) / 2).clamp(0, 1)
    return log_std + SHRINKAGE * (quiet - loud)


def _level(coefficients: Tensor, floor: float) -> Tensor:
    """Root mean square of each row, at least `floor` of the largest."""
    level = coefficients.square().mean(-1, keepdim=True).sqrt()
    return torch.maximum(level, level.max() * floor).clamp_min(1e-8)
