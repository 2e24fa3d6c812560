"""Narrow bands of a recording at a low rate, and the slow amplitude of a line within one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.fft import fftfreq, ifft, next_fast_len, rfft
from scipy.signal import fftconvolve

Signal = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

#: Rate of a band in Hz.
BAND_RATE = 100.0
#: How far from its centre it is whole.
WHOLE_HZ = 20.0
#: Silence that keeps its end from its beginning.
SILENT_SECONDS = 1.0
#: Time over which a line is averaged.
AVERAGE_SECONDS = 5.0
#: Time over which what is beside it is measured.
LOCAL_SECONDS = 0.2
#: How far beside it, on both sides.
ASIDE_HZ = 7.5
#: Quantile of what is beside it that counts as quiet.
QUIET_QUANTILE = 0.2


@dataclass(frozen=True)
class Bands:
    """A recording, any band of which can be had at a low rate.

    Attributes:
        spectrum: of every channel, `(channels, bins)`.
        hertz: from bin to bin.
        size: bins of a band.
        rate: of a band's samples in Hz.
        times: of those within the recording and one after it, in seconds.
    """

    spectrum: Complex
    hertz: float
    size: int
    rate: float
    times: Signal

    @classmethod
    def of(cls, samples: Signal, sample_rate: int) -> Bands:
        """Those of a recording.

        Args:
            samples: `(channels, samples)`.
            sample_rate: Hz.
        """
        factor = max(1, int(sample_rate / BAND_RATE))
        count = math.ceil(samples.shape[1] / factor) + 1
        size = next_fast_len(count + math.ceil(SILENT_SECONDS * sample_rate / factor))
        spectrum = np.asarray(rfft(samples, size * factor, axis=1)) / (size * factor)
        rate = sample_rate / factor
        return cls(spectrum, rate / size, size, rate, np.arange(count) / rate)

    def demodulated(self, centre_hz: float, phase: Signal, channel: int | None = None) -> Complex:
        """A band of one channel or of their mean, with what has a certain phase at 0 Hz, `(samples,)`.

        Args:
            centre_hz: of the band.
            phase: in radians at `times`, of about that frequency.
            channel: its number; None for the mean.
        """
        spectrum = self.spectrum.mean(0) if channel is None else self.spectrum[channel]
        centre = round(centre_hz / self.hertz)
        offsets = fftfreq(self.size, 1 / self.size).astype(int)
        beyond = (np.abs(offsets) * self.hertz - WHOLE_HZ) / (self.rate / 2 - WHOLE_HZ)
        taper = np.cos(np.pi / 2 * beyond.clip(0, 1)) ** 2
        bins = centre + offsets
        taper[(bins < 0) | (bins >= len(spectrum))] = 0
        band = ifft(taper * spectrum[bins.clip(0, len(spectrum) - 1)], norm="forward")[: len(self.times)]
        return np.asarray(band * np.exp(1j * (2 * np.pi * centre * self.hertz * self.times - phase)))


def slow_amplitude(demodulated: Complex, rate: float, seconds: float = AVERAGE_SECONDS) -> Complex:
    """Slowly varying complex amplitude at 0 Hz, mostly from the moments at which little is beside it.

    What is beside it decides, not what is at it: that would prefer moments at which the sound cancels the line.

    Args:
        demodulated: `(samples,)`.
        rate: of it, in Hz.
        seconds: over which it is averaged.
    """
    size = round(LOCAL_SECONDS * rate)
    turning = np.exp(2j * np.pi * ASIDE_HZ * np.arange(len(demodulated)) / rate)
    aside = sum(np.abs(smooth(demodulated * each, size)) ** 2 for each in (turning, turning.conj()))
    power = smooth(np.asarray(aside), size).real
    weights = (power + np.quantile(power, QUIET_QUANTILE) + 1e-20) ** -1.5
    average = round(seconds * rate)
    return np.asarray(smooth(weights * smooth(demodulated, size), average) / smooth(weights, average).real)


def smooth(signal: npt.NDArray[np.generic], size: int) -> Complex:
    """Weighted mean around every sample, with a Hann window that is cut at the ends."""
    window = np.hanning(min(size, len(signal)) + 2)[1:-1]
    return np.asarray(fftconvolve(signal, window, "same") / fftconvolve(np.ones(len(signal)), window, "same"))
