"""How a recording goes on from where it sounds as it does before a gap, and what leads to what comes after one.

Everything is described for what lies before a gap; for what comes after it, time is reversed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from caw_inpainting.bands import HOP_SECONDS, Bands, Levels
from caw_inpainting.gaps import silence
from caw_toolkit import Array, Gap

#: Surroundings are compared over this long; what is so far away counts less than what is near by a factor of e^1.5.
CONTEXT_SECONDS, NEARNESS = 0.5, 1.5
#: Continuations that are kept, and how far apart they begin.
COUNT, APART_SECONDS = 12, 0.03
#: Difference of similarity, in dB, over which the weight of a continuation falls by a factor of e.
SPREAD_DB = 1.0
#: Shape of the gamma distribution that weights are drawn from: the lower, the fewer continuations decide.
DRAW_SHAPE = 0.3
#: Levels are averaged as loudness, this power of their energy: their mean in dB would be too quiet as a whole.
LOUDNESS_EXPONENT = 0.3
#: Segments are shifted by up to this much for their waveform to fit, which is compared over as long.
SHIFT_SECONDS = 0.02
#: Length of the crossfade from one continuation to another within a gap.
FADE_SECONDS = 0.08


@dataclass(frozen=True)
class Continuation:
    """A segment of the recording as long as a gap.

    Attributes:
        start: its first frame.
        distance: mean difference in dB between what precedes it and what precedes the gap.
    """

    start: int
    distance: float


class Surroundings:
    """A recording around one gap, and its segments that may go there.

    Args:
        samples: `(channels, samples)`, with anything in the gaps.
        bands: for its sample rate.
        gap: the gap in samples.
        missing: all gaps, in samples.

    Attributes:
        forwards: the best continuations of what precedes the gap, best first.
        backwards: the same of what follows it, in reversed time.
    """

    def __init__(self, samples: Array, bands: Bands, gap: Gap, missing: Sequence[Gap]) -> None:
        self.bands, self.gap = bands, gap
        self.samples = silence(samples, missing)
        self.levels = bands.levels(self.samples)
        start, stop = bands.frames(gap)
        self.length = stop - start
        known = _known_frames(self.levels.shape[1], bands, missing)
        self.forwards = self._continuations(self.levels, known, start)
        self.backwards = self._continuations(self.levels[:, ::-1], known[::-1], self.levels.shape[1] - stop)

    def expected_levels(self, seed: int | None = None) -> Levels | None:
        """What the gap's levels should be, in dB, `(bands, frames)`; None if nothing in the recording says so.

        The mean over continuations from both sides, each side counting the more the nearer it is.

        Args:
            seed: of other expectations: a few of the continuations, drawn by chance, then count most.
        """
        sides = (2, COUNT)
        importance = np.ones(sides) if seed is None else np.random.default_rng(seed).gamma(DRAW_SHAPE, size=sides)
        before = self._mean_levels(self.levels, self.forwards, importance[0])
        after = self._mean_levels(self.levels[:, ::-1], self.backwards, importance[1])
        if before is None or after is None:
            return before if after is None else after[:, ::-1]
        place = (np.arange(self.length) + 0.5) / self.length
        return before * (1 - place) + after[:, ::-1] * place

    def initial_guesses(self, count: int) -> list[Array]:
        """Initial guesses at the gap, best first: a continuation from each side, joined where they are most similar.

        Args:
            count: at most so many.

        Returns:
            Each `(channels, samples of the gap)`.
        """
        mirrored = (self.samples.shape[1] - self.gap[1], self.samples.shape[1] - self.gap[0])
        before = [self._segment(self.samples, self.gap, one) for one in self.forwards]
        after = [self._segment(self.samples[:, ::-1], mirrored, one)[:, ::-1] for one in self.backwards]
        if not before or not after:
            return (before or after)[:count]
        distances = np.add.outer([one.distance for one in self.forwards], [one.distance for one in self.backwards])
        nearest = np.argsort(distances, axis=None)[:count]
        return [
            self._join(before[one], after[other], self._meeting(one, other))
            for one, other in zip(*np.unravel_index(nearest, distances.shape), strict=True)
        ]

    def _continuations(self, levels: Levels, known: npt.NDArray[np.bool_], edge: int) -> list[Continuation]:
        """The segments whose surroundings are most like what precedes frame `edge`."""
        reach = round(CONTEXT_SECONDS / HOP_SECONDS)
        offsets = np.array([offset for offset in range(1, reach + 1) if edge >= offset and known[edge - offset]], int)
        if not self.length or not len(offsets):
            return []
        # Where both the surroundings and what follows them are known.
        starts = np.arange(offsets[-1], levels.shape[1] - self.length)
        unknown = np.concatenate([[0], np.cumsum(~known)])
        starts = starts[unknown[starts + self.length] == unknown[starts - offsets[-1]]]
        weights = np.exp(-NEARNESS * offsets / reach)
        distances = np.zeros(len(starts))
        for offset, weight in zip(offsets, weights / weights.sum(), strict=True):
            distances += weight * np.abs(levels[:, starts - offset] - levels[:, [edge - offset]]).mean(0)
        # The best ones are neighbours of each other: of those that begin together, the first.
        found: list[Continuation] = []
        for index in np.argsort(distances):
            if all(abs(starts[index] - one.start) * HOP_SECONDS > APART_SECONDS for one in found):
                found.append(Continuation(int(starts[index]), float(distances[index])))
            if len(found) == COUNT:
                break
        return found

    def _mean_levels(self, levels: Levels, continuations: Sequence[Continuation], importance: Levels) -> Levels | None:
        """Weighted mean of the levels along continuations, `(bands, frames)`."""
        if not continuations:
            return None
        distances = np.array([one.distance for one in continuations])
        segments = np.stack([levels[:, one.start : one.start + self.length] for one in continuations])
        weights = importance[: len(distances)] * np.exp((distances.min() - distances) / SPREAD_DB)
        loudness = np.average(10 ** (segments * LOUDNESS_EXPONENT / 10), axis=0, weights=weights)
        mean: Levels = 10 / LOUDNESS_EXPONENT * np.log10(loudness)
        return mean

    def _segment(self, samples: Array, gap: Gap, continuation: Continuation) -> Array:
        """A continuation's samples, from where what precedes them fits best what precedes the gap."""
        shift, length = round(SHIFT_SECONDS * self.bands.sample_rate), gap[1] - gap[0]
        wanted = samples[:, gap[0] - shift : gap[0]].sum(0)
        start = continuation.start * self.bands.hop
        first = max(start - shift, len(wanted))
        last = min(start + shift, samples.shape[1] - length)
        before = samples[:, first - len(wanted) : last].sum(0)
        misfits = ((np.lib.stride_tricks.sliding_window_view(before, len(wanted)) - wanted) ** 2).sum(1)
        start = first + int(misfits.argmin())
        return samples[:, start : start + length]

    def _meeting(self, forward: int, backward: int) -> float:
        """Where in the middle half of the gap two continuations are most similar, from 0 to 1."""
        before = self.levels[:, self.forwards[forward].start :][:, : self.length]
        after = self.levels[:, ::-1][:, self.backwards[backward].start :][:, : self.length][:, ::-1]
        frames = max(1, round(FADE_SECONDS / HOP_SECONDS))
        differences = np.convolve(np.abs(before - after).mean(0), np.ones(frames), mode="same")[: self.length]
        first = self.length // 4
        return (first + int(differences[first : self.length - first].argmin()) + 0.5) / self.length

    def _join(self, before: Array, after: Array, meeting: float) -> Array:
        """`before`, crossfaded into `after` around a place from 0 to 1."""
        length = before.shape[1]
        fade = min(FADE_SECONDS * self.bands.sample_rate, length / 2)
        angle = np.clip((np.arange(length) - meeting * length) / fade + 0.5, 0, 1) * np.pi / 2
        mixed: Array = (before * np.cos(angle) + after * np.sin(angle)).astype(np.float32)
        return mixed


def _known_frames(count: int, bands: Bands, missing: Sequence[Gap]) -> npt.NDArray[np.bool_]:
    """Which frames reach into no gap and not beyond the ends of the recording."""
    centres, reach = np.arange(count) * bands.hop, bands.window // 2
    known: npt.NDArray[np.bool_] = (centres >= reach) & (centres < centres[-1] - reach)
    for start, stop in missing:
        known &= (centres + reach <= start) | (centres - reach >= stop)
    return known
