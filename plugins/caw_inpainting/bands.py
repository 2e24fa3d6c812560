"""Levels of frequency bands over time, and signals brought to given levels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import istft, stft

from caw_toolkit import Array, Gap

Levels = npt.NDArray[np.float64]

#: From frame to frame, and hops in a window.
HOP_SECONDS, WINDOW_HOPS = 0.008, 8
#: Number of bands: evenly wide far below the bend, in equal ratios far above it.
BANDS, BEND_HZ = 64, 600.0
#: Levels are floored this far below the mean power, in dB.
RANGE_DB = 70.0
#: Frames whose spectra are in memory at once where only their power is kept.
FRAMES_AT_ONCE = 256


@dataclass(frozen=True)
class Bands:
    """The bands of signals at one sample rate.

    Frame `n` is centred on sample `n * hop`.

    Args:
        sample_rate: Hz.
    """

    sample_rate: int

    @property
    def hop(self) -> int:
        """Samples from frame to frame."""
        return max(1, round(HOP_SECONDS * self.sample_rate))

    @property
    def window(self) -> int:
        """Samples of a frame."""
        return WINDOW_HOPS * self.hop

    @property
    def edges(self) -> npt.NDArray[np.int64]:
        """First bin of each band, `(bands,)`."""
        top = np.arcsinh(self.sample_rate / 2 / BEND_HZ)
        hertz = BEND_HZ * np.sinh(np.linspace(0, top, BANDS + 1))[:-1]
        return np.unique(np.round(hertz * self.window / self.sample_rate).astype(np.int64))

    def frames(self, gap: Gap) -> tuple[int, int]:
        """The frames centred in a gap, first and one past the last; none if it is shorter than a hop."""
        first = -(-gap[0] // self.hop)
        return first, max(first, gap[1] // self.hop)

    def levels(self, samples: Array) -> Levels:
        """Mean power of each band in dB, summed over channels.

        Args:
            samples: `(channels, samples)`.

        Returns:
            `(bands, frames)`.
        """
        power = self._power(samples)
        widths = np.diff(np.append(self.edges, len(power)))[:, None]
        floor = power.mean() * 10 ** (-RANGE_DB / 10) + 1e-20
        levels: Levels = 10 * np.log10(np.add.reduceat(power, self.edges, axis=0) / widths + floor)
        return levels

    def power(self, levels: Levels) -> npt.NDArray[np.float64]:
        """Power of each frame, all bands together, `(frames,)`."""
        widths = np.diff(np.append(self.edges, self.window // 2 + 1))
        power: npt.NDArray[np.float64] = widths @ 10 ** (levels / 10)
        return power

    def amplify(self, samples: Array, gains: Levels) -> Array:
        """A signal with its bands' levels changed, smoothly from band to band.

        Args:
            samples: `(channels, samples)`.
            gains: in dB, `(bands, frames)` as `levels` gives.

        Returns:
            As `samples`.
        """
        spectra = self._spectra(samples)
        bins = np.arange(spectra.shape[-2])
        centres = (self.edges + np.append(self.edges[1:], len(bins)) - 1) / 2
        factors = np.stack([np.interp(bins, centres, frame) for frame in 10 ** (gains.T / 20)], axis=1)
        audio = istft(spectra * factors, nperseg=self.window, noverlap=self.window - self.hop)[1]
        amplified: Array = audio[:, : samples.shape[1]].astype(np.float32)
        return amplified

    def _power(self, samples: Array) -> npt.NDArray[np.float64]:
        """Power spectra, summed over channels, `(channels, samples)` -> `(bins, frames)`."""
        hop, window, count = self.hop, self.window, samples.shape[1]
        frames = math.ceil(count / hop) + 1
        padded = np.pad(samples, ((0, 0), (window // 2, (frames - 1) * hop - count + window // 2)))
        power = np.zeros((window // 2 + 1, frames))
        for first in range(0, frames, FRAMES_AT_ONCE):
            last = min(first + FRAMES_AT_ONCE, frames)
            for channel in padded[:, first * hop : (last - 1) * hop + window]:
                power[:, first:last] += np.abs(self._spectra(channel, boundary=None)) ** 2
        return power

    def _spectra(self, samples: Array, *, boundary: str | None = "zeros") -> npt.NDArray[np.complex128]:
        """`(..., samples)` -> `(..., bins, frames)`."""
        spectra: npt.NDArray[np.complex128] = stft(
            samples.astype(np.float64), nperseg=self.window, noverlap=self.window - self.hop, boundary=boundary
        )[2]
        return spectra
