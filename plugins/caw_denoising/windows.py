"""A recording through windows of several lengths, and what each of them makes of its sound and its noise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, rfft

from caw_denoising.log_amplitude import log_amplitude_factor
from caw_denoising.noise_floor import at_resolution, find_noise
from caw_denoising.repetitions import average_over_neighbours, expect_from_reference
from caw_denoising.rumble import NOTE_SECONDS, belongs_to_music, holds_notes, rumble_bins
from caw_toolkit import Array
from caw_toolkit.dsp.resampling import resample

Power = npt.NDArray[np.floating]
Spectra = npt.NDArray[np.complex64]

#: The longest window, what it is divided by to get the others, and the shortest in samples.
WINDOW_SECONDS, WINDOW_DIVISORS, SHORTEST = 0.256, (1, 2, 4, 8, 16), 64
#: Least a-priori signal-to-noise ratio, and its smoothing over time.
LEAST_RATIO, SMOOTHING = 10**-2.5, 0.98
#: Windows that hold each sample.
OVERLAPS = 4
#: Frames that are brought into the order of time together, and those that are transformed together.
FRAMES_AT_ONCE, SPECTRA_AT_ONCE = 64, 256
#: Power of rumble over that of its floor from which on it comes in bursts (white noise: up to 1.8).
BURSTS = 2.0
#: Notes where there may be rumble are looked for at this rate, in Hz, unless it is too low for them.
NOTE_RATE = 2000
#: Gain that noise keeps: silence would be more conspicuous than a faint rest.
FLOOR = 0.05


@dataclass(frozen=True)
class View:
    """A recording through windows of one length."""

    size: int  # samples of the window
    spectra: Spectra  # (channels, bins, frames)
    power: Power  # (bins, frames), mean of the channels
    noise: Power  # (bins,)
    lowest: int  # first bin by which windows are compared

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
        power = mean_power(spectra_of(reference, self.size))
        clean = log_spectral_power(power, find_noise(power).power)
        level = self.first.mean() / (clean.mean() + 1e-30)
        expected = expect_from_reference(self.power, self.noise, level * clean, most_frames=most_frames)
        both: Power = np.sqrt(self.from_repetitions(most_frames) * expected)
        return both

    def wiener_gain(self, signal: Power) -> Power:
        """Gain of every bin and frame, given the signal's power."""
        gain: Power = np.clip(signal / (signal + self.noise[:, None]), FLOOR, 1)
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
class Material:
    """A recording without rumble, and its noise: what is seen through windows."""

    samples: Array  # (channels, samples)
    noise: Power  # (bins,)
    longest: int  # samples of the longest window
    blurred: int = 0  # bins of that one by which windows are not compared
    has_bursts: bool = False  # whether what was rumble was far above its floor

    @classmethod
    def of(cls, samples: Array, noise: Power, sample_rate: int, *, rumble_hertz: float | None = None) -> Material:
        """That of a recording with its rumble.

        Args:
            samples: `(channels, samples)`.
            noise: its steady noise, `(bins,)`.
            sample_rate: Hz.
            rumble_hertz: up to which frequency there is rumble and no note; None: see by the samples.
        """
        longest = window_size(WINDOW_SECONDS, samples, sample_rate)
        if rumble_hertz == 0:
            return cls(samples, noise, longest)
        spectra, hertz = spectra_of(samples, longest), sample_rate / longest
        rumble = rumble_bins(mean_power(spectra), hertz) if rumble_hertz is None else round(rumble_hertz / hertz)
        if not rumble:
            return cls(samples, noise, longest)
        floor = at_resolution(noise, spectra.shape[1])[:rumble]
        has_bursts = bool(mean_power(spectra[:, :rumble]).mean() > BURSTS * floor.mean())
        spectra[:, :rumble] *= FLOOR
        without = signal_of(spectra, longest, samples.shape[1])
        has_notes = _has_notes(samples, sample_rate, rumble * hertz)
        if has_notes or belongs_to_music(samples - without, without, sample_rate):
            return cls(samples, noise, longest)
        noise = noise.copy()
        noise[: round(rumble / (spectra.shape[1] - 1) * (len(noise) - 1))] *= FLOOR**2
        # the step at the edge spreads over a bin of the shorter windows
        return cls(without, noise, longest, rumble + 8, has_bursts)

    def excerpts(self, length: int, every: int) -> Material:
        """So many samples of every so many."""
        starts = range(0, self.samples.shape[1], every)
        samples = np.concatenate([self.samples[:, start : start + length] for start in starts], axis=1)
        return replace(self, samples=samples)

    def views(self) -> Iterator[View]:
        """The recording through windows of several lengths, the longest first."""
        for divisor in WINDOW_DIVISORS:
            if divisor == 1 or self.longest // divisor >= SHORTEST:
                yield self.view(self.longest // divisor)

    def view(self, size: int) -> View:
        """The recording through windows of so many samples."""
        spectra = spectra_of(self.samples, size)
        noise = at_resolution(self.noise, spectra.shape[1]).astype(np.float32)
        return View(size, spectra, mean_power(spectra), noise, self.blurred * size // self.longest)


def _has_notes(samples: Array, sample_rate: int, rumble_hertz: float) -> bool:
    """Whether there are notes where there is said to be rumble."""
    rate = sample_rate if 4 * rumble_hertz > NOTE_RATE else min(sample_rate, NOTE_RATE)
    low = resample(samples, sample_rate, rate)
    size = window_size(NOTE_SECONDS, low, rate)
    return holds_notes(mean_power(spectra_of(low, size)), rate / size, rumble_hertz)


def window_size(seconds: float, samples: Array, sample_rate: int) -> int:
    """Samples of a window: a power of two, no longer than the recording."""
    wanted, most = round(math.log2(seconds * sample_rate)), int(math.log2(max(16, samples.shape[1])))
    return 1 << min(wanted, most)


def mean_power(spectra: Spectra) -> Power:
    """Power in the mean of the channels: one gain for all of them keeps the image where it is."""
    power: Power = (spectra.real**2 + spectra.imag**2).mean(0)
    return power


def spectra_of(samples: Array, size: int) -> Spectra:
    """Short-time spectra through windows of `size` samples, `(channels, bins, frames)`.

    As `scipy.signal.stft` has them, with three quarters of overlap; but some frames at a time, for a long recording has
    many.
    """
    hop, window = size // OVERLAPS, _window(size)
    count = math.ceil(samples.shape[1] / hop) + 1
    padded = np.pad(samples, ((0, 0), (size // 2, count * hop + size // 2 - samples.shape[1])))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, ::hop]
    spectra = np.empty((len(samples), size // 2 + 1, count), np.complex64)
    for some in _some(count):
        spectra[..., some] = rfft(frames[:, some] * (window / window.sum()), axis=2).swapaxes(1, 2)
    return spectra


def signal_of(spectra: Spectra, size: int, samples: int) -> Array:
    """The inverse of `spectra_of`, of so many samples."""
    hop, window = size // OVERLAPS, _window(size)
    channels, _, count = spectra.shape
    added = np.zeros((channels, count + OVERLAPS - 1, hop), np.float32)
    weight = np.zeros((count + OVERLAPS - 1, hop), np.float32)
    for some in _some(count):
        frames = irfft(spectra[..., some].swapaxes(1, 2), axis=2) * (window * window.sum())
        for part in range(OVERLAPS):
            inside = slice(part * hop, (part + 1) * hop)
            added[:, some.start + part : some.stop + part] += frames[..., inside]
            weight[some.start + part : some.stop + part] += window[inside] ** 2
    signal = (added / np.maximum(weight, 1e-10)).reshape(channels, -1)[:, size // 2 :][:, :samples]
    return np.ascontiguousarray(signal, np.float32)


def _window(size: int) -> Array:
    """A periodic Hann window."""
    return np.hanning(size + 1)[:-1].astype(np.float32)


def _some(count: int) -> Iterator[slice]:
    """All of so many frames, some at a time."""
    for start in range(0, count, SPECTRA_AT_ONCE):
        yield slice(start, min(count, start + SPECTRA_AT_ONCE))


def first_estimate(samples: Array, noise: Power) -> Spectra:
    """Spectra after the log-spectral amplitude estimator, `(channels, bins, frames)`; `noise` is `(bins,)`."""
    spectra = spectra_of(samples, 2 * (len(noise) - 1))
    power = mean_power(spectra)
    estimate: Spectra = spectra * np.sqrt(log_spectral_power(power, noise) / (power + 1e-30))
    return estimate


def log_spectral_power(power: Power, noise: Power) -> Power:
    """Power after the log-spectral amplitude estimator, with decision-directed smoothing over time."""
    estimate = np.empty_like(power)
    before = np.maximum(power[:, 0] / noise - 1, 0)
    for start in range(0, power.shape[1], FRAMES_AT_ONCE):
        frames = slice(start, start + FRAMES_AT_ONCE)
        over_noise = np.ascontiguousarray((power[:, frames] / noise[:, None]).T)
        for now in over_noise:
            ratio = np.maximum(SMOOTHING * before + (1 - SMOOTHING) * np.maximum(now - 1, 0), LEAST_RATIO)
            share = ratio / (1 + ratio)
            gain = np.clip(share * log_amplitude_factor(share * now), FLOOR, 1)
            before = now[:] = gain**2 * now
        estimate[:, frames] = over_noise.T * noise[:, None]
    return estimate
