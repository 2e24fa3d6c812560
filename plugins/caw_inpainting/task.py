"""Filling gaps: several attempts at each, of which the one that is nearest to what is expected there is kept."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from caw_inpainting.bands import Bands, Levels
from caw_inpainting.continuations import Surroundings
from caw_inpainting.gaps import silence
from caw_inpainting.joins import join
from caw_toolkit import Array, Gap, derived_seed

if TYPE_CHECKING:
    from caw_toolkit import PyramidModel


#: What the model is given on each side of a gap.
CONTEXT_SECONDS = 2
#: How far from a gap segments are looked for that may go there.
SEARCH_SECONDS = 30
#: Attempts at each gap.
ATTEMPTS = 6
#: How far the model leads such a segment towards noise: near 1, so that what comes of it is new.
STRENGTH = 0.95
#: Levels are changed by no more than this.
LARGEST_GAIN_DB = 20.0


def fill(
    model: PyramidModel,
    samples: Array,
    gaps: Sequence[Gap],
    *,
    seed: int,
    varied: bool = False,
    attempts: int = ATTEMPTS,
) -> Array:
    """Fill gaps in a recording; everything outside them stays as it is, bit for bit.

    Args:
        model: trained on what is left of the recording, at the recording's rate.
        samples: `(channels, samples)`, with anything in the gaps.
        gaps: in samples, sorted and apart from each other.
        seed: of the noise.
        varied: expect something else with each seed, where otherwise all seeds give what is most likely.
        attempts: at each gap.

    Returns:
        `(channels, samples)` float32.
    """
    bands = Bands(model.sample_rate)
    result: Array = samples.copy()
    for number, gap in enumerate(gaps):
        wide = _around(gap, SEARCH_SECONDS, bands, samples.shape[1])
        surroundings = Surroundings(samples[:, wide], bands, _within(gap, wide), _all_within(gaps, wide))
        near = _around(gap, CONTEXT_SECONDS, bands, samples.shape[1])
        part, empty = result[:, near], _all_within(gaps[number:], near)
        expected = surroundings.expected_levels(derived_seed(seed, "expected", number) if varied else None)
        task = _Task(model, bands, part, empty, expected)
        initial_guesses = itertools.cycle(surroundings.initial_guesses(attempts) or [None])
        seeds = [derived_seed(seed, number, attempt) for attempt in range(attempts)]
        made = [task.attempt(guess, attempt_seed) for guess, attempt_seed in zip(initial_guesses, seeds, strict=False)]
        result[:, near] = select_nearest(made, bands, empty[0], expected)
    return result


@dataclass(frozen=True)
class _Task:
    """The first empty gap of a part of a recording, and what is known about it."""

    model: PyramidModel
    bands: Bands
    part: Array
    empty: Sequence[Gap]
    expected: Levels | None

    def attempt(self, guess: Array | None, seed: int) -> Array:
        """The part with the gap filled, from an initial guess if there is one."""
        gap, rate = self.empty[0], self.bands.sample_rate
        whole = silence(self.part, self.empty)
        if guess is not None:
            whole[:, slice(*gap)] = guess
        strength = 1.0 if guess is None else STRENGTH
        made = self.model.fill(whole, rate, self.empty, strength=strength, seed=seed)
        whole[:, slice(*gap)] = made[:, slice(*gap)]
        if self.expected is not None:
            whole = _match_levels(whole, self.bands, gap, self.expected)
        end = self.empty[1][0] if len(self.empty) > 1 else self.part.shape[1]
        complete = join(self.part[:, :end], whole[:, :end], gap, rate)
        return np.concatenate([complete, self.part[:, end:]], axis=1)


def _match_levels(samples: Array, bands: Bands, gap: Gap, expected: Levels) -> Array:
    """A signal with the bands in a gap brought to the levels expected there."""
    start, stop = bands.frames(gap)
    levels = bands.levels(samples)
    gains = np.zeros_like(levels)
    gains[:, start:stop] = np.clip(expected - levels[:, start:stop], -LARGEST_GAIN_DB, LARGEST_GAIN_DB)
    return bands.amplify(samples, gains)


def select_nearest(attempts: Sequence[Array], bands: Bands, gap: Gap, expected: Levels | None) -> Array:
    """The attempt whose levels in the gap are nearest to those expected, or to the mean of all if nothing is."""
    start, stop = bands.frames(gap)
    levels = [bands.levels(attempt)[:, start:stop] for attempt in attempts]
    wanted = np.mean(levels, axis=0) if expected is None else expected
    distances = [np.abs(one - wanted).sum() for one in levels]
    return attempts[int(np.argmin(distances))]


def _around(gap: Gap, seconds: float, bands: Bands, total: int) -> slice:
    """A stretch of the recording with a gap in it that begins with a frame."""
    reach = round(seconds * bands.sample_rate)
    return slice(max(0, gap[0] - reach) // bands.hop * bands.hop, min(total, gap[1] + reach))


def _within(gap: Gap, part: slice) -> Gap:
    return gap[0] - part.start, gap[1] - part.start


def _all_within(gaps: Sequence[Gap], part: slice) -> list[Gap]:
    """The gaps, or what lies of them, in a part of the recording, from its beginning."""
    return [
        _within((max(start, part.start), min(stop, part.stop)), part)
        for start, stop in gaps
        if start < part.stop and stop > part.start
    ]
