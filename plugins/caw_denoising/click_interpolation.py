"""What takes the place of a click: what an autoregressive model makes most likely, from the sound on both sides.

Least squares autoregressive interpolation (Godsill and Rayner, "Digital Audio Restoration", 1998, chapter 5). The same
interpolation is tried in places near the click, where it should change nothing: what it gets wrong there is how much to
believe of what it takes out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.linalg import solve, solve_toeplitz

Signal = npt.NDArray[np.float64]

#: Order of the model.
ORDER = 32
#: A click is compared with so much on each side of it.
AROUND_SECONDS = 0.02
#: A clear one with so much, which is more than a period of any note.
FAR_SECONDS = 0.04
#: Samples beside a click that its replacement is not compared with.
BESIDE_SAMPLES = 11
#: Least energy of the differences from sample to sample of what a clear click's replacement takes out, and of itself,
#: beside the most that the same interpolation gets wrong before the click or after it, whichever is less.
CLEAR_GAINS = (6.0, 2.0)
#: The same of a click among crackle.
LEAST_GAINS = (2.0, 0.5)
#: The same of a spike.
SPIKE_GAINS = (8.0, 1.3)
#: Least energy of a spike's differences over its own: most of it is one sample or two.
SPIKE_ROUGHNESS = 0.9
#: A longer click than this has to be clear on both sides.
LONG_SECONDS = 0.0025


@dataclass(frozen=True)
class Interpolation:
    """What the sound on both sides makes most likely in place of a click.

    Attributes:
        samples: `(samples,)`.
        removed: energy of what it takes out: of the differences from sample to sample, and of itself, `(2,)`.
        near: the most of both that the same interpolation gets wrong near the click, before it and after it, `(2, 2)`.
        far: the same within a longer time.
        is_long: whether the click is long.
    """

    samples: Signal
    removed: Signal
    near: Signal
    far: Signal
    is_long: bool

    @property
    def is_clear(self) -> bool:
        """Whether it takes out far more than it gets wrong, on both sides of a long click."""
        wrong = self.far.max(axis=0) if self.is_long else self.far.min(axis=0)
        return bool((self.removed > CLEAR_GAINS * wrong).all())

    @property
    def is_spike(self) -> bool:
        """Whether it takes out what is too short to be part of any sound."""
        stands_out = bool((self.removed > SPIKE_GAINS * self.far.min(axis=0)).all())
        return stands_out and not self.is_long and bool(self.removed[0] > SPIKE_ROUGHNESS * self.removed[1])

    @property
    def is_worth_it(self) -> bool:
        """Whether it takes out more than it gets wrong."""
        return self.is_clear if self.is_long else bool((self.removed > LEAST_GAINS * self.near.min(axis=0)).all())

    @classmethod
    def of(cls, signal: Signal, start: int, stop: int, sample_rate: int) -> Interpolation:
        """That between two samples of a channel, `(samples,)`."""
        size, reach = stop - start, max(ORDER, round(FAR_SECONDS * sample_rate))
        first = max(0, start - reach)
        part, place = signal[first : stop + reach].copy(), start - first
        given = part[place : place + size].copy()
        part[place : place + size] = 0
        removes = _removal(autoregression(part), size)
        samples = -removes @ part[place - ORDER : place + size + ORDER]
        part[place : place + size] = samples
        # the same at many places in which nothing is to be removed
        places = np.arange(ORDER, len(part) - size - ORDER, max(1, size // 4))
        energies = _energies(sliding_window_view(part, size + 2 * ORDER)[places - ORDER] @ removes.T)
        distances = np.where(np.abs(places - place) < size + BESIDE_SAMPLES, 0, places - place)
        near, far = (_most(energies, distances, seconds * sample_rate) for seconds in (AROUND_SECONDS, FAR_SECONDS))
        return cls(samples, _energies(given - samples), near, far, size > LONG_SECONDS * sample_rate)


def autoregression(block: Signal) -> Signal:
    """Coefficients of the prediction error filter (autocorrelation method)."""
    spectrum = np.fft.rfft(block * np.hanning(len(block) + 2)[1:-1], 2 * len(block))
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: ORDER + 1]
    correlation[0] = correlation[0] * (1 + 1e-5) + 1e-12
    return np.concatenate([[1.0], -solve_toeplitz(correlation[:-1], correlation[1:])])


def _removal(model: Signal, size: int) -> Signal:
    """What turns samples and `ORDER` more on both sides into how far they are from what those make most likely.

    Args:
        model: prediction error filter.
        size: number of samples that are interpolated.

    Returns:
        `(size, size + 2 ORDER)`.
    """
    # of the squared error in a product of two samples, by their distance
    weights = np.correlate(model, model, "full")[ORDER:]
    distances = np.abs(np.arange(size + 2 * ORDER) - np.arange(ORDER, ORDER + size)[:, None])
    products = np.where(distances <= ORDER, weights[np.minimum(distances, ORDER)], 0)
    return np.asarray(solve(products[:, ORDER : ORDER + size], products, assume_a="pos"))


def _most(energies: Signal, distances: npt.NDArray[np.int64], reach: float) -> Signal:
    """The most energies within a reach before and after, `(2, energies)`.

    Args:
        energies: `(places, energies)`.
        distances: of the places, in samples.
        reach: samples.
    """
    sides = (distances < 0) & (distances > -reach), (distances > 0) & (distances < reach)
    return np.array([energies[side].max(axis=0, initial=0) for side in sides])


def _energies(removed: Signal) -> Signal:
    """Energy of the differences from sample to sample, and of the samples, `(..., samples)` to `(..., 2)`."""
    edges = [(0, 0)] * (removed.ndim - 1) + [(1, 1)]
    differences = np.diff(np.pad(removed, edges), axis=-1)
    return np.stack([np.square(differences).sum(-1), np.square(removed).sum(-1)], axis=-1)
