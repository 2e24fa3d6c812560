"""A first look at all of a long recording: how long it is, and the noise that it has where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from caw_denoising.noise_floor import Noise, find_noise
from caw_denoising.stretches import FADE_SECONDS, STRETCH_SECONDS, WHOLE_SECONDS
from caw_denoising.windows import mean_power, spectra_of, window_size
from caw_toolkit.arrays import FloatArray

#: The window in which the noise is measured.
NOISE_WINDOW_SECONDS = 0.128


@dataclass(frozen=True)
class Survey:
    """What is known of a recording before it is cleaned.

    Attributes:
        samples: in each channel.
        noises: where in seconds there is a noise that can be told from the sound; none of a recording that is
            cleaned as a whole.
    """

    samples: int
    noises: tuple[tuple[float, Noise], ...] = ()

    @classmethod
    def of(cls, blocks: Iterable[FloatArray], sample_rate: int) -> Survey:
        """That of a recording.

        Args:
            blocks: `(channels, samples)` each.
            sample_rate: Hz.
        """
        size, whole = STRETCH_SECONDS * sample_rate, (WHOLE_SECONDS + FADE_SECONDS) * sample_rate
        waiting: list[FloatArray] = []
        samples, measured = 0, 0
        noises: list[tuple[float, Noise]] = []
        for block in blocks:
            waiting.append(block)
            samples += block.shape[1]
            if samples > whole and samples >= measured + size:
                part = np.concatenate(waiting, axis=1)
                noises.append(((measured + part.shape[1] / 2) / sample_rate, _noise(part, sample_rate)))
                waiting, measured = [], samples
        return cls(samples, tuple((at, noise) for at, noise in noises if noise.is_heard))

    def noise_near(self, second: float) -> Noise | None:
        """The noise that was found nearest to a time; None without any."""
        return min(self.noises, key=lambda found: abs(found[0] - second), default=(0.0, None))[1]


def _noise(part: FloatArray, sample_rate: int) -> Noise:
    samples = np.asarray(part, np.float32)
    return find_noise(mean_power(spectra_of(samples, window_size(NOISE_WINDOW_SECONDS, samples, sample_rate))))
