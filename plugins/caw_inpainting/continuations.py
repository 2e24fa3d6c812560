"""How a recording goes on from where it sounds as it does before a gap, and what leads to what comes after one.

Everything is described for what lies before a gap; for what comes after it, time is reversed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from caw_inpainting.bands import HOP_SECONDS, Bands, Levels
from caw_toolkit import Array, Gap
from caw_toolkit.arrays import FloatArray

#: Surroundings are compared over this long.
CONTEXT_SECONDS = 0.5
#: What is so far away counts less than what is near, by a factor of e to this.
NEARNESS = 1.5
#: Continuations that are kept.
COUNT = 12
#: They begin this far apart at least.
APART_SECONDS = 0.03
#: Difference of similarity, in dB, over which the weight of a continuation falls by a factor of e.
SPREAD_DB = 0.7
#: What it costs, as a difference in dB, to begin off the beat.
OFF_BEAT_DB = 3.0
#: What it costs to begin on another beat of the bar.
OFF_BAR_DB = 2.0
#: The best continuation of another take begins no nearer than this to that of an earlier one.
TAKES_APART_SECONDS = 0.25
#: What precedes a gap is louder or softer than what precedes its continuations; over so long, nearest to the gap.
EXCESS_SECONDS = 0.1
#: This share of that goes on into the gap.
EXCESS_SHARE = 0.7
#: Time in which it falls there by a factor of e.
EXCESS_DECAY_SECONDS = 0.4
#: Segments are shifted by up to this much for their waveform to fit, which is compared over as long.
SHIFT_SECONDS = 0.02

Frames = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Continuation:
    """A segment of the recording as long as a gap.

    Attributes:
        start: its first frame.
        distance: mean difference in dB between what precedes it and what precedes the gap, and what its beat costs.
    """

    start: int
    distance: float


@dataclass(frozen=True)
class Beat:
    """Where frames are on a beat.

    Attributes:
        phases: pulses before each frame, with fractions, `(frames,)`.
        pulses_a_bar: after which the rhythm repeats; 1 where no bar stands out.
    """

    phases: FloatArray
    pulses_a_bar: int

    @property
    def reversed(self) -> Beat:
        """The same in reversed time."""
        return Beat(self.phases[::-1], self.pulses_a_bar)

    def cost(self, starts: Frames, edge: int) -> FloatArray:
        """What it costs to go on at frames `starts` where the beat is at frame `edge`, in dB, `(starts,)`.

        >>> Beat(np.arange(9) / 4, 1).cost(np.array([0, 2, 4]), 0).round(1).tolist()  # on, half off, on the beat
        [0.0, 5.0, 0.0]
        """
        angles = 2 * np.pi * (self.phases[starts] - self.phases[edge])
        off_beat = OFF_BEAT_DB * (2 - np.cos(angles) - np.cos(2 * angles)) / 2
        return np.asarray(off_beat + OFF_BAR_DB * (1 - np.cos(angles / self.pulses_a_bar)) / 2)


@dataclass(frozen=True)
class Context:
    """What lies before a gap, in a recording that continuations are taken from.

    Attributes:
        samples: `(channels, samples)`, silent in all gaps.
        levels: of them, `(bands, frames)`.
        known: frames that hold nothing of gaps, `(frames,)`.
        bands: for their sample rate.
        gap: the gap in samples.
        first, stop: its frames.
        beat: of the recording, if it has one.
    """

    samples: Array
    levels: Levels
    known: npt.NDArray[np.bool_]
    bands: Bands
    gap: Gap
    first: int
    stop: int
    beat: Beat | None

    @property
    def reversed(self) -> Context:
        """What comes after the gap, in reversed time."""
        frames, total = self.levels.shape[1], self.samples.shape[1]
        return Context(
            self.samples[:, ::-1],
            self.levels[:, ::-1],
            self.known[::-1],
            self.bands,
            (total - self.gap[1], total - self.gap[0]),
            frames - self.stop,
            frames - self.first,
            self.beat and self.beat.reversed,
        )


class Side:
    """The continuations of what lies before a gap.

    Args:
        context: what that is.
        take: number of the take, from 0. The best continuation of each is another place of the recording.

    Attributes:
        continuations: best first; none if nothing in the recording is long enough.
        weights: what each counts, `(continuations,)`; their sum is 1.
    """

    def __init__(self, context: Context, take: int = 0) -> None:
        self.context = context
        self.length = context.stop - context.first
        self.continuations = self._best(*self._candidates(), take)
        distances = np.array([one.distance for one in self.continuations])
        weights = np.exp(-(distances - distances.min(initial=np.inf)) / SPREAD_DB)
        self.weights: FloatArray = weights / weights.sum()

    def _candidates(self) -> tuple[Frames, FloatArray]:
        """First frames of the segments that may follow, nearest first, and the distances of what precedes them."""
        levels, known, edge = self.context.levels, self.context.known, self.context.first
        reach = round(CONTEXT_SECONDS / HOP_SECONDS)
        offsets = np.array([offset for offset in range(1, reach + 1) if edge >= offset and known[edge - offset]], int)
        if not self.length or not len(offsets):
            return np.zeros(0, np.int64), np.zeros(0)
        # Where both the surroundings and what follows them are known.
        starts = np.arange(offsets[-1], levels.shape[1] - self.length)
        unknown = np.concatenate([[0], np.cumsum(~known)])
        starts = starts[unknown[starts + self.length] == unknown[starts - offsets[-1]]]
        weights = np.exp(-NEARNESS * offsets / reach)
        distances = np.zeros(len(starts))
        for offset, weight in zip(offsets, weights / weights.sum(), strict=True):
            distances += weight * np.abs(levels[:, starts - offset] - levels[:, [edge - offset]]).mean(0)
        if self.context.beat is not None:
            distances += self.context.beat.cost(starts, edge)
        order = np.argsort(distances)
        return starts[order], distances[order]

    @staticmethod
    def _best(starts: Frames, distances: FloatArray, take: int) -> list[Continuation]:
        """The best of all candidates without the places of earlier takes; where no other is left, from the first on."""
        left = np.ones(len(starts), bool)
        for _ in range(take if len(starts) else 0):
            left &= np.abs(starts - starts[left.argmax()]) * HOP_SECONDS > TAKES_APART_SECONDS
            if not left.any():
                left[:] = True
        # The best ones are neighbours of each other: of those that begin together, the first.
        found: list[Continuation] = []
        for start, distance in zip(starts[left].tolist(), distances[left].tolist(), strict=True):
            if all(abs(start - one.start) * HOP_SECONDS > APART_SECONDS for one in found):
                found.append(Continuation(start, distance))
            if len(found) == COUNT:
                break
        return found

    def levels_along(self, excess_share: float) -> Levels:
        """Levels along each continuation, in dB, `(continuations, bands, frames of the gap)`.

        Args:
            excess_share: of what is louder or softer before the gap than before them in the mean, how much goes on at
                first.
        """
        context, edge = self.context, self.context.first
        reach = context.bands.window // 2 // context.bands.hop + round(EXCESS_SECONDS / HOP_SECONDS)
        past = min(reach, edge, *(one.start for one in self.continuations))
        starts = [one.start for one in self.continuations]
        levels = np.stack([context.levels[:, start - past : start + self.length] for start in starts])
        along: Levels = levels[:, :, past:]
        known = context.known[edge - past : edge]
        if not known.any():
            return along
        before = np.average(levels[:, :, :past], axis=0, weights=self.weights)
        excess = (context.levels[:, edge - past : edge] - before)[:, known].mean(1)
        excess = np.convolve(np.pad(excess, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
        seconds = (np.arange(self.length) + 0.5) * HOP_SECONDS
        going_on: Levels = excess_share * excess[:, None] * np.exp(-seconds / EXCESS_DECAY_SECONDS)
        return along + going_on

    def segments(self) -> list[Array]:
        """Each continuation's samples, from where what precedes them fits best what precedes the gap."""
        return [self._segment(one.start * self.context.bands.hop) for one in self.continuations]

    def _segment(self, start: int) -> Array:
        samples, (first, last) = self.context.samples, self.context.gap
        shift = round(SHIFT_SECONDS * self.context.bands.sample_rate)
        wanted = samples[:, first - shift : first].sum(0)
        earliest = max(start - shift, len(wanted))
        latest = min(start + shift, samples.shape[1] - (last - first))
        before = samples[:, earliest - len(wanted) : latest].sum(0)
        misfits = ((np.lib.stride_tricks.sliding_window_view(before, len(wanted)) - wanted) ** 2).sum(1)
        begin = earliest + int(misfits.argmin())
        return samples[:, begin : begin + last - first]
