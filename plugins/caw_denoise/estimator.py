"""Estimating a recording without its noise, from nothing but the noisy recording.

A first estimate is the log-spectral amplitude estimator (Ephraim and Malah, 1985) with a noise spectrum from a low
quantile over time. Rumble below the lowest note is told from music by its spectrum, which has no peaks, and goes
altogether: it comes in bursts that no average describes. Then, band by band, the frames whose first estimates are most
alike are looked up in the whole recording, and their power is averaged: notes and syllables that come back are seen
several times with different noise (non-local means: Buades, Coll and Morel, 2005). The average is the signal in a
Wiener filter.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter, percentile_filter, uniform_filter1d
from scipy.signal import istft, stft
from scipy.special import exp1

Array = npt.NDArray[np.float32]
Power = npt.NDArray[np.float64]

WINDOW_SECONDS = 0.128
#: Long recordings are cleaned in pieces, crossfaded over a second.
PIECE_SECONDS = 300
#: Share of the frames that hold noise only, in every band, and what their quantile is multiplied by to get the mean.
NOISE_QUANTILE, QUANTILE_TO_MEAN = 0.1, 1.9
#: Noise is steady: the ratio of its 30 % to its 10 % quantile over time, median over this many bins, is below this
#: (white noise 1.7, record surface up to 2; rests between notes 2.5 to 100). Other bins have their neighbours' noise.
STEADY_BINS, STEADY_RATIO = 33, 2.3
#: Rumble: bins on each side that are compared, and the ratio of their 30 % quantile to their mean (1 for noise, near 0
#: between the peaks of a note) above which they hold no note.
RUMBLE_REACH, RUMBLE_FLATNESS = 8, 0.7
#: Least a-priori signal-to-noise ratio, and its smoothing over time.
LEAST_RATIO, SMOOTHING = 10**-2.5, 0.98
#: Gain that noise keeps: silence would be more conspicuous than a faint rest.
FLOOR = 0.05
#: Bands that are compared by themselves, frames of context on each side, and alike frames that are averaged.
BANDS, CONTEXT, ALIKE = 6, 2, 48


def denoise(samples: Array, sample_rate: int, *, strength: float = 1.0) -> Array:
    """Clean a recording; its level, length and alignment are kept.

    Args:
        samples: `(channels, samples)`.
        sample_rate: Hz.
        strength: from 0 (nothing is removed) to 1.

    Returns:
        `(channels, samples)` float32.
    """
    piece, fade = PIECE_SECONDS * sample_rate, sample_rate
    if samples.shape[1] <= piece + fade:
        return _denoise_piece(samples, sample_rate, strength)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    cleaned = np.zeros_like(samples, dtype=np.float32)
    for start in range(0, samples.shape[1] - fade, piece):
        part = _denoise_piece(samples[:, start : start + piece + fade], sample_rate, strength)
        if start:
            part[:, :fade] = part[:, :fade] * ramp + cleaned[:, start : start + fade] * (1 - ramp)
        cleaned[:, start : start + part.shape[1]] = part
    return cleaned


def _denoise_piece(samples: Array, sample_rate: int, strength: float) -> Array:
    """Clean a stretch that is short enough to compare all its frames with each other."""
    size = 2 ** round(np.log2(WINDOW_SECONDS * sample_rate))
    size = min(size, 2 ** int(np.log2(max(16, samples.shape[1]))))
    layout = {"nperseg": size, "noverlap": size * 3 // 4}
    spectra = stft(samples, sample_rate, **layout)[2]
    power = (np.abs(spectra) ** 2).mean(0)  # one gain for all channels keeps the image where it is
    gain = 1 - strength * (1 - _gain(power))
    cleaned = istft(spectra * gain, sample_rate, **layout)[1][:, : samples.shape[1]]
    return np.pad(cleaned, ((0, 0), (0, samples.shape[1] - cleaned.shape[1]))).astype(np.float32)


def _gain(power: Power) -> Power:
    """Gain of every bin and frame, `(bins, frames)`."""
    noise = _noise(power)[:, None]
    first = _log_spectral_gain(power / noise) ** 2 * power
    averaged = _averaged_over_alike(np.log1p(first / noise), first)
    ratio = 0.5 * (averaged + first) / noise
    gain: Power = np.clip(ratio / (1 + ratio), FLOOR, 1)
    gain[: _rumble_bins(power, noise)] = FLOOR
    return gain


def _noise(power: Power) -> Power:
    """Mean power of the noise in every bin: next to nothing in a recording without steady noise."""
    nothing = np.full(len(power), power.max() * 1e-12 + 1e-30)
    smooth = uniform_filter1d(power, 5, axis=1)
    heard = smooth[:, smooth.sum(0) > 0]  # digital silence says nothing about the noise
    if not heard.size:
        return nothing
    low, high = np.quantile(heard, [NOISE_QUANTILE, 3 * NOISE_QUANTILE], axis=1)
    level = np.maximum(uniform_filter1d(low, 9) * QUANTILE_TO_MEAN, nothing)
    steady = np.flatnonzero(median_filter(high / np.maximum(low, nothing), STEADY_BINS) < STEADY_RATIO)
    if not steady.size:
        return nothing
    between = np.exp(np.interp(np.arange(len(level)), steady, np.log(level[steady])))
    noise: Power = np.minimum(level, between)
    return noise


def _rumble_bins(power: Power, noise: Power) -> int:
    """Number of bins below the lowest note: up to there, loud frames are as flat across frequency as noise is."""
    whitened = power / noise
    around = 2 * RUMBLE_REACH + 1
    # white noise has an exponential distribution of power, whose 30 % quantile is -ln 0.7 of the mean
    quantile = percentile_filter(whitened, 30, size=(around, 1)).sum(1) / -np.log(0.7)
    mean = uniform_filter1d(whitened, around, axis=0).sum(1)
    flat = quantile > RUMBLE_FLATNESS * mean
    return 0 if flat.all() else int(np.argmin(flat))


def _log_spectral_gain(posterior: Power) -> Power:
    """Gain from the a-posteriori signal-to-noise ratio, with decision-directed smoothing over time."""
    gain = np.empty_like(posterior)
    before = np.maximum(posterior[:, 0] - 1, 0)
    for frame, now in enumerate(posterior.T):
        ratio = np.maximum(SMOOTHING * before + (1 - SMOOTHING) * np.maximum(now - 1, 0), LEAST_RATIO)
        share = ratio / (1 + ratio)
        gain[:, frame] = np.clip(share * np.exp(0.5 * exp1(np.maximum(share * now, 1e-8))), FLOOR, 1)
        before = gain[:, frame] ** 2 * now
    return gain


def _averaged_over_alike(features: Power, power: Power) -> Power:
    """For every band and frame, the mean of `power` over the frames whose features around the band are most alike."""
    bins, frames = power.shape
    edges = np.unique(np.round(np.geomspace(min(8, bins), bins, BANDS + 1)).astype(int))
    edges[0] = 0
    count = min(ALIKE, frames)
    around = np.clip(np.arange(frames) + np.arange(-CONTEXT, CONTEXT + 1)[:, None], 0, frames - 1)
    averaged = np.empty_like(power)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        part = features[max(0, low - 4) : high + 4].astype(np.float32)
        described = np.concatenate([part[:, index] for index in around]).T
        energies = (described**2).sum(1)
        for start in range(0, frames, 256):
            rows = slice(start, start + 256)
            distances = energies[rows, None] + energies - 2 * described[rows] @ described.T
            alike = np.argpartition(distances, count - 1, axis=1)[:, :count]
            nearness = np.take_along_axis(distances, alike, axis=1)
            weights = np.exp(-2 * np.maximum(nearness, 0) / (np.median(nearness) + 1e-9)) + 1e-6
            weights /= weights.sum(1, keepdims=True)
            averaged[low:high, rows] = np.einsum("tk,ftk->ft", weights, power[low:high][:, alike])
    return averaged
