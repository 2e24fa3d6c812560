"""Estimating a recording without its noise, from the noisy recording and, if there is one, a cleaner one.

Clicks go first (`clicks`), then hum (`hum`), so that what is left of the noise is steady. A first estimate is the
log-spectral amplitude estimator (Ephraim and Malah, 1985). Rumble below the lowest note is told from music by its
spectrum, which has no peaks, and goes altogether: it comes in bursts that no average describes. Then the signal's power
is estimated once more from all moments at which the recording sounds the same: notes and syllables that come back are
seen several times with different noise. A cleaner recording of the same source shows them with hardly any. The estimate
is the signal in a Wiener filter.

Windows are as long as suits the material: the error to be expected decides, which needs no truth (Stein, 1981). It also
shows a cleaner recording that is of something else altogether.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.signal import istft, stft

from caw_denoising.clicks import remove_clicks
from caw_denoising.findings import Findings
from caw_denoising.hum import find_hum
from caw_denoising.log_amplitude import log_amplitude_factor
from caw_denoising.noise_floor import at_resolution, find_noise, rumble_bins
from caw_denoising.repetitions import average_over_neighbours, expect_from_reference
from caw_toolkit import Array
from caw_toolkit.dsp.overlap_add import BlockJoiner

Power = npt.NDArray[np.float64]

#: The window in which the noise is measured.
NOISE_WINDOW_SECONDS = 0.128
#: The longest window, what it is divided by to get the others, and the shortest in samples.
WINDOW_SECONDS, WINDOW_DIVISORS, SHORTEST = 0.256, (1, 2, 4, 8, 16), 64
#: Long recordings are cleaned in blocks, crossfaded over a second.
BLOCK_SECONDS = 120
#: Shorter ones are continued with silence.
LEAST_SECONDS = 0.5
#: Least a-priori signal-to-noise ratio, and its smoothing over time.
LEAST_RATIO, SMOOTHING = 10**-2.5, 0.98
#: What a cleaner recording may add to the expected error: a little by this measure even where it helps, half as much
#: again and more if it is of something else.
MOST_ERROR = 1.1
#: Frames that are brought into the order of time together.
FRAMES_AT_ONCE = 64
#: Gain that noise keeps: silence would be more conspicuous than a faint rest.
FLOOR = 0.05


@dataclass(frozen=True)
class Cleaned:
    """A recording without its noise.

    Attributes:
        samples: `(channels, samples)` float32.
        findings: what was found in it.
    """

    samples: Array
    findings: Findings


def denoise(
    samples: Array, sample_rate: int, *, strength: float = 1.0, reference: Array | None = None, declick: bool = True
) -> Array:
    """Clean a recording; its level, length and alignment are kept. `clean` says what was found, too.

    Returns:
        `(channels, samples)` float32.
    """
    return clean(samples, sample_rate, strength=strength, reference=reference, declick=declick).samples


def clean(
    samples: Array, sample_rate: int, *, strength: float = 1.0, reference: Array | None = None, declick: bool = True
) -> Cleaned:
    """Remove clicks, hum and steady noise from a recording; its level, length and alignment are kept.

    Args:
        samples: `(channels, samples)`.
        sample_rate: Hz.
        strength: from 0 (nothing is removed) to 1.
        reference: a cleaner recording of the same source at the same rate, `(any channels, samples)`, at any level.
        declick: whether to look for clicks and crackle.
    """
    length, least, fade = samples.shape[1], round(LEAST_SECONDS * sample_rate), sample_rate
    if length < least:
        padded = np.pad(samples, ((0, 0), (0, least - length)))
        short = clean(padded, sample_rate, strength=strength, reference=reference, declick=declick)
        return Cleaned(short.samples[:, :length], short.findings)
    count = max(1, math.ceil((length - fade) / (BLOCK_SECONDS * sample_rate)))
    size = length if count == 1 else math.ceil((length - fade) / count)
    joiner = BlockJoiner(np.linspace(0, 1, fade, dtype=np.float32))
    parts, findings = [], Findings()
    for index in range(count):
        is_last = index == count - 1
        block = samples[:, index * size :] if is_last else samples[:, index * size : (index + 1) * size + fade]
        cleaned = _clean_block(block, sample_rate, reference, declick=declick)
        faded = np.asarray(block + strength * (cleaned.samples - block), np.float32)
        parts.append(faded if count == 1 else joiner.join(faded, keep=block.shape[1] if is_last else size))
        findings = findings.joined(cleaned.findings)
    return Cleaned(np.concatenate(parts, axis=1), findings)


def _clean_block(samples: Array, sample_rate: int, reference: Array | None, *, declick: bool) -> Cleaned:
    """Clean a stretch that is short enough to compare all its frames with each other."""
    findings = Findings(seconds=samples.shape[1] / sample_rate, sample_count=samples.size)
    if declick:
        repaired = remove_clicks(samples, sample_rate)
        samples = repaired.samples
        findings = replace(findings, strokes=repaired.strokes, touched=repaired.touched)
    hum = find_hum(samples, sample_rate)
    samples = samples - hum.signal
    findings = replace(findings, hum_lines=hum.lines)
    measured = _window(NOISE_WINDOW_SECONDS, samples, sample_rate)
    spectra = stft(samples, **_layout(measured))[2]
    power = _mean_power(spectra)
    noise = find_noise(power)
    if not noise.is_heard:
        return Cleaned(samples, findings)
    findings = replace(findings, noise_db=float(10 * np.log10(noise.power.sum() / power.mean(1).sum())))
    cleaned = _without_noise(samples, noise.power, sample_rate, reference)
    if not noise.is_sure:  # the average of two estimates errs less than either is likely to
        amplitudes = np.sqrt(_log_spectral_power(power, noise.most) / (power + 1e-30))
        cleaned = np.asarray((cleaned + _signal(spectra * amplitudes, measured, samples.shape[1])) / 2, np.float32)
    return Cleaned(cleaned, findings)


def _without_noise(samples: Array, noise: Power, sample_rate: int, reference: Array | None) -> Array:
    """The estimate through the window that suits the material."""
    views = _views(samples, noise, _window(WINDOW_SECONDS, samples, sample_rate), sample_rate)
    view = min(views, key=lambda view: view.expected_error(view.wiener_gain(view.first)))
    gain = view.wiener_gain(view.from_repetitions)
    if reference is not None:
        informed = view.wiener_gain(view.from_reference(reference))
        error = view.expected_error(gain)
        if view.expected_error(informed) - error < (MOST_ERROR - 1) * abs(error):
            gain = informed
    return _signal(view.spectra * gain, view.size, samples.shape[1])


def _views(samples: Array, noise: Power, longest: int, sample_rate: int) -> Iterator[_View]:
    """The recording without rumble through windows of several lengths."""
    spectra = stft(samples, **_layout(longest))[2]
    power = _mean_power(spectra)
    rumble = rumble_bins(power, sample_rate / longest)
    blurred = rumble + 16 if rumble else 0  # the step at the edge spreads over two bins of the shorter windows
    if rumble:
        spectra[:, :rumble] *= FLOOR
        noise = noise.copy()
        noise[: round(rumble / (len(power) - 1) * (len(noise) - 1))] *= FLOOR**2
        samples = _signal(spectra, longest, samples.shape[1])
    for size in [longest // divisor for divisor in WINDOW_DIVISORS if divisor == 1 or longest // divisor >= SHORTEST]:
        spectra = stft(samples, **_layout(size))[2]
        noise_there = at_resolution(noise, spectra.shape[1])
        yield _View(size, spectra, _mean_power(spectra), noise_there, blurred * size // longest)


def _window(seconds: float, samples: Array, sample_rate: int) -> int:
    """Samples of a window: a power of two, no longer than the recording."""
    wanted, most = round(math.log2(seconds * sample_rate)), int(math.log2(max(16, samples.shape[1])))
    return 1 << min(wanted, most)


def _mean_power(spectra: npt.NDArray[np.complex64]) -> Power:
    """Power in the mean of the channels: one gain for all of them keeps the image where it is."""
    power: Power = (spectra.real**2 + spectra.imag**2).mean(0)
    return power


def _signal(spectra: npt.NDArray[np.complex64], size: int, samples: int) -> Array:
    """The inverse of the analysis through windows of `size` samples."""
    signal = istft(spectra, **_layout(size))[1][:, :samples]
    return np.pad(signal, ((0, 0), (0, samples - signal.shape[1]))).astype(np.float32)


def _layout(size: int) -> dict[str, int]:
    return {"nperseg": size, "noverlap": size * 3 // 4}


@dataclass(frozen=True)
class _View:
    """A recording through windows of one length."""

    size: int  # samples of the window
    spectra: npt.NDArray[np.complex64]  # (channels, bins, frames)
    power: Power  # (bins, frames), mean of the channels
    noise: Power  # (bins,)
    lowest: int  # first bin by which windows are compared

    @cached_property
    def first(self) -> Power:
        """First estimate of the signal's power, from each frame and those before it."""
        return _log_spectral_power(self.power, self.noise)

    @cached_property
    def from_repetitions(self) -> Power:
        """Estimate of the signal's power from the nearest neighbours of each frame."""
        noise = self.noise[:, None]
        # neighbours by their first estimates: by their power, frames are near because their noise is
        return 0.5 * (average_over_neighbours(np.log1p(self.first / noise), self.first) + self.first)

    def from_reference(self, reference: Array) -> Power:
        """The same, with what another recording of the source makes likely."""
        power = _mean_power(stft(reference, **_layout(self.size))[2])
        clean = _log_spectral_power(power, find_noise(power).power)
        level = self.first.mean() / (clean.mean() + 1e-30)
        expected = expect_from_reference(self.power, self.noise, level * clean)
        both: Power = np.sqrt(self.from_repetitions * expected)
        return both

    def wiener_gain(self, signal: Power) -> Power:
        """Gain of every bin and frame, given the signal's power."""
        gain: Power = np.clip(signal / (signal + self.noise[:, None]), FLOOR, 1)
        return gain

    def expected_error(self, gain: Power) -> float:
        """Stein's unbiased estimate of the squared error, up to what is the same for all gains and windows."""
        error = (1 - gain) ** 2 * self.power + (2 * gain - 1) * self.noise[:, None]
        return float(error[self.lowest :].sum() * self.size)


def _log_spectral_power(power: Power, noise: Power) -> Power:
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
