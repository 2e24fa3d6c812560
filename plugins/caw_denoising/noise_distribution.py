"""How the power of a recording's quiet cells is distributed: noise has one distribution whatever its spectrum.

The power of Gaussian noise is exponentially distributed around its mean in every bin and frame. So of all cells below
three times that mean, the log power has a variance of 1.5: more, if music is among them, whose own quiet moments are
of all levels, and partials between gaps; less, if the mean is more than was supposed. This needs no assumption on the
noise's spectrum. A cell is a bin in a frame.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

Power = npt.NDArray[np.floating]

#: Bands that are looked at by themselves; each has this many bins at least.
BANDS = 18
LEAST_BINS = 16
#: Cells below so many times the mean of the noise are quiet enough to be noise.
QUIET_RATIO = 3.0
#: Power beside that of the noise that is as little as nothing.
POWER_FLOOR = 1e-3
#: A band with less than this share of the supposed noise is empty.
LEAST_BAND_SHARE = 1e-4
#: Bins over which the supposed noise is smoothed, twice; and fewer, where it may fall steeply.
SMOOTHED_BINS = 9
SLOPE_BINS = 5
#: Frames overlap by three quarters: every second one says as much as all.
FRAME_STEP = 2
#: Largest variance (in noise 1.5) up to which the noise of a band has the level that it was taken for.
MOST_VARIANCE = 2.3
#: The same for the lower levels that are tried instead.
MOST_VARIANCE_BELOW = 1.8
#: These levels, as shares of the supposed one; the cells below three times one are this share of all at least.
LEVELS = 0.5 ** np.arange(6)
LEAST_CELL_SHARE = 0.02
#: The quietest frames, as a share of all, are the pauses.
PAUSE_SHARE = 0.03
#: Share of the bins, from the lowest, that pauses are not found by.
LOW_SHARE = 0.025
#: Bins over which the power in pauses is averaged, and over which its level may drift.
PAUSE_SMOOTHED_BINS = 9
PAUSE_DRIFT_BINS = 33


@dataclass(frozen=True)
class NoiseEvidence:
    """What the quiet cells of a recording say about its noise.

    Attributes:
        variance: of their log power in the band of every bin, `(bins,)`.
        band_variances: of the bands that hold any noise to speak of, `(bands,)`.
        noise_share: of the supposed noise in every bin that is noise, from 0 to 1, `(bins,)`.
    """

    variance: Power
    band_variances: Power
    noise_share: Power

    @classmethod
    def of(cls, power: Power, noise: Power) -> NoiseEvidence:
        """Look at a recording.

        Args:
            power: `(bins, frames)`.
            noise: supposed mean power of its noise, `(bins,)`.
        """
        level = uniform_filter1d(uniform_filter1d(noise, SMOOTHED_BINS), SMOOTHED_BINS)
        slope = np.exp(uniform_filter1d(np.log(noise), SLOPE_BINS))
        variance, band_variances, centres, shares = np.empty_like(noise), [], [], []
        for band in _bands(len(power)):
            cells = power[band, ::FRAME_STEP]
            variance[band] = _log_power_of_quiet_cells(cells / level[band, None]).var()
            if noise[band].sum() > LEAST_BAND_SHARE * noise.sum():
                band_variances.append(variance[band.start])
            # where noise falls steeply, its mean over some bins is that of the loudest of them
            shares.append(_noise_share(_log_power_of_quiet_cells(cells / slope[band, None]), cells.size))
            centres.append((band.start + band.stop - 1) / 2)
        share = np.exp(np.interp(np.arange(len(noise)), centres, np.log(np.maximum(shares, POWER_FLOOR))))
        return cls(variance, np.array(band_variances), share.astype(noise.dtype))


def _log_power_of_quiet_cells(ratio: Power) -> Power:
    """Log of the power over that of the noise, of cells that are quiet enough to be noise, `(cells,)`."""
    quiet: Power = np.log(np.maximum(ratio[ratio < QUIET_RATIO], POWER_FLOOR))
    return quiet if quiet.size else np.zeros(1, ratio.dtype)


def _noise_share(log_power: Power, cells: int) -> float:
    """The highest level at which the quiet cells of a band are distributed as noise is."""
    for level in LEVELS:
        below = log_power[log_power < math.log(QUIET_RATIO * level)]
        if below.size < LEAST_CELL_SHARE * cells:
            return 0.0
        variance = np.maximum(below, math.log(POWER_FLOOR * level)).var()
        if variance < (MOST_VARIANCE if level == 1 else MOST_VARIANCE_BELOW):
            return float(level)
    return 0.0


class Pauses(NamedTuple):
    """The quietest frames of a recording.

    Attributes:
        variance: of their log power, each bin beside its mean there; of noise 1.6.
        relative_power: their power over that of all frames.
    """

    variance: float
    relative_power: float


def pauses_of(power: Power, noise: Power) -> Pauses:
    """Measure the quietest frames of a recording.

    Args:
        power: `(bins, frames)`.
        noise: supposed mean power of its noise, `(bins,)`, by which bins are weighted.
    """
    loudness = uniform_filter1d(power[round(LOW_SHARE * len(power)) :].sum(0), 3)
    pauses = power[:, loudness <= np.quantile(loudness, PAUSE_SHARE)]
    mean = uniform_filter1d(pauses.mean(1), PAUSE_SMOOTHED_BINS)
    nepers = np.log(np.maximum(pauses / np.maximum(mean, 1e-30)[:, None], POWER_FLOOR))
    nepers -= uniform_filter1d(nepers, PAUSE_DRIFT_BINS, axis=0)
    variance = float(np.average(np.square(nepers).mean(1), weights=noise))
    return Pauses(variance, float(pauses.mean(1).sum() / power.mean(1).sum()))


def _bands(bins: int) -> Iterator[slice]:
    """Bands that get wider."""
    edges = np.geomspace(LEAST_BINS, bins, BANDS)
    edges = np.unique(np.round(np.maximum(edges, LEAST_BINS * np.arange(1, BANDS + 1))).astype(int))
    edges = np.concatenate([[0], edges[edges < bins - LEAST_BINS], [bins]])
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        yield slice(int(low), int(high))
