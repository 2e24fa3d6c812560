"""Filling gaps: several attempts at each, of which the one that fits its surroundings best is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.signal import stft

from caw_inpainting.gaps import Gap, stitched
from caw_toolkit import derived_seed

if TYPE_CHECKING:
    from caw_toolkit import PyramidModel

Array = npt.NDArray[np.float32]

#: What the model is given on each side of a gap.
CONTEXT_SECONDS = 6
#: Attempts at each gap.
ATTEMPTS = 12
#: What a filling is compared with: the sound this long before the gap and after it.
NEIGHBOUR_SECONDS = 0.4
#: Joins are compared this far around them.
JOIN_SECONDS = 0.02
#: Decibels of spectral distance that a join twice as rough as is usual in the recording weighs.
ROUGHNESS_WEIGHT = 6.0
#: Spectra are compared in windows of this length, every so often, in so many bands of equal ratio.
WINDOW_SECONDS, HOP_SECONDS, BANDS = 0.032, 0.005, 32


def filled(model: PyramidModel, samples: Array, gaps: Sequence[Gap], *, seed: int) -> Array:
    """Fill gaps in a recording; everything outside them and their crossfades stays as it is, bit for bit.

    Args:
        model: trained on what is left of the recording, at the recording's rate.
        samples: `(channels, samples)`, with anything in the gaps.
        gaps: in samples, sorted and apart from each other.
        seed: of the noise.

    Returns:
        `(channels, samples)` float32.
    """
    rate = model.sample_rate
    result = samples
    for number, (start, stop) in enumerate(gaps):
        first = max(0, start // rate - CONTEXT_SECONDS) * rate
        last = min(samples.shape[1], stop + CONTEXT_SECONDS * rate)
        part = result[:, first:last]
        gap = (start - first, stop - first)
        # gaps further on are still empty
        missing = [(max(a, first) - first, min(b, last) - first) for a, b in gaps[number:] if a < last]
        seconds = [(a / rate, b / rate) for a, b in missing]
        attempts = (
            stitched(part, model.fill(part, rate, seconds, seed=derived_seed(seed, number, attempt)), [gap], rate)
            for attempt in range(ATTEMPTS)
        )
        best = min(attempts, key=lambda attempt: strangeness(attempt, rate, gap))
        result = np.concatenate([result[:, :first], best, result[:, last:]], axis=1)
    return result


def strangeness(samples: Array, sample_rate: int, gap: Gap) -> float:
    """How far a filled gap is from what one expects there, in decibels.

    That is its mean spectrum's distance to the mean of both neighbours', and how much more the spectrum changes at its
    joins than is usual.
    """
    levels = _band_levels(samples, sample_rate)
    start, stop = (round(edge / (HOP_SECONDS * sample_rate)) for edge in gap)
    reach = round(NEIGHBOUR_SECONDS / HOP_SECONDS)
    before, inside, after = (
        levels[:, max(0, start - reach) : start],
        levels[:, start:stop],
        levels[:, stop : stop + reach],
    )
    neighbours = [part.mean(1) for part in (before, after) if part.size]
    distance = np.abs(inside.mean(1) - np.mean(neighbours, axis=0)).mean() if neighbours and inside.size else 0.0
    near = round(JOIN_SECONDS / HOP_SECONDS)
    flux = np.abs(np.diff(levels, axis=1)).mean(0)
    peaks = 1e-6 + np.lib.stride_tricks.sliding_window_view(np.pad(flux, near, mode="edge"), 2 * near + 1).max(1)
    joins = [peaks[edge] for edge in (start, stop) if 0 < edge < len(peaks)]
    roughness = sum(max(0.0, float(np.log2(join / np.median(peaks)))) for join in joins)
    return float(distance) + ROUGHNESS_WEIGHT * roughness


def _band_levels(samples: Array, sample_rate: int) -> npt.NDArray[np.float64]:
    """Levels of bands in dB, floored 80 dB below their mean, `(bands, frames)`."""
    window = round(WINDOW_SECONDS * sample_rate)
    overlap = window - max(1, round(HOP_SECONDS * sample_rate))
    spectra = stft(samples, sample_rate, nperseg=window, noverlap=overlap)[2]
    power = (np.abs(spectra) ** 2).sum(0)
    edges = np.unique(np.round(np.geomspace(2, len(power), BANDS + 1)).astype(int))[:-1]
    bands = np.add.reduceat(power, edges, axis=0)
    levels: npt.NDArray[np.float64] = 10 * np.log10(bands + bands.mean() * 1e-8 + 1e-20)
    return levels
