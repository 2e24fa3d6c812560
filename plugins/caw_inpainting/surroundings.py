"""A recording around a gap: the levels that are expected in it, and initial guesses, from what it does elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from caw_inpainting.bands import HOP_SECONDS, Bands, Levels
from caw_inpainting.continuations import EXCESS_SHARE, Beat, Context, Side
from caw_inpainting.gaps import silence
from caw_toolkit import Array, Gap
from caw_toolkit.arrays import FloatArray
from caw_toolkit.pyramid.pulse import find_pulse

#: Length of the crossfade from one continuation to another within a gap.
FADE_SECONDS = 0.08
#: Moments are loud up to so far below the loudest. They are raised, the more the louder they are: the mean of levels in
#: dB is too quiet as a whole, since loud moments make the energy.
LOUD_DB = 20.0
#: They are raised by no more than this.
LARGEST_RISE_DB = 12.0
#: A shorter gap has less room for loud and soft moments, and is raised by less.
VARIED_SECONDS = 0.3
#: Strokes are faster than this: what is slower is the mean of all continuations.
SLOW_SECONDS = 0.2
#: Frames over which rises of levels are measured, to tell strokes (docs/decisions.md#strokes-in-gaps).
RISE_FRAMES = 3
#: This percentile of all rises is compared with their median.
RISE_PERCENTILE = 97
#: It is no more than this above the median where a recording has no strokes.
NO_STROKES_DB = 3.0
#: It is this or more above the median where a recording consists of strokes.
STROKES_DB = 5.0


class Surroundings:
    """A recording around one gap, and what of it may go there.

    Args:
        samples: `(channels, samples)`, with anything in the gaps.
        bands: for its sample rate.
        gap: the gap in samples.
        missing: all gaps, in samples.
        take: number of the take, from 0: the others expect other things, less and less likely ones.
        may_have_strokes: whether what is in the recording may be strokes.

    Attributes:
        before: continuations of what precedes the gap.
        after: of what follows it, in reversed time.
    """

    def __init__(
        self,
        samples: Array,
        bands: Bands,
        gap: Gap,
        missing: Sequence[Gap],
        *,
        take: int = 0,
        may_have_strokes: bool = True,
    ) -> None:
        self.bands, self.gap, self._may_have_strokes = bands, gap, may_have_strokes
        self.samples = silence(samples, missing)
        self.levels = bands.levels(self.samples)
        self.frames = bands.frames(gap)
        self.known = _known_frames(self.levels.shape[1], bands, missing)
        context = Context(self.samples, self.levels, self.known, bands, gap, *self.frames, beat=self._beat(missing))
        self.before, self.after = Side(context, take), Side(context.reversed, take)

    def _beat(self, missing: Sequence[Gap]) -> Beat | None:
        pulse = find_pulse(self.samples, self.bands.sample_rate, missing=missing)
        if pulse is None:
            return None
        seconds = np.arange(self.levels.shape[1]) * self.bands.hop / self.bands.sample_rate
        return Beat(pulse.phases(seconds), pulse.pulses_a_bar)

    @cached_property
    def percussiveness(self) -> float:
        """How much the recording consists of strokes, from 0 to 1: how far sudden rises of all bands stand out."""
        known = self.known[RISE_FRAMES:] & self.known[:-RISE_FRAMES]
        if not self._may_have_strokes or not known.any():
            return 0.0
        rises = np.maximum(self.levels[:, RISE_FRAMES:] - self.levels[:, :-RISE_FRAMES], 0).mean(0)[known]
        standing_out = np.percentile(rises, RISE_PERCENTILE) - np.median(rises)
        return float(np.clip((standing_out - NO_STROKES_DB) / (STROKES_DB - NO_STROKES_DB), 0, 1))

    def expected_levels(self) -> Levels | None:
        """What the gap's levels should be, in dB, `(bands, frames)`; None if nothing in the recording says so.

        The mean over continuations from both sides, each side counting the more the nearer it is, with as much energy
        as they have.
        """
        before, after = (
            np.average(levels, axis=0, weights=side.weights) if len(levels) else None
            for side, levels in zip((self.before, self.after), self._levels_along, strict=True)
        )
        if before is None or after is None:
            return before if after is None else after[:, ::-1]
        return self._with_energy(before * (1 - self._position_in_gap) + after[:, ::-1] * self._position_in_gap)

    @cached_property
    def _levels_along(self) -> tuple[Levels, Levels]:
        """Levels along the continuations of each side, `(continuations, bands, frames)`."""
        # What is louder before a gap than elsewhere goes on; but for the stroke that has made it so.
        excess_share = EXCESS_SHARE * (1 - self.percussiveness)
        before, after = (
            side.levels_along(excess_share) if side.continuations else np.zeros((0, 0, 0))
            for side in (self.before, self.after)
        )
        return before, after

    @property
    def _position_in_gap(self) -> FloatArray:
        """Where each frame is in the gap, from 0 to 1."""
        length = self.frames[1] - self.frames[0]
        return np.asarray((np.arange(length) + 0.5) / length)

    def _with_energy(self, levels: Levels) -> Levels:
        """Levels whose loud moments are raised so that there is as much energy in the gap as is to be expected."""
        before, after = (
            np.mean([self.bands.power(one) * (1 - self._position_in_gap) for one in levels], axis=1)
            for levels in self._levels_along
        )
        pairs = 10 * np.log10(np.add.outer(before, after) + 1e-20)
        wanted = self.before.weights @ pairs @ self.after.weights
        loudness = np.clip(1 - (levels.max() - levels) / LOUD_DB, 0, 1)
        rise = 0.0
        for _ in range(8):  # a fixed-point iteration: only the loud moments rise, so that it takes some steps
            energy = self.bands.power(levels + rise * loudness).mean()
            rise += float(wanted - 10 * np.log10(energy + 1e-20))
            rise = float(np.clip(rise, -LARGEST_RISE_DB, LARGEST_RISE_DB))
        rise *= min(1.0, levels.shape[1] * HOP_SECONDS / VARIED_SECONDS)
        raised: Levels = levels + rise * loudness
        return raised

    def with_strokes(self, expected: Levels, guess: Array) -> Levels:
        """Expected levels with the strokes of an initial guess: an average of several continuations has none.

        Args:
            expected: `expected_levels`.
            guess: one of `initial_guesses`.
        """
        if not self.percussiveness or not self.before.continuations or not self.after.continuations:
            return expected
        whole = self.samples.copy()
        whole[:, slice(*self.gap)] = guess
        differences = self.bands.levels(whole)[:, slice(*self.frames)] - expected
        window = np.hanning(round(SLOW_SECONDS / HOP_SECONDS) + 2)
        weights = _smooth(np.ones_like(differences), window)
        fast = differences - _smooth(differences, window) / weights
        return self._with_energy(expected + self.percussiveness * fast)

    def initial_guesses(self, count: int) -> list[Array]:
        """Initial guesses at the gap, best first: a continuation from each side, joined where they are most similar.

        Args:
            count: at most so many.

        Returns:
            Each `(channels, samples of the gap)`.
        """
        before = self.before.segments()
        after = [segment[:, ::-1] for segment in self.after.segments()]
        if not before or not after:
            return (before or after)[:count]
        sides = (self.before, self.after)
        distances = np.add.outer(*([one.distance for one in side.continuations] for side in sides))
        nearest = np.argsort(distances, axis=None)[:count]
        return [
            self._join(before[one], after[other], self._best_crossfade_position(one, other))
            for one, other in zip(*np.unravel_index(nearest, distances.shape), strict=True)
        ]

    def _best_crossfade_position(self, forward: int, backward: int) -> float:
        """Where in the middle half of the gap two continuations are most similar, from 0 to 1."""
        length = self.frames[1] - self.frames[0]
        before = self.levels[:, self.before.continuations[forward].start :][:, :length]
        after = self.levels[:, ::-1][:, self.after.continuations[backward].start :][:, :length][:, ::-1]
        frames = max(1, round(FADE_SECONDS / HOP_SECONDS))
        differences = np.convolve(np.abs(before - after).mean(0), np.ones(frames), mode="same")[:length]
        first = length // 4
        return (first + int(differences[first : length - first].argmin()) + 0.5) / length

    def _join(self, before: Array, after: Array, meeting: float) -> Array:
        """`before`, crossfaded into `after` around a place from 0 to 1."""
        length = before.shape[1]
        fade = min(FADE_SECONDS * self.bands.sample_rate, length / 2)
        angle = np.clip((np.arange(length) - meeting * length) / fade + 0.5, 0, 1) * np.pi / 2
        mixed: Array = (before * np.cos(angle) + after * np.sin(angle)).astype(np.float32)
        return mixed


def _smooth(levels: Levels, window: FloatArray) -> Levels:
    """Levels, convolved with a window over time, as if there were zeros around them."""
    pad = len(window) // 2
    return np.stack([np.convolve(band, window)[pad : pad + len(band)] for band in levels])


def _known_frames(count: int, bands: Bands, missing: Sequence[Gap]) -> npt.NDArray[np.bool_]:
    """Which frames reach into no gap and not beyond the ends of the recording."""
    centres, reach = np.arange(count) * bands.hop, bands.window // 2
    known: npt.NDArray[np.bool_] = (centres >= reach) & (centres < centres[-1] - reach)
    for start, stop in missing:
        known &= (centres + reach <= start) | (centres - reach >= stop)
    return known
