"""The steady noise of a recording, as power in every frequency bin.

The level is a low quantile over time (as in minimum statistics: Martin, 2001), believed only in bins that behave like
noise: steady over time and level across frequency. Music that never pauses is steady too, but has peaks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter, percentile_filter, uniform_filter1d

Power = npt.NDArray[np.float64]

#: Share of the frames that hold noise only, in every band, and what their quantile is multiplied by to get the mean.
NOISE_QUANTILE, QUANTILE_TO_MEAN = 0.1, 1.9
#: Bins that are looked at together to decide whether they hold noise.
TOGETHER = 33
#: Noise is steady: the ratio of its 30 % to its 10 % quantile over time is below this (white noise 1.7, record surface
#: up to 2; rests between notes 2.5 to 100).
STEADY_RATIO = 2.3
#: Noise is level: neighbouring bins differ by less than this, in nepers of power (white noise 0.1 from 5 s on; music
#: without rests 0.2 to 0.6), or by more where there are fewer frames than this to average over.
LEVEL_SPREAD, LEVEL_FRAMES = 0.18, 160
#: Rumble: bins on each side that are compared, and the ratio of their 30 % quantile to their mean (1 for noise, near 0
#: between the peaks of a note) above which they hold no note.
RUMBLE_REACH, RUMBLE_FLATNESS = 8, 0.7


def noise_power(power: Power) -> Power:
    """Mean power of the noise in every bin: next to nothing in a recording without steady noise.

    Args:
        power: of the recording, `(bins, frames)`.

    Returns:
        `(bins,)`.
    """
    nothing = np.full(len(power), power.max() * 1e-12 + 1e-30)
    smooth = uniform_filter1d(power, 5, axis=1)
    heard = smooth[:, smooth.sum(0) > 0]  # digital silence says nothing about the noise
    if not heard.size:
        return nothing
    low, high = np.maximum(np.quantile(heard, [NOISE_QUANTILE, 3 * NOISE_QUANTILE], axis=1), nothing)
    believed = np.flatnonzero((median_filter(high / low, TOGETHER) < STEADY_RATIO) & _is_level(low, heard.shape[1]))
    if not believed.size:
        return nothing
    level = np.maximum(uniform_filter1d(low, 9) * QUANTILE_TO_MEAN, nothing)
    between = np.exp(np.interp(np.arange(len(level)), believed, np.log(level[believed])))
    noise: Power = np.minimum(level, between)
    return noise


def _is_level(low: Power, frames: int) -> npt.NDArray[np.bool_]:
    """Where neighbouring bins have about the same power, `(bins,)`."""
    nepers = np.log(low)
    spread = median_filter(np.abs(nepers - median_filter(nepers, TOGETHER)), TOGETHER)
    level: npt.NDArray[np.bool_] = spread < LEVEL_SPREAD * max(1, np.sqrt(LEVEL_FRAMES / frames))
    return level


def at_resolution(noise: Power, bins: int) -> Power:
    """The power of noise in the bins of a shorter window, whose spectra are scaled by the sum of the window."""
    ratio = (len(noise) - 1) / (bins - 1)
    averaged = uniform_filter1d(noise, round(ratio))
    coarser: Power = np.interp(np.linspace(0, 1, bins), np.linspace(0, 1, len(noise)), averaged) * ratio
    return coarser


def rumble_bins(power: Power, noise: Power) -> int:
    """Number of bins below the lowest note: up to there, loud frames are as flat across frequency as noise is.

    Args:
        power: of the recording, `(bins, frames)`.
        noise: `(bins,)`.
    """
    whitened = power / noise[:, None]
    around = 2 * RUMBLE_REACH + 1
    # white noise has an exponential distribution of power, whose 30 % quantile is -ln 0.7 of the mean
    quantile = percentile_filter(whitened, 30, size=(around, 1)).sum(1) / -np.log(0.7)
    mean = uniform_filter1d(whitened, around, axis=0).sum(1)
    flat = quantile > RUMBLE_FLATNESS * mean
    return 0 if flat.all() else int(np.argmin(flat))
