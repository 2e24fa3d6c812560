"""Rumble: noise below the lowest note, told from notes by its spectrum, which has no peaks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter, percentile_filter, uniform_filter1d
from scipy.signal import butter, sosfilt

from caw_denoising.noise_floor import NOISE_QUANTILE
from caw_toolkit import Array

Power = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]

#: Bins on each side of a bin that it is compared with.
REACH = 8
#: Ratio of the 30 % quantile to the mean of these bins (1 for noise, near 0 between the peaks of a note) above which
#: they hold no note: over all frames by their power, and with each frame alike, since thumps are flat and louder than
#: the notes that they cover.
LEAST_FLATNESS = np.array([[0.9], [0.88]])
#: Below there is no note.
LOWEST_NOTE_HZ = 22.0
#: Bins to both sides that a note reaches through the window.
LOBE = 2
#: Most of its power that clean music has further below: up to .3 %, in 20 recordings at 44.1 kHz.
MOST_BELOW_NOTES = 0.005
#: Bins that are looked at first.
FIRST_BINS = 128
#: Bins beside those that are looked at that are needed for it.
BESIDE = 4 * REACH
#: Blocks in which the loudness of what is below the lowest note is compared with that of the rest.
BLOCK_SECONDS = 0.032
#: Correlation of their changes from which on it belongs to the music (drums .45 and more, rumble up to .2, crackle with
#: thumps up to .35).
BELONGS = 0.4
#: In fewer blocks that says nothing.
FEWEST_BLOCKS = 60
#: What is heard of the rest, in Hz: thumps reach below it, ticks mostly above.
HEARD_HZ = (300.0, 2000.0)
#: Window through which notes that last are looked for.
NOTE_SECONDS = 0.512
#: Mean flatness through it below which there are some: rumble 1 and more, since it comes in bursts, a bass that holds
#: its notes .65.
LEAST_NOTE_FLATNESS = 0.85
#: Most that the floor of a bin exceeds the median around it, on the slope of rumble.
MOST_SLOPE = 6.0


@dataclass(frozen=True)
class Flatness:
    """How flat across frequency frames are, as sums over them: those of several stretches can be added.

    Attributes:
        quantile: of the power around each bin, over what it is in white noise, `(2, bins)`: summed as it is, and over
            the mean of each frame.
        mean: of the same, `(2, bins)`. The last bins see too little beside them.
    """

    quantile: Power
    mean: Power

    @classmethod
    def of(cls, power: Power, least: float) -> Flatness:
        """That of a recording.

        Args:
            power: `(bins, frames)`.
            least: power of what is as good as silent.
        """
        floor = np.quantile(uniform_filter1d(power, 5, axis=1), NOISE_QUANTILE, axis=1)
        around = 2 * REACH + 1
        floor = np.minimum(floor, MOST_SLOPE * median_filter(floor, around))  # follows slopes, not notes without rest
        whitened = power / (floor[:, None] + least)
        # white noise has an exponential distribution of power, whose 30 % quantile is -ln 0.7 of the mean
        quantile = percentile_filter(whitened, 30, size=(around, 1)) / -np.log(0.7)
        mean = uniform_filter1d(whitened, around, axis=0)
        alike = 1 / (mean + 1e-9)
        return cls(*(np.stack([part.sum(1), (part * alike).sum(1)]) for part in (quantile, mean)))

    def __add__(self, other: Flatness) -> Flatness:
        return Flatness(self.quantile + other.quantile, self.mean + other.mean)

    def bins(self, hertz: float) -> Mask:
        """Which bins are as flat as noise, `(bins,)`; `hertz` is from bin to bin."""
        flat: Mask = np.all(self.quantile > LEAST_FLATNESS * self.mean, axis=0)
        first = math.ceil(LOWEST_NOTE_HZ / hertz)
        flat[:first] = flat[first : first + 1].all()
        return flat


def least_power(power: Power) -> float:
    """Power of what is as good as silent beside a recording."""
    return float(power.max() * 1e-12 + 1e-30)


def rumble_bins(power: Power, hertz: float) -> int:
    """Number of bins below the lowest note: up to there, loud frames are as flat across frequency as noise is.

    Args:
        power: of the recording, `(bins, frames)`.
        hertz: from bin to bin.
    """
    least = least_power(power)
    # rumble ends far below the highest bins: as many are looked at as it takes to find one that is not flat
    looked_at = max(FIRST_BINS, 2 * math.ceil(LOWEST_NOTE_HZ / hertz))
    while looked_at < len(power):
        flat = Flatness.of(power[: looked_at + BESIDE], least).bins(hertz)[:looked_at]
        if not flat.all():
            return int(np.argmin(flat))
        looked_at *= 4
    flat = Flatness.of(power, least).bins(hertz)
    return 0 if flat.all() else int(np.argmin(flat))


def bins_below_notes(power: Power, hertz: float) -> int:
    """Number of bins that no note reaches, however low, if they hold more of the recording than any music does there.

    Args:
        power: of the recording, `(bins, frames)`.
        hertz: from bin to bin.
    """
    bins = max(0, math.ceil(LOWEST_NOTE_HZ / hertz) - LOBE)
    return bins if power[:bins].sum(dtype=np.float64) > MOST_BELOW_NOTES * power.sum(dtype=np.float64) else 0


def holds_notes(power: Power, hertz: float, rumble_hz: float) -> bool:
    """Whether what is taken for rumble has the peaks of notes, seen through a longer window and beside its own slope.

    A bass that never rests is level over time, and through a short window as broad as rumble.

    Args:
        power: of the recording, through a window of `NOTE_SECONDS`, `(bins, frames)`.
        hertz: from bin to bin.
        rumble_hz: up to where there is rumble.
    """
    below = slice(round(LOWEST_NOTE_HZ / hertz), round(rumble_hz / hertz) + 1)
    mean = power.mean(1, dtype=np.float64) + least_power(power)
    around = 2 * REACH + 1
    slope = np.exp(uniform_filter1d(uniform_filter1d(np.log(mean), 2 * around), 2 * around))
    level = power / slope[:, None]
    quantile = percentile_filter(level, 30, size=(around, 1)).sum(1) / -np.log(0.7)
    flatness = quantile / uniform_filter1d(level, around, axis=0).sum(1)
    return below.start < below.stop and bool(np.average(flatness[below], weights=mean[below]) < LEAST_NOTE_FLATNESS)


def belongs_to_music(low: Array, rest: Array, sample_rate: int) -> bool:
    """Whether what is below the lowest note gets louder when the rest does: strokes of a drum are as flat as rumble.

    Args:
        low: `(channels, samples)`.
        rest: of the same recording, the same shape.
        sample_rate: Hz.
    """
    size = max(1, round(BLOCK_SECONDS * sample_rate))
    blocks = low.shape[1] // size
    lowest, highest = HEARD_HZ[0], min(HEARD_HZ[1], 0.45 * sample_rate)
    if blocks < FEWEST_BLOCKS or lowest >= highest:
        return False
    heard = butter(2, [lowest, highest], "bandpass", fs=sample_rate, output="sos")
    signals = low.mean(0), sosfilt(heard, rest.mean(0))
    energies = [np.square(each[: blocks * size].reshape(blocks, size)).sum(1) for each in signals]
    changes = np.diff([np.log(energy + 1e-9 * energy.mean() + 1e-30) for energy in energies])
    deviations = changes.std(1)
    return bool(deviations.all() and np.corrcoef(changes)[0, 1] > BELONGS)
