"""The steady noise of a recording, as power in every frequency bin.

The level is a low quantile over time (as in minimum statistics: Martin, 2001), believed only in bins that behave like
noise: steady over time and level across frequency. Music that never pauses is steady too, but has peaks. And it is
believed only if enough of the recording behaves like that, or its broad bands never fall below a floor. Where that is
in doubt, the distribution of the power decides (`noise_likeness`): it tells music that was taken for noise, and noise
that is too uneven for all of the above.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d, median_filter, uniform_filter1d

from caw_denoising.noise_likeness import EVERY, NOTHING, Likeness, variance_in_pauses

Power = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]

#: Share of the frames that hold noise only, in every band, and what their quantile is multiplied by to get the mean.
NOISE_QUANTILE, QUANTILE_TO_MEAN = 0.1, 1.9
#: A lower quantile, and the ratio of the other to it in noise: a larger one is music in the floor, which is taken off
#: twice, for it is in the lower one, too.
LOWEST_QUANTILE, LOW_TO_LOWEST = 0.02, 1.75
#: Bins that are looked at together to decide whether they hold noise.
TOGETHER = 33
#: Noise is steady: the ratio of its 30 % to its 10 % quantile over time is between these (white noise 1.7, record
#: surface up to 2; rests between notes 2.5 to 100). What is steadier is a tone.
TONE_RATIO, STEADY_RATIO = 1.3, 2.3
#: Noise is level, on a slope or not: a bin differs from the mean of those so far on both sides by less than this, in
#: nepers of power (white noise 0.1 from 5 s on; music without rests 0.25 to 0.5), or by more where there are fewer
#: frames than this to average over.
SLOPE_BINS, LEVEL_SPREAD, LEVEL_FRAMES = 5, 0.22, 160
#: Shares of the bins that behave like noise from which on they are believed, and the median spread that goes with each.
BELIEVED = ((0.42, math.inf), (0.33, 0.225), (0.2, 0.2))
#: Otherwise the fourth steadiest of some broad bands decides by the same ratio over time: below which it has to be, and
#: the median spread that goes with it, in recordings of many frames and in shorter ones. Bins may then differ by more.
FLOORS, FLOORS_OF_FEW = ((1.4, 0.225), (1.33, 0.265), (1.25, 0.34)), ((1.36, 0.225), (1.33, 0.24))
MANY_FRAMES, ROUGH_SPREAD = 312, 0.32
#: Uneven floors are believed, too, where they are flat at single moments: in so large a share of bands of so many bins,
#: the geometric mean of the quietest tenth of the frames is above so much of the arithmetic one (0.86 in noise).
FLOOR_IF_FLAT, FLAT_SHARE, FLAT_BINS, FLAT = (1.45, 0.26), 0.85, 17, 0.77
#: A bin that is so far above those so far on both sides, or above those of the slope, belongs to a partial.
PEAK_BINS, PEAK_NEPERS = 3, 1.0
#: Below the lowest believed bin, or below this one, steadiness is enough: rumble is anything but level.
LOWEST_BINS, LOWEST_STEADY_RATIO = 30, 2.5
#: Doubt where too few bins behave like noise; and where enough do, but with more than this median spread: all of it
#: up to the first of two shares of the bins around one that behave like noise, and that little from the second one on.
SOME_DOUBT, SURE_SPREAD, DOUBTFUL = 0.5, 0.2, (0.2, 0.6)
#: Bins of less power than this share of the loudest are empty: they say nothing.
EMPTY = 1e-8
#: Variance of the log power of the quiet cells (`noise_likeness`) below which they are noise whatever else is known;
#: that in the pauses, and their least power.
CERTAINLY_NOISE, PAUSES_OF_NOISE, LEAST_IN_PAUSES = 1.8, 1.95, 0.002
#: Doubtful noise is music if that is more than this in the bins that behave like noise, or if they hold less than this
#: share of it.
CERTAINLY_MUSIC, LEAST_BELIEVED = 1.65, 0.05
#: Doubtful noise is nothing but doubtful where its two levels are so far apart, in half of the bins or altogether.
APART_IN_HALF, APART = 1.45, 2.8
#: What varies less than this in time is a tone that never pauses: of the log power of noise the variance is 1.6.
LEAST_VARIANCE = 0.5
#: Noise that no bin behaves like is one still if it is in most bands: with these variances in the mean, in half and in
#: three tenths of them, if its power is in this range beside that of the recording: dense music without noise is above.
MOST_OF_ALL, MOST_OF_HALF, MOST_OF_SOME, UNEVEN_LEVELS = 2.25, 1.8, 1.69, (0.01, 0.145)
#: Noise of another stretch is not in this one where more than this share of the bins is quieter than it by this factor.
MOST_QUIETER, QUIETER = 0.05, 1.5
#: Noise of two stretches is the same up to this median difference, in nepers of power (1 dB).
SAME_NEPERS = 0.23


@dataclass(frozen=True)
class Noise:
    """The steady noise of a recording.

    Attributes:
        power: mean in every bin, `(bins,)`: next to nothing in a recording without steady noise.
        most: the same, if every bin holds noise and its quiet moments nothing else, `(bins,)`.
        doubt: how unsure that is around every bin, from 0 to 1, `(bins,)`.
        is_heard: whether there is any.
    """

    power: Power
    most: Power
    doubt: Power
    is_heard: bool = False

    def as_around(self, other: Noise) -> Noise:
        """The noise of more of the recording, which was measured with less chance, unless this stretch has another."""
        if not self.is_heard:
            return self._as_elsewhere(other)
        return other if abs(np.median(np.log(self.power / other.power))) < SAME_NEPERS else self

    def _as_elsewhere(self, other: Noise) -> Noise:
        """That of elsewhere, where none could be told apart: if nearly nowhere this stretch is quieter than it."""
        if (self.most * QUIETER < other.power).mean() > MOST_QUIETER:
            return self
        return Noise(np.minimum(other.power, self.most), self.most, other.doubt, True)


def find_noise(power: Power) -> Noise:
    """Measure the steady noise of a recording.

    Args:
        power: of the recording, `(bins, frames)`.
    """
    nothing = np.full(len(power), power.max() * 1e-12 + 1e-30)
    smooth = uniform_filter1d(power, 5, axis=1)
    sounds = smooth.sum(0) > 0  # digital silence says nothing about the noise
    if not sounds.any():
        return Noise(nothing, nothing, np.ones_like(nothing))
    heard, audible = (smooth, power) if sounds.all() else (smooth[:, sounds], power[:, sounds])
    del smooth  # where there is silence, as large again as the recording's spectra
    floor = _Floor.of(heard, nothing)
    bins, doubt = _believed(floor, heard)
    quiet = np.maximum(uniform_filter1d(floor.low, 9) * QUANTILE_TO_MEAN, nothing)
    likeness = Likeness.of(audible, floor.low * QUANTILE_TO_MEAN)
    most = np.maximum(quiet * likeness.share, nothing)
    if not (_is_told_from_music(bins, doubt, quiet, likeness) or _is_uneven_noise(quiet, likeness, audible)):
        return Noise(nothing, floor.low * QUANTILE_TO_MEAN, np.ones_like(nothing))
    if not bins.any():
        return Noise(most, most, np.ones_like(nothing), True)
    music = np.maximum(median_filter(floor.low / floor.lowest, TOGETHER) / LOW_TO_LOWEST, 1) ** 2
    level = np.maximum(quiet / music, nothing)
    # a partial beside the first believed bin must not reach it
    believed = np.flatnonzero(bins)
    anchors = np.maximum(median_filter(floor.low, 9) * QUANTILE_TO_MEAN / music, nothing)[believed]
    between = np.exp(np.interp(np.arange(len(level)), believed, np.log(anchors)))
    level = np.minimum(np.minimum(level, between), most)
    is_apart = np.median(most / level) > APART_IN_HALF or most.sum() > APART * level.sum()
    # what is mostly music is not to be taken out by log-MMSE
    if doubt.any() and is_apart and np.average(likeness.variance, weights=quiet) < MOST_OF_ALL:
        return Noise(most, most, np.ones_like(doubt), True)
    return Noise(level, most, doubt, True)


def _is_told_from_music(bins: Mask, doubt: Power, quiet: Power, likeness: Likeness) -> bool:
    """Whether there are bins that behave like noise and, if they are few, these hold enough of it, and nothing else."""
    behaves = np.where(bins, quiet, 0)
    if doubt.min() < SOME_DOUBT or not bins.any():
        return bool(bins.any())
    holds_enough = behaves.sum() > LEAST_BELIEVED * quiet.sum()
    return bool(holds_enough and np.average(likeness.variance, weights=behaves) < CERTAINLY_MUSIC)


def _is_uneven_noise(quiet: Power, likeness: Likeness, power: Power) -> bool:
    """Whether the quiet moments are noise that is too uneven for any bin to behave like it."""
    nepers = np.log(np.maximum(power[:, ::EVERY], quiet.min() * NOTHING))
    if np.average(nepers.var(1), weights=quiet) < LEAST_VARIANCE:
        return False
    del nepers  # half as large as the spectra
    mean = np.average(likeness.variance, weights=quiet)
    if mean < CERTAINLY_NOISE:
        return True
    variance, level = variance_in_pauses(power, quiet)
    if variance < PAUSES_OF_NOISE and level > LEAST_IN_PAUSES:
        return True
    some, half = np.quantile(likeness.of_bands, (0.3, 0.5))
    level = quiet.sum() / power.mean(1).sum()
    return bool(
        mean < MOST_OF_ALL
        and half < MOST_OF_HALF
        and some < MOST_OF_SOME
        and UNEVEN_LEVELS[0] < level < UNEVEN_LEVELS[1]
    )


@dataclass(frozen=True)
class _Floor:
    """What the quiet moments are like in every bin, all `(bins,)`."""

    low: Power  # the quantile
    lowest: Power  # a lower one
    ratio: Power  # of a higher quantile to it
    spread: Power  # nepers from bin to bin
    peaks: Mask  # where a bin stands out of those on both sides

    @classmethod
    def of(cls, heard: Power, least: Power) -> _Floor:
        quantiles = [LOWEST_QUANTILE, NOISE_QUANTILE, 3 * NOISE_QUANTILE]
        lowest, low, high = np.maximum(np.quantile(heard, quantiles, axis=1), least)
        nepers = np.log(low)
        spread = median_filter(np.abs(_over_its_sides(nepers, SLOPE_BINS)), TOGETHER)
        stands_out = np.maximum(*(_over_its_sides(nepers, bins) for bins in (PEAK_BINS, SLOPE_BINS))) > PEAK_NEPERS
        return cls(low, lowest, median_filter(high / low, TOGETHER), spread, maximum_filter1d(stands_out, PEAK_BINS))


def _over_its_sides(nepers: Power, distance: int) -> Power:
    """How far each value is above the mean of those so far on both sides."""
    padded = np.pad(nepers, distance, mode="reflect")
    return nepers - (padded[: -2 * distance] + padded[2 * distance :]) / 2


def _believed(floor: _Floor, heard: Power) -> tuple[Mask, Power]:
    """In which bins there is noise, and how unsure that is, both `(bins,)`."""
    frames, full = heard.shape[1], heard.mean(1) > EMPTY * heard.mean(1).max()
    full &= floor.ratio > TONE_RATIO
    some_doubt = np.full(len(heard), SOME_DOUBT, heard.dtype)
    if not full.any():
        return full, some_doubt
    is_steady = (floor.ratio < STEADY_RATIO) & full
    believed = is_steady & (floor.spread < LEVEL_SPREAD * max(1, np.sqrt(LEVEL_FRAMES / frames)))
    share, spread = believed[full].mean(), float(np.median(floor.spread[full]))
    if any(share > least and spread <= most for least, most in BELIEVED):
        lowest, bins = max(int(np.argmax(believed)), LOWEST_BINS), np.arange(len(believed))
        is_low = full & (bins < lowest) & (floor.ratio < LOWEST_STEADY_RATIO)
        believed = (believed | is_low) & ~floor.peaks
        doubt = _doubt(believed, spread, heard.dtype) if share > BELIEVED[0][0] else some_doubt
        return believed, doubt
    return is_steady & (floor.spread < ROUGH_SPREAD) & _has_floor(floor, heard, spread), some_doubt


def _doubt(believed: Mask, spread: float, precision: np.dtype[np.floating]) -> Power:
    """Doubt of noise that enough bins behave like: none where it is even, else by how many do so around each bin."""
    if spread < SURE_SPREAD:
        return np.zeros(len(believed), precision)
    alike = uniform_filter1d(believed.astype(precision), TOGETHER)
    doubt: Power = np.interp(alike, DOUBTFUL, (1, SOME_DOUBT)).astype(precision)
    return doubt


def _has_floor(floor: _Floor, heard: Power, spread: float) -> bool:
    """Whether broad bands never fall below a floor."""
    floors = FLOORS if heard.shape[1] >= MANY_FRAMES else FLOORS_OF_FEW
    if _flat_share(heard, floor.low) > FLAT_SHARE:
        floors = (*floors, FLOOR_IF_FLAT)
    ratio = _floor_ratio(heard, floor.low)
    return any(ratio < limit and spread < most for limit, most in floors)


def _floor_ratio(heard: Power, low: Power) -> float:
    """How steady the fourth steadiest of fifteen broad bands is: noise is the more so the broader the band."""
    last = len(low) - 1
    edges = np.unique([4, 12, 24, 40, *np.geomspace(last / 16, last, 12).round().astype(int)])
    edges = edges[edges <= last]
    ratios = []
    for begin, end in zip(edges[:-1], edges[1:], strict=True):
        together = np.minimum(heard[begin:end] / low[begin:end, None], 8).mean(0)
        ratios.append(np.quantile(together, 3 * NOISE_QUANTILE) / np.quantile(together, NOISE_QUANTILE))
    return float(np.sort(ratios)[min(3, len(ratios) - 1)])


def _flat_share(heard: Power, low: Power) -> float:
    """Share of the narrow bands whose quiet moments are as flat across frequency as noise is."""
    bands = max(1, len(low) // FLAT_BINS)
    level = heard / median_filter(low, TOGETHER)[:, None]
    banded = level[: bands * FLAT_BINS].reshape(bands, -1, heard.shape[1])
    mean = banded.mean(1)
    flatness = np.exp(np.log(banded + 1e-9).mean(1)) / (mean + 1e-9)
    quiet = np.argsort(mean, axis=1)[:, : math.ceil(NOISE_QUANTILE * heard.shape[1])]
    return float((np.take_along_axis(flatness, quiet, axis=1).mean(1) > FLAT).mean())


def at_resolution(noise: Power, bins: int) -> Power:
    """The power of noise in the bins of another window, whose spectra are scaled by the sum of the window."""
    ratio = (len(noise) - 1) / (bins - 1)
    averaged = uniform_filter1d(noise, max(1, round(ratio)))
    resampled: Power = np.interp(np.linspace(0, 1, bins), np.linspace(0, 1, len(noise)), averaged) * ratio
    return resampled
