"""What tells a line of hum from a note: it is apart from what is beside it, steady, and never rests.

Settings and what they were chosen on: docs/decisions.md#single-lines-of-hum-and-a-bass-that-holds-its-notes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caw_denoising.line_bands import LOCAL_SECONDS, Bands, Complex, slow_amplitude, smooth

#: Least ratio of a line's amplitude at quiet moments to what is beside it.
DISTINCT = 2.0
#: Nearest to a line: both sides count.
NEAR_HZ = 1.0
#: Farther from it: the loudest of these, both sides of each, may be a note, and the next one counts.
BESIDE_HZ = (3.0, 5.0, 8.0)
#: Most ratio of the 90 to the 10 % quantile of its amplitude: what varies more is music, or hum that was faded.
STEADY = 3.0
#: Least share of its mean that it falls to for a tenth of the time.
RESTING = 0.3
#: Most that its amplitude over a second deviates from that over five, as a share: a note beside it does by more.
MOST_DEVIATION = 2.0
#: Ratio from which on a line is certainly one.
CERTAINLY_DISTINCT = 4.0
#: The same of its steadiness (clean music: 1.5 and more).
CERTAINLY_STEADY = 1.4
#: The same of what it falls to.
CERTAINLY_AWAKE = 0.5
#: The same of its deviation (clean music: .3).
SMALL_DEVIATION = 0.25


@dataclass(frozen=True)
class Line:
    """What tells a line from music.

    Attributes:
        distinct: amplitude over what is beside it.
        unsteady: ratio of its 90 to its 10 % quantile over time.
        awake: amplitude at the moments at which it is least, as a share of its median.
        deviation: of the amplitude over a second from that over five, as a share of it.
    """

    distinct: float
    unsteady: float
    awake: float
    deviation: float

    @classmethod
    def of(cls, demodulated: Complex, bands: Bands) -> Line:
        """That of a line at 0 Hz."""
        amplitude = slow_amplitude(demodulated, bands.rate)
        here = np.abs(amplitude)
        usual = float(np.median(here)) + 1e-20
        # with the line itself, averages by the rhythm of what is beside would see it there
        rest = demodulated - amplitude
        near, *beside = (_beside(rest, bands, hertz) for hertz in (NEAR_HZ, *BESIDE_HZ))
        surroundings = max(*near, np.sort(np.ravel(beside))[-2])
        low, high = np.quantile(here, [0.1, 0.9])
        at_once = np.abs(smooth(demodulated, round(LOCAL_SECONDS * bands.rate)))
        scatter = np.abs(slow_amplitude(demodulated, bands.rate, 1.0) - amplitude)
        return cls(
            usual / (surroundings + 1e-20),
            float(high / (low + 1e-20)),
            float(np.quantile(at_once, 0.1)) / usual,
            float(np.sqrt(np.square(scatter).mean() / (np.square(here).mean() + 1e-40))),
        )

    @property
    def is_there(self) -> bool:
        """Whether it is apart from its surroundings, steady, and never resting."""
        is_steady = self.unsteady < STEADY and self.deviation < MOST_DEVIATION
        return self.distinct > DISTINCT and is_steady and self.awake >= RESTING

    @property
    def is_certain(self) -> bool:
        """Whether it is all of that to a degree that no music is."""
        keeps_still = self.unsteady < CERTAINLY_STEADY and self.deviation < SMALL_DEVIATION
        return self.distinct > CERTAINLY_DISTINCT and keeps_still and self.awake > CERTAINLY_AWAKE


def _beside(demodulated: Complex, bands: Bands, hertz: float) -> tuple[float, float]:
    """Usual amplitudes so far below and above 0 Hz."""
    turning = np.exp(2j * np.pi * hertz * bands.times)
    below, above = (
        np.median(np.abs(slow_amplitude(demodulated * turn, bands.rate))) for turn in (turning, 1 / turning)
    )
    return float(below), float(above)
