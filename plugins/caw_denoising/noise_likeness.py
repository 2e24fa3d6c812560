"""Whether the quiet cells of a spectrogram are noise: noise has one distribution whatever its spectrum, music has not.

The power of Gaussian noise is exponentially distributed around its mean in every bin and frame. So of all cells below
three times that mean, the log power has a variance of 1.5: more, if music is among them, whose own quiet moments are
of all levels, and partials between gaps; less, if the mean is more than was supposed. This needs no assumption on the
noise's spectrum.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

Power = npt.NDArray[np.floating]

#: Bands that are looked at by themselves, and the fewest bins of one.
BANDS, LEAST_BINS = 18, 16
#: Cells below so many times the mean of the noise are taken for it; and what is as little as nothing beside it.
QUIET, NOTHING = 3.0, 1e-3
#: A band with less than this share of the supposed noise is empty.
EMPTY = 1e-4
#: Bins over which the supposed noise is smoothed, twice, and those over which it is where it may fall steeply.
SMOOTH, SLOPE = 9, 5
#: Frames overlap by three quarters: every second one says as much as all.
EVERY = 2
#: Largest variance (in noise 1.5) up to which a band's noise is what it was taken for, and up to which it is at a
#: lower level; the levels that are tried, and the share of the cells that one has to hold.
MOST_VARIANCE, MOST_VARIANCE_BELOW, LEVELS, FEWEST = 2.3, 1.8, 0.5 ** np.arange(6), 0.02
#: Share of the frames that are the pauses, and of the bins below which their level is not compared.
PAUSES, LOWS = 0.03, 0.025


@dataclass(frozen=True)
class Likeness:
    """How much like noise the quiet cells of a recording are.

    Attributes:
        variance: of their log power in the band of every bin, `(bins,)`.
        of_bands: the same of the bands that hold any noise to speak of, `(bands,)`.
        share: of the supposed noise in every bin that is noise, `(bins,)`.
    """

    variance: Power
    of_bands: Power
    share: Power

    @classmethod
    def of(cls, power: Power, noise: Power) -> Likeness:
        """That of a recording.

        Args:
            power: `(bins, frames)`.
            noise: supposed mean power of its noise, `(bins,)`.
        """
        level = uniform_filter1d(uniform_filter1d(noise, SMOOTH), SMOOTH)
        slope = np.exp(uniform_filter1d(np.log(noise), SLOPE))
        variance, of_bands, centres, shares = np.empty_like(noise), [], [], []
        for band in _bands(len(power)):
            cells = power[band, ::EVERY]
            variance[band] = _quiet(cells / level[band, None]).var()
            if noise[band].sum() > EMPTY * noise.sum():
                of_bands.append(variance[band.start])
            # where noise falls steeply, its mean over some bins is that of the loudest of them
            shares.append(_share(_quiet(cells / slope[band, None]), cells.size))
            centres.append((band.start + band.stop - 1) / 2)
        share = np.exp(np.interp(np.arange(len(noise)), centres, np.log(np.maximum(shares, NOTHING))))
        return cls(variance, np.array(of_bands), share.astype(noise.dtype))


def _quiet(ratio: Power) -> Power:
    """Log of what is quiet enough to be noise, `(cells,)`."""
    quiet: Power = np.log(np.maximum(ratio[ratio < QUIET], NOTHING))
    return quiet if quiet.size else np.zeros(1, ratio.dtype)


def _share(quiet: Power, cells: int) -> float:
    """The highest level at which the quiet cells of a band are distributed as noise is."""
    for level in LEVELS:
        below = quiet[quiet < math.log(QUIET * level)]
        if below.size < FEWEST * cells:
            return 0.0
        if np.maximum(below, math.log(NOTHING * level)).var() < (MOST_VARIANCE if level == 1 else MOST_VARIANCE_BELOW):
            return float(level)
    return 0.0


def variance_in_pauses(power: Power, noise: Power) -> tuple[float, float]:
    """The same in the quietest frames over the mean of each of their bins, and the power of those over that of all.

    Args:
        power: `(bins, frames)`.
        noise: supposed mean power of its noise, `(bins,)`, by which bins are weighted.
    """
    loudness = uniform_filter1d(power[round(LOWS * len(power)) :].sum(0), 3)
    pauses = power[:, loudness <= np.quantile(loudness, PAUSES)]
    mean = uniform_filter1d(pauses.mean(1), 9)
    nepers = np.log(np.maximum(pauses / np.maximum(mean, 1e-30)[:, None], NOTHING))
    nepers -= uniform_filter1d(nepers, 33, axis=0)
    variance = float(np.average(np.square(nepers).mean(1), weights=noise))
    return variance, float(pauses.mean(1).sum() / power.mean(1).sum())


def _bands(bins: int) -> Iterator[slice]:
    """Bands that get wider."""
    edges = np.geomspace(LEAST_BINS, bins, BANDS)
    edges = np.unique(np.round(np.maximum(edges, LEAST_BINS * np.arange(1, BANDS + 1))).astype(int))
    edges = np.concatenate([[0], edges[edges < bins - LEAST_BINS], [bins]])
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        yield slice(int(low), int(high))
