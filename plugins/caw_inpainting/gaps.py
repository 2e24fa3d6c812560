"""Gaps: where they are, and what is left around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from caw_toolkit import Array, AudioClip, CawUsageError, Gap

#: Parts of the recording shorter than this are not trained on.
SHORTEST_PART_SECONDS = 2.0
#: Runs of digital silence that the processor takes for gaps.
SHORTEST_SILENCE_SECONDS = 0.02
#: Of a recording that has two.
CHANNEL_NAMES = ("left", "right")


class SampleReader(Protocol):
    """A recording that is read piece by piece."""

    @property
    def samples(self) -> int:
        """Per channel."""
        ...

    @property
    def sample_rate(self) -> int:
        """Hz."""
        ...

    @property
    def channels(self) -> int:
        """1 or 2."""
        ...

    def read(self, start: int, stop: int) -> npt.NDArray[np.floating]:
        """What lies of a stretch within the recording, `(channels, samples)`."""
        ...


class ListedGap(NamedTuple):
    """A gap, and what it is.

    Attributes:
        start: its first sample.
        stop: the first sample after it.
        kind: what was found there, or what its label says.
        channel: the only one that it is in, from 0; None if it is in all.
    """

    start: int
    stop: int
    kind: str
    channel: int | None = None

    @property
    def text(self) -> str:
        """Its kind, and the channel that it is in if it is not in all.

        >>> ListedGap(1, 3, "silence").text, ListedGap(1, 3, "silence", 0).text
        ('silence', 'silence (left)')
        """
        return self.kind if self.channel is None else f"{self.kind} ({CHANNEL_NAMES[self.channel]})"

    @property
    def rows(self) -> slice:
        """Its channels in an array `(channels, samples)`."""
        return slice(None) if self.channel is None else slice(self.channel, self.channel + 1)

    def within(self, part: slice) -> ListedGap:
        """What lies of it in a part of the recording, from its beginning.

        >>> ListedGap(5, 9, "silence").within(slice(4, 7))[:2]
        (1, 3)
        """
        return self._replace(
            start=max(self.start, part.start) - part.start, stop=min(self.stop, part.stop) - part.start
        )

    def overlaps(self, other: ListedGap) -> bool:
        """Whether there is a time that both are at."""
        return self.start < other.stop and self.stop > other.start

    def shares_channels(self, other: ListedGap) -> bool:
        """Whether there is a channel that both are in."""
        return self.channel is None or other.channel in (None, self.channel)


@dataclass(frozen=True)
class OneChannel:
    """A channel of a recording, as a recording of its own."""

    recording: SampleReader
    channel: int
    channels: int = 1

    @property
    def samples(self) -> int:
        """Of the recording."""
        return self.recording.samples

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.recording.sample_rate

    def read(self, start: int, stop: int) -> npt.NDArray[np.floating]:
        """What lies of a stretch within the recording, `(1, samples)`."""
        return self.recording.read(start, stop)[self.channel : self.channel + 1]


def list_gaps(gaps: Iterable[ListedGap], samples: int, sample_rate: int) -> list[ListedGap]:
    """Gaps in order, those of the same channels that touch or overlap joined.

    What lies of a gap of one channel in a gap of all is left to that.

    Args:
        gaps: in samples.
        samples: of the recording.
        sample_rate: Hz.

    Raises:
        CawUsageError: one is empty or outside the recording.

    >>> list_gaps([ListedGap(5, 9, "silence"), ListedGap(1, 3, "given"), ListedGap(2, 4, "silence")], 10, 4000)
    [ListedGap(start=1, stop=4, kind='given, silence'...), ListedGap(start=5, stop=9, kind='silence'...)]
    >>> list_gaps([ListedGap(5, 7, "silence"), ListedGap(1, 6, "silence", channel=1)], 10, 4000)[0]
    ListedGap(start=1, stop=5, kind='silence', channel=1)
    """
    gaps = sorted(gaps, key=lambda gap: gap[:3])
    for start, stop, *_ in gaps:
        if 0 <= start < stop <= samples:
            continue
        gap = f"a gap from {start / sample_rate:g} s to {stop / sample_rate:g} s"
        if start == stop:
            raise CawUsageError(f"{gap} is shorter than a sample")
        if start > stop:
            raise CawUsageError(f"{gap} ends before it begins")
        raise CawUsageError(f"{gap} does not lie within the file, which is {samples / sample_rate:g} s long")
    listed: list[ListedGap] = []
    for channel in (None, *range(len(CHANNEL_NAMES))):
        same = [gap for gap in gaps if gap.channel == channel]
        covered = [gap[:2] for gap in listed if gap.channel is None]
        for first, last in join_gaps([gap[:2] for gap in same], samples):
            kinds = ", ".join(dict.fromkeys(gap.kind for gap in same if first <= gap.start < last))
            listed += [ListedGap(start, stop, kinds, channel) for start, stop in _outside(covered, first, last)]
    return sorted(listed, key=lambda gap: gap[:2])


def join_gaps(gaps: Sequence[Gap], samples: int) -> list[Gap]:
    """Gaps in order, those that touch or overlap joined, what lies beyond the end of the signal left out.

    >>> join_gaps([(5, 9), (1, 3), (2, 4)], samples=8)
    [(1, 4), (5, 8)]
    """
    joined: list[Gap] = []
    for start, stop in sorted(gaps):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], min(samples, max(joined[-1][1], stop))
        elif start < min(samples, stop):
            joined.append((start, min(samples, stop)))
    return joined


def gaps_within(gaps: Sequence[Gap], start: int, stop: int) -> list[Gap]:
    """The gaps, or what lies of them, in a part of the recording, from its beginning.

    >>> gaps_within([(1, 3), (5, 9)], 2, 6)
    [(0, 1), (3, 4)]
    """
    return [
        (max(first, start) - start, min(last, stop) - start) for first, last in gaps if first < stop and last > start
    ]


def intact_stretches(gaps: Sequence[Gap], start: int, stop: int, sample_rate: int) -> list[Gap]:
    """What lies in a part of the recording, around gaps and long enough to learn from.

    >>> intact_stretches([(20, 30), (35, 40)], 0, 50, sample_rate=5)
    [(0, 20), (40, 50)]
    """
    least = SHORTEST_PART_SECONDS * sample_rate
    return [(first, last) for first, last in _outside(gaps, start, stop) if last - first >= least]


def _outside(gaps: Sequence[Gap], start: int, stop: int) -> list[Gap]:
    """What lies in a part of the recording outside gaps that are apart from each other."""
    edges = [start, *(start + edge for gap in gaps_within(gaps, start, stop) for edge in gap), stop]
    return [(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True) if first < last]


def find_silences(clip: AudioClip) -> list[Gap]:
    """Runs of digital silence, zero in all channels."""
    least = SHORTEST_SILENCE_SECONDS * clip.sample_rate
    return [(start, stop) for start, stop in find_runs((clip.samples == 0).all(axis=0)) if stop - start >= least]


def find_runs(mask: npt.NDArray[np.bool_], *, shortest: int = 1) -> list[Gap]:
    """Where a mask `(samples,)` is true, in order.

    Args:
        mask: of samples.
        shortest: shorter runs are left out, but for those at the ends of the mask, which may go on there.

    >>> find_runs(np.array([1, 0, 1, 0, 1, 1, 0, 1], bool), shortest=2)
    [(0, 1), (4, 6), (7, 8)]
    """
    starts, stops = np.flatnonzero(np.diff(np.pad(mask, 1).astype(np.int8))).reshape(-1, 2).T
    kept = (stops - starts >= shortest) | (starts == 0) | (stops == len(mask))
    return list(zip(starts[kept].tolist(), stops[kept].tolist(), strict=True))


def silence(samples: Array, gaps: Sequence[Gap]) -> Array:
    """A copy with zeros in the gaps."""
    silent: Array = samples.copy()
    for start, stop in gaps:
        silent[:, start:stop] = 0
    return silent
