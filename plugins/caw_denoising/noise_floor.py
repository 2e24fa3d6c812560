"""The quiet moments of a recording in every bin, and in which bins they behave like noise.

The level is a low quantile over time (as in minimum statistics: Martin, 2001), believed only in bins that behave like
noise: steady over time and level across frequency. Music that never pauses is steady too, but has peaks. And it is
believed only if enough of the recording behaves like that, or its broad bands never fall below a floor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d, median_filter, uniform_filter1d

Power = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]


class Belief(NamedTuple):
    """From which share of the bins on they are believed, and up to which spread of the floor.

    Attributes:
        least_share: of the bins that behave like noise.
        most_spread: median, in nepers of power from bin to bin.
    """

    least_share: float
    most_spread: float


class Steadiness(NamedTuple):
    """Up to which ratio over time broad bands have a floor, and up to which spread of it.

    Attributes:
        most_ratio: of the 30 % to the 10 % quantile of the fourth steadiest band.
        most_spread: as of `Belief`.
    """

    most_ratio: float
    most_spread: float


#: Share of the frames that hold noise only, in every band: the floor is this quantile over time.
NOISE_QUANTILE = 0.1
#: A lower quantile, which holds less of what is not noise.
LOWEST_QUANTILE = 0.02
#: Bins that are looked at together to decide whether they hold noise.
TOGETHER = 33
#: Noise is steady: the ratio of its 30 % to its 10 % quantile over time is between these (white noise 1.7, record
#: surface up to 2; rests between notes 2.5 to 100). What is steadier is a tone.
TONE_RATIO = 1.3
STEADY_RATIO = 2.3
#: Noise is level, on a slope or not: a bin differs from the mean of those so many bins away on both sides by less than
#: this, in nepers of power (white noise 0.1 from 5 s on; music without rests 0.25 to 0.5).
SLOPE_BINS = 5
LEVEL_SPREAD = 0.22
#: Where there are fewer frames than this to average over, it may differ by more.
LEVEL_FRAMES = 160
#: In these cases the bins that behave like noise are believed.
BELIEFS = (Belief(0.42, math.inf), Belief(0.33, 0.225), Belief(0.2, 0.2))
#: Otherwise the fourth steadiest of some broad bands decides, in recordings of many frames and in shorter ones.
STEADY_BANDS = (Steadiness(1.4, 0.225), Steadiness(1.33, 0.265), Steadiness(1.25, 0.34))
STEADY_BANDS_OF_FEW = (Steadiness(1.36, 0.225), Steadiness(1.33, 0.24))
MANY_FRAMES = 312
#: Bins may then differ by more.
ROUGH_SPREAD = 0.32
#: Uneven floors are believed, too, if broad bands are as steady as this and more than this share of the narrow bands,
#: each of so many bins, is flat at single moments.
STEADY_BANDS_IF_FLAT = Steadiness(1.45, 0.26)
LEAST_FLAT_SHARE = 0.85
FLAT_BINS = 17
#: Flat is a band whose geometric mean, in the quietest tenth of its frames, is above so much of the arithmetic one
#: (0.86 in noise).
LEAST_FLATNESS = 0.77
#: A bin that is so far above those so many bins away on both sides, or above those of the slope, belongs to a partial.
PEAK_BINS = 3
PEAK_NEPERS = 1.0
#: Below the lowest believed bin, or below this one, steadiness is enough: rumble is anything but level.
LOWEST_BINS = 30
LOWEST_STEADY_RATIO = 2.5
#: Doubt where too few bins behave like noise.
SOME_DOUBT = 0.5
#: Where enough do, there is none up to this median spread.
SURE_SPREAD = 0.2
#: Beyond it, all of it where this share of the bins around one behaves like noise, and the doubt above from that on.
ALL_DOUBTFUL_SHARE = 0.2
LESS_DOUBTFUL_SHARE = 0.6
#: Bins of less power than this share of the loudest are empty: they say nothing.
EMPTY = 1e-8


@dataclass(frozen=True)
class Floor:
    """What the quiet moments are like in every bin, all `(bins,)`.

    Attributes:
        low: the quantile of the power.
        lowest: a lower one.
        ratio: of a higher quantile to it, in the median of the bins around.
        spread: nepers from bin to bin, in the median of the bins around.
        peaks: where a bin stands out of those on both sides.
    """

    low: Power
    lowest: Power
    ratio: Power
    spread: Power
    peaks: Mask

    @classmethod
    def of(cls, power: Power, least: Power) -> Floor:
        """Measure a recording.

        Args:
            power: smoothed over time, `(bins, frames)`.
            least: floor of the floor, `(bins,)`.
        """
        quantiles = [LOWEST_QUANTILE, NOISE_QUANTILE, 3 * NOISE_QUANTILE]
        lowest, low, high = np.maximum(np.quantile(power, quantiles, axis=1), least)
        nepers = np.log(low)
        spread = median_filter(np.abs(_over_its_sides(nepers, SLOPE_BINS)), TOGETHER)
        stands_out = np.maximum(*(_over_its_sides(nepers, bins) for bins in (PEAK_BINS, SLOPE_BINS))) > PEAK_NEPERS
        return cls(low, lowest, median_filter(high / low, TOGETHER), spread, maximum_filter1d(stands_out, PEAK_BINS))

    def noisy_bins(self, power: Power) -> tuple[Mask, Power]:
        """In which bins there is noise, and how doubtful that is around each, from 0 to 1; both `(bins,)`.

        Args:
            power: that it was measured in.
        """
        full = power.mean(1) > EMPTY * power.mean(1).max()
        full &= self.ratio > TONE_RATIO
        some_doubt = np.full(len(power), SOME_DOUBT, power.dtype)
        if not full.any():
            return full, some_doubt
        is_steady = (self.ratio < STEADY_RATIO) & full
        believed = is_steady & (self.spread < LEVEL_SPREAD * max(1, np.sqrt(LEVEL_FRAMES / power.shape[1])))
        share, spread = believed[full].mean(), float(np.median(self.spread[full]))
        if any(share > belief.least_share and spread <= belief.most_spread for belief in BELIEFS):
            lowest, bins = max(int(np.argmax(believed)), LOWEST_BINS), np.arange(len(believed))
            is_low = full & (bins < lowest) & (self.ratio < LOWEST_STEADY_RATIO)
            believed = (believed | is_low) & ~self.peaks
            doubt = _doubt(believed, spread, power.dtype) if share > BELIEFS[0].least_share else some_doubt
            return believed, doubt
        return is_steady & (self.spread < ROUGH_SPREAD) & self._is_steady_in_bands(power, spread), some_doubt

    def _is_steady_in_bands(self, power: Power, spread: float) -> bool:
        """Whether broad bands never fall below a floor."""
        limits = STEADY_BANDS if power.shape[1] >= MANY_FRAMES else STEADY_BANDS_OF_FEW
        if _flat_share(power, self.low) > LEAST_FLAT_SHARE:
            limits = (*limits, STEADY_BANDS_IF_FLAT)
        ratio = _ratio_of_broad_bands(power, self.low)
        return any(ratio < limit.most_ratio and spread < limit.most_spread for limit in limits)


def _over_its_sides(nepers: Power, distance: int) -> Power:
    """How far each value is above the mean of those so far on both sides."""
    padded = np.pad(nepers, distance, mode="reflect")
    return nepers - (padded[: -2 * distance] + padded[2 * distance :]) / 2


def _doubt(believed: Mask, spread: float, precision: np.dtype[np.floating]) -> Power:
    """Doubt of noise that enough bins behave like: none where it is even, else by how many do so around each bin."""
    if spread < SURE_SPREAD:
        return np.zeros(len(believed), precision)
    alike = uniform_filter1d(believed.astype(precision), TOGETHER)
    doubt: Power = np.interp(alike, (ALL_DOUBTFUL_SHARE, LESS_DOUBTFUL_SHARE), (1, SOME_DOUBT)).astype(precision)
    return doubt


def _ratio_of_broad_bands(power: Power, low: Power) -> float:
    """How steady the fourth steadiest of fifteen broad bands is: noise is the more so the broader the band."""
    last = len(low) - 1
    edges = np.unique([4, 12, 24, 40, *np.geomspace(last / 16, last, 12).round().astype(int)])
    edges = edges[edges <= last]
    ratios = []
    for begin, end in zip(edges[:-1], edges[1:], strict=True):
        together = np.minimum(power[begin:end] / low[begin:end, None], 8).mean(0)
        ratios.append(np.quantile(together, 3 * NOISE_QUANTILE) / np.quantile(together, NOISE_QUANTILE))
    return float(np.sort(ratios)[min(3, len(ratios) - 1)])


def _flat_share(power: Power, low: Power) -> float:
    """Share of the narrow bands whose quiet moments are as flat across frequency as noise is."""
    bands = max(1, len(low) // FLAT_BINS)
    level = power / median_filter(low, TOGETHER)[:, None]
    banded = level[: bands * FLAT_BINS].reshape(bands, -1, power.shape[1])
    mean = banded.mean(1)
    # running sums round what follows on loud frames to a little below nothing
    flatness = np.exp(np.log(np.maximum(banded, 0) + 1e-9).mean(1)) / (mean + 1e-9)
    quiet = np.argsort(mean, axis=1)[:, : math.ceil(NOISE_QUANTILE * power.shape[1])]
    return float((np.take_along_axis(flatness, quiet, axis=1).mean(1) > LEAST_FLATNESS).mean())


def floor_drift(power: Power, least: Power) -> float:
    """By how many nepers the quiet moments of the two halves of a recording differ, in the median of the bins.

    Args:
        power: smoothed over time, `(bins, frames)`.
        least: floor of the floor, `(bins,)`.
    """
    middle = power.shape[1] // 2
    first, second = (
        uniform_filter1d(np.log(np.maximum(np.quantile(half, NOISE_QUANTILE, axis=1), least)), TOGETHER)
        for half in (power[:, :middle], power[:, middle:])
    )
    full = power.mean(1) > EMPTY * power.mean(1).max()
    return float(np.median(np.abs(first - second)[full]))
