"""What is known of a signal while it is still coming: its level, its bandwidth and its roll-off, from what is heard."""

from __future__ import annotations

import numpy as np

from caw_bandwidth_extension.roll_off import AverageSpectrum, RollOff, measure
from caw_bandwidth_extension.task import LEVEL_RANGE, bandwidth
from caw_toolkit import Array, PyramidModel

#: Seconds of sound after which the signal is known.
ENOUGH_SECONDS = 2.0
#: What is so much quieter than the loudest block does not count as sound, and is forgotten.
QUIET_DB = 40.0
#: What is so much louder than all that was heard makes it begin anew: that was a lead-in.
LOUDER_DB = 20.0


class RunningMeasurement:
    """What a signal shows block by block. Until there was enough of it, that may change.

    Args:
        model: of the same source.
        cutoff_hz: bandwidth of the signal; if None, it is measured.

    Attributes:
        cutoff_hz: frequency in Hz up to which there is content; 0 before any sound.
        roll_off: how the band fades out below it; None before any sound.
        is_settled: whether there was enough.
    """

    def __init__(self, model: PyramidModel, cutoff_hz: float | None) -> None:
        self.cutoff_hz = cutoff_hz or 0.0
        self.roll_off: RollOff | None = None
        self.is_settled = False
        self._given_cutoff = cutoff_hz
        self._rate = model.sample_rate
        self._full_level = model.peak
        self._reference = AverageSpectrum.of_training(model)
        self._peak = 0.0
        self._sound: list[Array] = []

    @property
    def peak(self) -> float:
        """Of the signal. A signal that has only begun is taken for one of usual level: it may be a breath."""
        return self._peak if self.is_settled else max(self._peak, LEVEL_RANGE[0] * self._full_level)

    def add(self, samples: Array) -> None:
        """Take the next samples, `(channels, samples)`."""
        level = float(np.abs(samples).max(initial=0.0))
        is_known = self.is_settled and level < self._peak * 10 ** (LOUDER_DB / 20)
        self._peak = max(self._peak, level)
        if level == 0 or is_known:
            return
        least = self._peak * 10 ** (-QUIET_DB / 20)
        self._sound = [block for block in [*self._sound, samples] if np.abs(block).max() >= least]
        sound = np.concatenate(self._sound, axis=1)
        self.cutoff_hz = self._given_cutoff or bandwidth(sound, self._rate)
        self.roll_off = measure(self._reference, sound, self._rate, self.cutoff_hz)
        self.is_settled = sound.shape[1] >= ENOUGH_SECONDS * self._rate
        if self.is_settled:
            self._sound = []
