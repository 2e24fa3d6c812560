"""Keeping time: where a stretch and the recording are on a beat, so that segments come from where it is the same.

Phases count beats, with fractions: two moments with the same fraction lie alike between two beats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from caw_toolkit.arrays import FloatArray

#: Frequencies, in beats, of the cosines that phases are compared with: the second makes the comparison sharper.
HARMONICS = (1, 2)
#: What being off the beat counts for beside the distance of spectra (docs/decisions.md#the-beat-of-takes).
SPECTRUM_WEIGHT = 20.0
#: The same beside the similarity of waveforms.
SIMILARITY_WEIGHT = 0.5

#: Numbers of samples.
Samples = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Timing:
    """Phases of a stretch of one scale, whose beats are regular, and of the recording.

    Attributes:
        first: phase of the first sample of the stretch.
        step: from sample to sample.
        recording: gives the phases of samples of the recording.

    Example:
        >>> timing = Timing(first=0.5, step=0.01, recording=lambda samples: samples / 100)  # 100 samples a beat
        >>> timing.frames(hop=25, count=3).tolist()
        [0.5, 0.75, 1.0]
        >>> timing.off_beat(np.array([50, 100, 150]), 0.5).round(3).tolist()  # on, off and on the beat
        [0.0, 1.0, 0.0]
    """

    first: float
    step: float
    recording: Callable[[Samples], FloatArray]

    def frames(self, hop: int, count: int) -> FloatArray:
        """Phases of the stretch every `hop` samples."""
        return self.phase(np.arange(count), hop)

    def phase(self, frames: Samples, hop: int) -> FloatArray:
        """Phases of the stretch at some of these frames."""
        return np.asarray(self.first + self.step * hop * frames)

    def off_beat(self, offsets: Samples, frames: FloatArray | float) -> FloatArray:
        """What it costs that segments around `offsets` of the recording are played at other phases than theirs."""
        difference = 2 * np.pi * (self.recording(offsets) - frames)
        return np.asarray(SIMILARITY_WEIGHT * sum(1 - np.cos(harmonic * difference) for harmonic in HARMONICS))


def beat_features(phases: FloatArray) -> Tensor:
    """Coordinates of phases, whose squared distances are what they differ by, `(count, features)`.

    Example:
        >>> first, second, between = beat_features(np.array([0.25, 7.25, 0.5]))
        >>> bool((first - second).norm() < 1e-3), bool((first - between).norm() > 1)
        (True, True)
    """
    angles = 2 * np.pi * phases[:, None] * np.array(HARMONICS)
    return torch.from_numpy(np.sqrt(SPECTRUM_WEIGHT) * np.hstack([np.cos(angles), np.sin(angles)])).float()
