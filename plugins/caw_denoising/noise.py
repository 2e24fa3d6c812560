"""The steady noise of a recording, as power in every frequency bin.

It is what the quiet moments hold in bins that behave like noise (`noise_floor`). Where that is in doubt, the
distribution of the power decides (`noise_distribution`): it tells music that was taken for noise, and noise that is too
uneven for any bin to behave like it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter, uniform_filter1d

from caw_denoising.noise_distribution import FRAME_STEP, POWER_FLOOR, NoiseEvidence, pauses_of
from caw_denoising.noise_floor import SOME_DOUBT, TOGETHER, Floor, floor_drift

Power = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]

#: What the floor of noise, a quantile, is multiplied by to get its mean.
QUANTILE_TO_MEAN = 1.9
#: The ratio of the floor to a lower quantile in noise. A larger one is music in the floor, which is taken off twice,
#: for it is in the lower one, too.
LOW_TO_LOWEST = 1.75
#: Variance of the log power of the quiet cells below which they are noise, if their level differs by no more than this
#: from bin to bin, in nepers on average.
CERTAINLY_NOISE = 1.8
MOST_SPREAD = 0.5
#: That in the pauses, and the least power of the pauses beside all.
PAUSES_OF_NOISE = 1.95
LEAST_POWER_OF_PAUSES = 0.002
#: Pauses hold nothing but the noise, so their power is in this range beside that of the supposed one; and the variance
#: in half of the bands is no more than this.
PAUSES_OVER_NOISE = (0.12, 1.6)
MOST_VARIANCE_BESIDE_PAUSES = 2.25
#: Doubtful noise is music if that is more than this in the bins that behave like noise.
CERTAINLY_MUSIC = 1.65
#: It is, too, if they hold less than this share of it; and with less variance, if they hold little.
LEAST_BELIEVED = 0.05
LITTLE_BELIEVED = 0.1
CERTAINLY_MUSIC_BESIDE_LITTLE = 1.57
#: Doubtful noise is nothing but doubtful where its two levels are so far apart, in half of the bins or altogether.
APART_IN_HALF = 1.45
APART_ALTOGETHER = 2.8
#: What varies less than this in time is a tone that never pauses: of the log power of noise the variance is 1.6.
LEAST_VARIANCE = 0.5
#: Noise that no bin behaves like is one still if it is in most bands: with at most these variances in the mean, in half
#: and in three tenths of them.
MOST_MEAN_VARIANCE = 2.25
MOST_VARIANCE_OF_HALF = 1.8
MOST_VARIANCE_OF_SOME = 1.69
#: And if its power is in this range beside that of the recording: dense music without noise is above.
LEAST_UNEVEN_LEVEL = 0.01
MOST_UNEVEN_LEVEL = 0.145
#: Noise that no bin behaves like is about as loud in both halves of a recording, up to so many nepers in the median of
#: the bins, and where only most bands speak for it.
MOST_DRIFT, MOST_DRIFT_OF_BANDS = 1.5, 0.7
#: Noise of another stretch is not in this one where more than this share of the bins is quieter than it by this factor.
MOST_QUIETER_SHARE = 0.05
QUIETER = 1.5
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
        """The noise measured over more of the recording, which is more reliable, unless this stretch has another."""
        if not self.is_heard:
            return self._as_elsewhere(other)
        return other if abs(np.median(np.log(self.power / other.power))) < SAME_NEPERS else self

    def _as_elsewhere(self, other: Noise) -> Noise:
        """That of elsewhere, where none could be told apart: if nearly nowhere this stretch is quieter than it."""
        if (self.most * QUIETER < other.power).mean() > MOST_QUIETER_SHARE:
            return self
        return Noise(np.minimum(other.power, self.most), self.most, other.doubt, True)


def find_noise(power: Power) -> Noise:
    """Measure the steady noise of a recording.

    Args:
        power: of the recording, of one channel or as of one (`stft.power_as_one`), `(bins, frames)`.
    """
    nothing = np.full(len(power), power.max() * 1e-12 + 1e-30)
    smooth = uniform_filter1d(power, 5, axis=1)
    sounds = smooth.sum(0) > 0  # digital silence says nothing about the noise
    if not sounds.any():
        return Noise(nothing, nothing, np.ones_like(nothing))
    heard, audible = (smooth, power) if sounds.all() else (smooth[:, sounds], power[:, sounds])
    del smooth  # where there is silence, as large again as the recording's spectra
    floor = Floor.of(heard, nothing)
    bins, doubt = floor.noisy_bins(heard)
    quiet = np.maximum(uniform_filter1d(floor.low, 9) * QUANTILE_TO_MEAN, nothing)
    evidence = NoiseEvidence.of(audible, floor.low * QUANTILE_TO_MEAN)
    most = np.maximum(quiet * evidence.noise_share, nothing)
    is_told = _is_told_from_music(bins, doubt, quiet, evidence)
    if not is_told and not _is_uneven_noise(floor, quiet, evidence, audible, floor_drift(heard, nothing)):
        return Noise(nothing, floor.low * QUANTILE_TO_MEAN, np.ones_like(nothing))
    if not bins.any():
        return Noise(most, most, np.ones_like(nothing), True)
    level = np.minimum(_level_between(bins, floor, quiet, nothing), most)
    is_apart = np.median(most / level) > APART_IN_HALF or most.sum() > APART_ALTOGETHER * level.sum()
    # what is mostly music is not to be taken out by log-MMSE
    if doubt.any() and is_apart and np.average(evidence.variance, weights=quiet) < MOST_MEAN_VARIANCE:
        return Noise(most, most, np.ones_like(doubt), True)
    return Noise(level, most, doubt, True)


def _level_between(bins: Mask, floor: Floor, quiet: Power, nothing: Power) -> Power:
    """The noise in bins that behave like it, and between them no more than there, `(bins,)`."""
    music = np.maximum(median_filter(floor.low / floor.lowest, TOGETHER) / LOW_TO_LOWEST, 1) ** 2
    level = np.maximum(quiet / music, nothing)
    # a partial beside the first believed bin must not reach it
    believed = np.flatnonzero(bins)
    anchors = np.maximum(median_filter(floor.low, 9) * QUANTILE_TO_MEAN / music, nothing)[believed]
    between = np.exp(np.interp(np.arange(len(level)), believed, np.log(anchors)))
    lower: Power = np.minimum(level, between)
    return lower


def _is_told_from_music(bins: Mask, doubt: Power, quiet: Power, evidence: NoiseEvidence) -> bool:
    """Whether there are bins that behave like noise and, if they are few, these hold enough of it, and nothing else."""
    behaves = np.where(bins, quiet, 0)
    if doubt.min() < SOME_DOUBT or not bins.any():
        return bool(bins.any())
    share = behaves.sum() / quiet.sum()
    if share <= LEAST_BELIEVED:
        return False
    most_variance = CERTAINLY_MUSIC if share > LITTLE_BELIEVED else CERTAINLY_MUSIC_BESIDE_LITTLE
    return bool(np.average(evidence.variance, weights=behaves) < most_variance)


def _is_uneven_noise(floor: Floor, quiet: Power, evidence: NoiseEvidence, power: Power, drift: float) -> bool:
    """Whether the quiet moments are noise that is too uneven for any bin to behave like it."""
    if drift > MOST_DRIFT:
        return False
    nepers = np.log(np.maximum(power[:, ::FRAME_STEP], quiet.min() * POWER_FLOOR))
    if np.average(nepers.var(1), weights=quiet) < LEAST_VARIANCE:
        return False
    del nepers  # half as large as the spectra
    mean = np.average(evidence.variance, weights=quiet)
    if mean < CERTAINLY_NOISE and np.average(floor.spread, weights=quiet) < MOST_SPREAD:
        return True
    some, half = np.quantile(evidence.band_variances, (0.3, 0.5))
    level = quiet.sum() / power.mean(1).sum()
    pauses = pauses_of(power, quiet)
    is_noise = pauses.variance < PAUSES_OF_NOISE and pauses.relative_power > LEAST_POWER_OF_PAUSES
    least, most = PAUSES_OVER_NOISE
    if is_noise and least < pauses.relative_power / level < most and half < MOST_VARIANCE_BESIDE_PAUSES:
        return True
    return bool(
        mean < MOST_MEAN_VARIANCE
        and half < MOST_VARIANCE_OF_HALF
        and some < MOST_VARIANCE_OF_SOME
        and LEAST_UNEVEN_LEVEL < level < MOST_UNEVEN_LEVEL
        and drift < MOST_DRIFT_OF_BANDS
    )


def at_resolution(noise: Power, bins: int) -> Power:
    """The power of noise in the bins of another window, whose spectra are scaled by the sum of the window."""
    ratio = (len(noise) - 1) / (bins - 1)
    averaged = uniform_filter1d(noise, max(1, round(ratio)))
    resampled: Power = np.interp(np.linspace(0, 1, bins), np.linspace(0, 1, len(noise)), averaged) * ratio
    return resampled
