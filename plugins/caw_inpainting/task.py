"""Filling gaps: several attempts at each, of which the one that is nearest to what is expected there is kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from caw_inpainting.bands import Bands, Levels
from caw_inpainting.gaps import ListedGap, gaps_within, join_gaps
from caw_inpainting.joins import join
from caw_inpainting.surroundings import Surroundings
from caw_toolkit import Array, Gap, Material, derived_seed

if TYPE_CHECKING:
    import numpy.typing as npt

    from caw_toolkit import PyramidModel


#: What the model is given on each side of a gap.
CONTEXT_SECONDS = 2
#: How far from a gap segments are looked for that may go there.
SEARCH_SECONDS = 30
#: Attempts at each gap.
ATTEMPTS = 6
#: How far the model leads such a segment towards noise: near 1, so that what comes of it is new.
STRENGTH = 0.95
#: The same where it is strokes, which the model would put elsewhere.
STROKE_STRENGTH = 0.6
#: Levels are changed by no more than this.
LARGEST_GAIN_DB = 20.0
#: Samples that are written at once.
BLOCK_SAMPLES = 1 << 16


def fill(
    model: PyramidModel,
    samples: Array,
    gaps: Sequence[Gap],
    *,
    seed: int,
    take: int = 0,
    attempts: int = ATTEMPTS,
) -> Array:
    """Fill gaps in a recording; everything outside them stays as it is, bit for bit.

    Args:
        model: trained on what is left of the recording, at the recording's rate.
        samples: `(channels, samples)`, with anything in the gaps.
        gaps: in samples, sorted and apart from each other.
        seed: of the noise.
        take: number of the take, from 0: the first is what is most likely, the others come from other places.
        attempts: at each gap.

    Returns:
        `(channels, samples)` float32.
    """
    total = samples.shape[1]
    given = [ListedGap(start, stop, "given") for start, stop in gaps]
    repair = Repair(lambda start, stop: samples[:, start:stop], total, given, seed=seed, take=take)
    for number in range(len(gaps)):
        repair.fill(number, model, attempts=attempts)
    whole: Array = repair.read(0, total).astype(np.float32)
    return whole


class Repair:
    """A recording whose gaps are being filled, one after the other; only what fills them is kept.

    Args:
        source: gives a stretch of the recording, from a sample to another, `(channels, samples)`.
        total: samples of the recording.
        gaps: in samples, sorted; those of a channel are apart from each other.
        seed: of the noise.
        take: as for `fill`.
    """

    def __init__(
        self,
        source: Callable[[int, int], npt.NDArray[np.floating]],
        total: int,
        gaps: Sequence[ListedGap],
        *,
        seed: int,
        take: int,
    ) -> None:
        self._source, self._total, self._gaps = source, total, gaps
        self._seed, self._take = seed, take
        self._fillings: dict[int, Array] = {}

    def read(self, start: int, stop: int) -> npt.NDArray[np.floating]:
        """A stretch of the recording as it is now, with all bits that it has outside the gaps."""
        part: npt.NDArray[np.floating] = self._source(start, stop).copy()
        for number, filling in self._fillings.items():
            gap = self._gaps[number]
            first, last = max(gap.start, start), min(gap.stop, stop)
            if first < last:
                part[gap.rows, first - start : last - start] = filling[:, first - gap.start : last - gap.start]
        return part

    def blocks(self) -> Iterator[npt.NDArray[np.floating]]:
        """The whole, block by block."""
        return (self.read(start, start + BLOCK_SAMPLES) for start in range(0, self._total, BLOCK_SAMPLES))

    def fill(self, number: int, model: PyramidModel, *, attempts: int = ATTEMPTS) -> None:
        """Fill a gap.

        Args:
            number: of the gap, from 0.
            model: as for `fill`.
            attempts: of which the best is kept.
        """
        bands, gap, seed = Bands(model.sample_rate), self._gaps[number], self._seed
        wide = _around(gap, SEARCH_SECONDS, bands, self._total)
        known = self._source(wide.start, wide.stop)[gap.rows].astype(np.float32, order="C")
        missing = join_gaps([other[:2] for other in self._gaps if other.shares_channels(gap)], self._total)
        around = Surroundings(
            known,
            bands,
            gap.within(wide)[:2],
            gaps_within(missing, wide.start, wide.stop),
            take=self._take,
            may_have_strokes=model.training.get("material") != Material.SPEECH,
        )
        expected = around.expected_levels()
        task = self._task(model, bands, number, STRENGTH + around.percussiveness * (STROKE_STRENGTH - STRENGTH))
        guesses = itertools.cycle(around.initial_guesses(attempts) or [None])
        made: list[Array] = []
        wanted: list[Levels | None] = []
        for attempt, guess in zip(range(attempts), guesses, strict=False):
            wanted.append(expected if expected is None or guess is None else around.with_strokes(expected, guess))
            made.append(task.attempt(guess, wanted[-1], derived_seed(seed, number, attempt)))
        whole = select_nearest(made, bands, task.gap[:2], expected, wanted)
        self._fillings[number] = whole[:, task.gap.start : task.gap.stop].copy()

    def _task(self, model: PyramidModel, bands: Bands, number: int, strength: float) -> _Task:
        """What is near a gap, as it is now."""
        gap = self._gaps[number]
        near = _around(gap, CONTEXT_SECONDS, bands, self._total)
        part = self.read(near.start, near.stop).astype(np.float32, order="C")
        unfilled = [other for index, other in enumerate(self._gaps) if index not in self._fillings]
        empty = [other.within(near) for other in unfilled if other.start < near.stop and other.stop > near.start]
        return _Task(model, bands, part, gap.within(near), empty, strength)


@dataclass(frozen=True)
class _Task:
    """A gap in a part of a recording, the gaps there that are empty, and what is known about it."""

    model: PyramidModel
    bands: Bands
    part: Array
    gap: ListedGap
    empty: Sequence[ListedGap]
    strength: float

    def attempt(self, guess: Array | None, expected: Levels | None, seed: int) -> Array:
        """The gap's channels of the part with the gap filled, from an initial guess if there is one."""
        (start, stop), rows, rate = self.gap[:2], self.gap.rows, self.bands.sample_rate
        whole = self.part.copy()
        for other in self.empty:
            whole[other.rows, other.start : other.stop] = 0
        if guess is not None:
            whole[rows, start:stop] = guess
        strength = 1.0 if guess is None else self.strength
        places = join_gaps([other[:2] for other in self.empty], whole.shape[1])
        made = self.model.fill(whole, rate, places, strength=strength, seed=seed)[rows, start:stop]
        whole, known = whole[rows], self.part[rows]
        whole[:, start:stop] = made
        if expected is not None:
            whole = _match_levels(whole, self.bands, (start, stop), expected)
        beside = [other for other in self.empty if other.shares_channels(self.gap)]
        begin = max((other.stop for other in beside if other.stop <= start), default=0)
        end = min((other.start for other in beside if other.start >= stop), default=known.shape[1])
        complete = join(known[:, begin:end], whole[:, begin:end], (start - begin, stop - begin), rate)
        return np.concatenate([known[:, :begin], complete, known[:, end:]], axis=1)


def _match_levels(samples: Array, bands: Bands, gap: Gap, expected: Levels) -> Array:
    """A signal with the bands in a gap brought to the levels expected there."""
    start, stop = bands.frames(gap)
    levels = bands.levels(samples)
    gains = np.zeros_like(levels)
    gains[:, start:stop] = np.clip(expected - levels[:, start:stop], -LARGEST_GAIN_DB, LARGEST_GAIN_DB)
    return bands.amplify(samples, gains)


def select_nearest(
    attempts: Sequence[Array], bands: Bands, gap: Gap, expected: Levels | None, wanted: Sequence[Levels | None]
) -> Array:
    """The attempt whose levels in the gap are nearest to those expected, or to the mean of all if nothing is.

    Args:
        attempts: each `(channels, samples)`.
        bands: for their sample rate.
        gap: in samples.
        expected: in the gap, `(bands, frames)`.
        wanted: levels that each attempt was to have, with strokes of its own: what missed them is further away.
    """
    start, stop = bands.frames(gap)
    levels = [bands.levels(attempt)[:, start:stop] for attempt in attempts]
    centre = np.mean(levels, axis=0) if expected is None else expected
    targets = [centre if own is None else own for own in wanted]
    distances = [np.abs(one - centre).sum() + np.abs(one - own).sum() for one, own in zip(levels, targets, strict=True)]
    return attempts[int(np.argmin(distances))]


def _around(gap: ListedGap, seconds: float, bands: Bands, total: int) -> slice:
    """A stretch of the recording with a gap in it that begins with a frame."""
    reach = round(seconds * bands.sample_rate)
    return slice(max(0, gap.start - reach) // bands.hop * bands.hop, min(total, gap.stop + reach))
