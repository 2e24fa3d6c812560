"""A recording through windows of several lengths, and what each of them makes of its sound and its noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from caw_denoising.log_mmse import LEAST_GAIN, log_spectral_power
from caw_denoising.noise import at_resolution, find_noise
from caw_denoising.repetitions import average_over_neighbours, expect_from_reference
from caw_denoising.rumble import NOTE_SECONDS, belongs_to_music, bins_below_notes, holds_notes, rumble_bins
from caw_denoising.stft import Power, Spectra, mean_power, power_as_one, signal_of, spectra_of, window_size
from caw_toolkit import Array
from caw_toolkit.dsp.resampling import resample

#: The longest window.
WINDOW_SECONDS = 0.256
#: What it is divided by to get the others, of which none is shorter than so many samples.
WINDOW_DIVISORS = (1, 2, 4, 8, 16)
LEAST_WINDOW = 64
#: Power of rumble over that of its floor from which on it comes in bursts (white noise: up to 1.8).
BURSTS = 2.0
#: Notes where there may be rumble are looked for at this rate, in Hz, unless it is too low for them.
NOTE_RATE = 2000


@dataclass(frozen=True)
class View:
    """A recording through windows of one length.

    Attributes:
        size: samples of the window.
        spectra: `(channels, bins, frames)`.
        power: in the mean of the channels, `(bins, frames)`.
        noise: mean power, `(bins,)`.
        lowest: first bin by which windows are compared.
    """

    size: int
    spectra: Spectra
    power: Power
    noise: Power
    lowest: int

    @cached_property
    def first(self) -> Power:
        """First estimate of the signal's power, from each frame and those before it."""
        return log_spectral_power(self.power, self.noise)

    def from_repetitions(self, most_frames: int) -> Power:
        """Estimate of the signal's power from the nearest neighbours of each frame among so many."""
        features = np.log1p(self.first / self.noise[:, None])
        # neighbours by their first estimates: by their power, frames are near because their noise is
        return 0.5 * (average_over_neighbours(features, self.first, most_frames=most_frames) + self.first)

    def from_reference(self, reference: Array, most_frames: int) -> Power:
        """The same, with what another recording of the source makes likely."""
        spectra = spectra_of(reference, self.size)
        clean = log_spectral_power(mean_power(spectra), find_noise(power_as_one(spectra)).power)
        level = self.first.mean() / (clean.mean() + 1e-30)
        expected = expect_from_reference(self.power, self.noise, level * clean, most_frames=most_frames)
        both: Power = np.sqrt(self.from_repetitions(most_frames) * expected)
        return both

    def wiener_gain(self, signal: Power) -> Power:
        """Gain of every bin and frame, given the signal's power."""
        gain: Power = np.clip(signal / (signal + self.noise[:, None]), LEAST_GAIN, 1)
        return gain

    def expected_error(self, gain: Power) -> float:
        """Stein's unbiased estimate of the squared error, up to what is the same for all gains and windows."""
        error = (1 - gain) ** 2 * self.power + (2 * gain - 1) * self.noise[:, None]
        return float(error[self.lowest :].sum(dtype=np.float64) * self.size)

    @property
    def first_error(self) -> float:
        """Expected error of the first estimate."""
        return self.expected_error(self.wiener_gain(self.first))


@dataclass(frozen=True)
class NoisyRecording:
    """A recording without rumble, and its noise: what is seen through windows.

    Attributes:
        samples: `(channels, samples)`.
        noise: its steady noise, `(bins,)`.
        longest: samples of the longest window.
        blurred: bins of that one by which windows are not compared.
        has_bursts: whether what was rumble was far above its floor.
    """

    samples: Array
    noise: Power
    longest: int
    blurred: int = 0
    has_bursts: bool = False

    @classmethod
    def of(cls, samples: Array, noise: Power, sample_rate: int, *, rumble_hz: float | None = None) -> NoisyRecording:
        """That of a recording with its rumble.

        Args:
            samples: `(channels, samples)`.
            noise: its steady noise, `(bins,)`.
            sample_rate: Hz.
            rumble_hz: up to which frequency there is rumble and no note; None: see by the samples. What is below any
                note is looked at in any case.
        """
        longest = window_size(WINDOW_SECONDS, samples, sample_rate)
        spectra, hertz = spectra_of(samples, longest), sample_rate / longest
        power = power_as_one(spectra)
        rumble = rumble_bins(power, hertz) if rumble_hz is None else round(rumble_hz / hertz)
        if rumble and _has_notes(samples, sample_rate, rumble * hertz):
            rumble = 0
        below_notes = bins_below_notes(power, hertz)
        rumble = max(rumble, below_notes)
        if not rumble:
            return cls(samples, noise, longest)
        floor = at_resolution(noise, spectra.shape[1])[:rumble]
        has_bursts = bool(mean_power(spectra[:, :rumble]).mean() > BURSTS * floor.mean())
        spectra[:, :rumble] *= LEAST_GAIN
        without = signal_of(spectra, longest, samples.shape[1])
        if belongs_to_music(samples - without, without, sample_rate):
            if below_notes < rumble:  # which may well be none of the drums'
                return cls.of(samples, noise, sample_rate, rumble_hz=0.0)
            return cls(samples, noise, longest)
        noise = noise.copy()
        noise[: round(rumble / (spectra.shape[1] - 1) * (len(noise) - 1))] *= LEAST_GAIN**2
        # the step at the edge spreads over a bin of the shorter windows
        return cls(without, noise, longest, rumble + 8, has_bursts)

    def excerpts(self, length: int, every: int) -> NoisyRecording:
        """So many samples of every so many."""
        starts = range(0, self.samples.shape[1], every)
        samples = np.concatenate([self.samples[:, start : start + length] for start in starts], axis=1)
        return replace(self, samples=samples)

    def views(self) -> Iterator[View]:
        """The recording through windows of several lengths, the longest first."""
        for divisor in WINDOW_DIVISORS:
            if divisor == 1 or self.longest // divisor >= LEAST_WINDOW:
                yield self.view(self.longest // divisor)

    def view(self, size: int) -> View:
        """The recording through windows of so many samples."""
        spectra = spectra_of(self.samples, size)
        noise = at_resolution(self.noise, spectra.shape[1]).astype(np.float32)
        return View(size, spectra, mean_power(spectra), noise, self.blurred * size // self.longest)


def _has_notes(samples: Array, sample_rate: int, rumble_hz: float) -> bool:
    """Whether there are notes where there is said to be rumble."""
    rate = sample_rate if 4 * rumble_hz > NOTE_RATE else min(sample_rate, NOTE_RATE)
    low = resample(samples, sample_rate, rate)
    size = window_size(NOTE_SECONDS, low, rate)
    return holds_notes(power_as_one(spectra_of(low, size)), rate / size, rumble_hz)
