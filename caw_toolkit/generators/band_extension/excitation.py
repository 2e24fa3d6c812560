"""The excitation of a missing band, made from the band below it.

A spectral envelope says how loud a band is. Noise of this envelope hisses where a voice has harmonics. The band below,
whitened and rectified, has harmonics where there are harmonics, pulses where there are pulses, and noise where there is
noise (Makhoul and Berouti, "High-frequency regeneration in speech coding systems", 1979). Pulses of a voice have not
the same phase in all bands: how it differs is the same all through a recording, and is learnt from it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from caw_toolkit.dsp.lapped_transform import LappedTransform, smooth

#: The band below is whitened in a transform of so many times as many bands.
FINER = 8
#: It is divided by its mean power over so many of those bands and frames.
WHITENING_BANDS, WHITENING_FRAMES = 5, 3
#: Share of the coarser signal's band that is taken; resamplers leave little of what is above.
PASSBAND = 0.98
#: Weight of what is not rectified beside what is. The short windows of the lapped transform leak, which makes copies of
#: it that are shifted by multiples of the frame rate (spectral translation).
LINEAR_PART = 2.0
#: Coefficients are divided by their mean power over so many bands and frames.
NORMALISED_BANDS, NORMALISED_FRAMES = 3, 5
#: What they are multiplied with: chosen for the log-spectral distance, as envelopes are predicted for noise
#: (docs/decisions.md#bandwidth-extension-full-band-and-the-dip-above-the-cutoff).
GAIN = 1.05
#: So many bands, from the lowest on, are divided by their own mean power.
LOWEST_BANDS = 2
#: Powers so much below that of the recording, or of what has been whitened, are silence.
FLOOR = 1e-6
#: Added to a recording's power, which may be zero.
TINY = 1e-16
#: The recording's band is correlated with what is rectified at lags of up to so many samples.
LAGS = 15
#: Taps of the all-pass filter that has the phase of this correlation.
PHASE_TAPS = 127
#: Samples that are filtered at a time, which is faster than one by one.
STRIDE = 128
#: Weight of a phase of zero beside the correlation: how little is trusted in where the two hardly correlate.
ZERO_PHASE = 1.0
#: Phase is learnt from so many samples at most.
MOST_SAMPLES = 2**20


class Excitation(nn.Module):
    """Makes coefficients of about unit level, to be shaped into a band.

    Args:
        transform: of the band.
        ratio: rate of the scale over that of the coarser one, rounded up.
    """

    phase_filter: Tensor

    def __init__(self, transform: LappedTransform, ratio: int) -> None:
        super().__init__()
        self.transform = transform
        self.finer = LappedTransform(FINER * transform.bands)
        self.passband = int(PASSBAND * self.finer.bands / ratio)
        self.total_stride = self.finer.bands
        # The lowest band that is added; `fit` finds the one for a ratio that is no integer.
        self.first_band = -(-transform.bands // ratio) - 1
        self.receptive_field = (
            (WHITENING_FRAMES + 2) * self.finer.bands + PHASE_TAPS + (NORMALISED_FRAMES + 2) * transform.bands
        )
        self.register_buffer("phase_filter", _all_pass(torch.zeros(PHASE_TAPS // 2 + 1)), persistent=False)

    def fit(self, band: Tensor, coarse: Tensor, usable: Tensor, levels: Tensor) -> None:
        """Learn from a recording where its band begins, and in what phase it is with the rectified band below.

        Args:
            band: coefficients of the recording's band, each row of unit level, `(channels, bands, frames)`.
            coarse: its coarser signal, upsampled, `(channels, samples)`.
            usable: whether a sample may be learnt from, `(samples,)`.
            levels: what its rows were divided by, `(channels, bands)`.
        """
        self.first_band = self._find_first(levels, coarse)
        coarse, usable = coarse[:, :MOST_SAMPLES], usable[:MOST_SAMPLES]
        # Only what lies above the cutoff is ever made: below it the recording's band is not to count.
        band = band[None, :, :, : self.transform.frames(len(usable))].clone()
        band[:, :, : self.first_band + 1] = 0
        rectified = self.transform(self._whiten(coarse[None], coarse.square().mean() + TINY).abs())
        rectified = _normalise_rms(rectified, NORMALISED_BANDS, NORMALISED_FRAMES, FLOOR)
        target, source = (self.transform.inverse(part)[0, :, : len(usable)].cpu() for part in (band, rectified))
        # The response of the linear filter that leads from one to the other has the phase of their correlation.
        response = torch.fft.rfft(_correlate(target * usable.cpu(), source))
        above = response[(self.first_band + 1) * len(response) // self.transform.bands :]
        self.phase_filter.copy_(_all_pass(response + ZERO_PHASE * above.abs().square().mean().sqrt()))

    def forward(self, coarse: Tensor, power: Tensor) -> Tensor:
        """Coefficients above a coarser signal; zero where it is silent.

        Args:
            coarse: upsampled to the rate of the scale.
            power: mean square of the recording's coarser signal, a scalar.

        Shape:
            `(batch, channels, samples)` -> `(batch, channels, bands, frames)`.
        """
        white = self._whiten(coarse, power)
        # Rectifying makes harmonics of harmonics; the linear part leaks upwards through the transform's short windows.
        excitation: Tensor = self.transform(_filter(white.abs(), self.phase_filter) + LINEAR_PART * white)
        return GAIN * self._normalise(excitation)

    def _normalise(self, excitation: Tensor) -> Tensor:
        """Unit level in every band that is added, zero below.

        The lowest ones, into which the loud linear part below reaches, are normalised each by itself: beside it, their
        neighbours would be too quiet.
        """
        first, joint = self.first_band, self.first_band + LOWEST_BANDS
        lowest = _normalise_rms(excitation[:, :, first:joint], 1, NORMALISED_FRAMES, FLOOR)
        above = excitation[:, :, joint:]
        if above.shape[2]:
            above = _normalise_rms(above, NORMALISED_BANDS, NORMALISED_FRAMES, FLOOR)
        return torch.cat([torch.zeros_like(excitation[:, :, :first]), lowest, above], dim=2)

    def _find_first(self, levels: Tensor, coarse: Tensor) -> int:
        """The first band in which a recording has more than its coarser signal has."""
        below = self.transform(coarse[None])[0].square().mean(-1).sum(0)
        louder = torch.nonzero(levels.square().sum(0)[self.first_band :] > below[self.first_band :])
        return self.first_band + int(louder[0]) if len(louder) else self.first_band  # without highs, none is

    def _whiten(self, coarse: Tensor, power: Tensor) -> Tensor:
        """The signal with a flat spectral envelope in its passband, and nothing above; harmonics and pulses stay."""
        coefficients = _normalise_rms(self.finer(coarse), WHITENING_BANDS, WHITENING_FRAMES, FLOOR * power)
        coefficients[:, :, self.passband :] = 0
        waveform: Tensor = self.finer.inverse(coefficients)
        return waveform[..., : coarse.shape[-1]]


def _normalise_rms(coefficients: Tensor, bands: int, frames: int, floor: float | Tensor) -> Tensor:
    """Coefficients divided by the root of their mean power around each."""
    return coefficients * (smooth(coefficients.square(), bands=bands, frames=frames) + floor).rsqrt()


def _correlate(target: Tensor, source: Tensor) -> Tensor:
    """Cross-correlation of `(channels, samples)`, summed over channels, `(PHASE_TAPS,)`: lags of 0 to `LAGS`, zeros for
    those that are not looked at, and lags of -`LAGS` to -1.
    """
    size = target.shape[-1] + 2 * LAGS
    spectrum = torch.fft.rfft(target, size) * torch.fft.rfft(source, size).conj()
    correlation = torch.fft.irfft(spectrum.sum(0), size)
    return torch.cat([correlation[: LAGS + 1], torch.zeros(PHASE_TAPS - 2 * LAGS - 1), correlation[-LAGS:]])


def _all_pass(response: Tensor) -> Tensor:
    """A filter with the phase of a frequency response, for `_filter`, `(STRIDE, 1, STRIDE + PHASE_TAPS - 1)`."""
    # A magnitude of one everywhere: only the phase is to change.
    phase = torch.polar(torch.ones(len(response)), response.angle())
    taps = torch.fft.irfft(phase, PHASE_TAPS).roll(PHASE_TAPS // 2).flip(0)
    return torch.stack([functional.pad(taps, (later, STRIDE - 1 - later)) for later in range(STRIDE)])[:, None]


def _filter(waveform: Tensor, kernel: Tensor) -> Tensor:
    """Convolution, as long as the waveform, that makes `STRIDE` samples at a time."""
    batch, channels, samples = waveform.shape
    edge = PHASE_TAPS // 2
    padded = functional.pad(waveform.reshape(batch * channels, 1, samples), (edge, edge + -samples % STRIDE))
    blocks = functional.conv1d(padded, kernel, stride=STRIDE)
    return blocks.transpose(1, 2).reshape(batch, channels, -1)[..., :samples]
