"""Gaps near each other, which are filled by one model of what is around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from caw_inpainting.gaps import SampleReader, intact_stretches, join_gaps
from caw_toolkit import AudioClip, Gap

#: A recording up to this long is one group, and all of it is learnt from.
WHOLE_SECONDS = 60.0
#: From the beginning of the first gap of a group to the end of the last, and intact audio to learn from, at the most.
LONGEST_GROUP_SECONDS, TRAINING_SECONDS = 20.0, 30.0


@dataclass(frozen=True)
class Group:
    """Gaps that share a model.

    Attributes:
        numbers: of its gaps in the list of all, from 0.
        stretches: what is learnt from, in samples of the recording; nothing if no stretch around it is long enough.
    """

    numbers: range
    stretches: tuple[Gap, ...]

    def clips(self, recording: SampleReader) -> list[AudioClip]:
        """What is learnt from; the gaps are never seen."""
        parts = (recording.read(*stretch).astype("float32", order="C") for stretch in self.stretches)
        return [AudioClip(part, recording.sample_rate) for part in parts]

    @property
    def names(self) -> str:
        """Its gaps as they are numbered for the user, from 1.

        >>> Group(range(2, 4), ()).names, Group(range(2, 3), ()).names
        ('gaps 3 to 4', 'gap 3')
        """
        first, last = self.numbers[0] + 1, self.numbers[-1] + 1
        return f"gap {first}" if first == last else f"gaps {first} to {last}"


def one_group(gaps: Sequence[Gap], recording: SampleReader) -> Group:
    """All gaps of a recording, and all that is intact."""
    places = join_gaps(gaps, recording.samples)
    return Group(range(len(gaps)), tuple(intact_stretches(places, 0, recording.samples, recording.sample_rate)))


def group_for_model(gaps: Sequence[Gap], recording: SampleReader) -> Group:
    """All gaps of a recording, for a model that there is already: how little is left around them does not matter."""
    group = one_group(gaps, recording)
    if group.stretches:
        return group
    edges = [0, *(edge for gap in join_gaps(gaps, recording.samples) for edge in gap), recording.samples]
    left = tuple((start, stop) for start, stop in zip(edges[::2], edges[1::2], strict=True) if start < stop)
    return Group(group.numbers, left or ((0, recording.samples),))


def group_gaps(gaps: Sequence[Gap], recording: SampleReader) -> list[Group]:
    """Gaps in groups of those near each other, each with intact audio around it.

    Args:
        gaps: in order; those of different channels may overlap.
        recording: that they are in.
    """
    rate = recording.sample_rate
    if recording.samples <= WHOLE_SECONDS * rate:
        return [one_group(gaps, recording)]
    firsts = [0]
    for number, (_, stop) in enumerate(gaps):
        if stop - gaps[firsts[-1]][0] > LONGEST_GROUP_SECONDS * rate and number > firsts[-1]:
            firsts.append(number)
    members = [range(first, last) for first, last in zip(firsts, [*firsts[1:], len(gaps)], strict=True)]
    return [Group(numbers, _surroundings(gaps, numbers, recording)) for numbers in members]


def _surroundings(gaps: Sequence[Gap], numbers: range, recording: SampleReader) -> tuple[Gap, ...]:
    """Intact stretches within and around a group, as much on both sides, or more on one where the other ends."""
    members = join_gaps([gaps[number] for number in numbers], recording.samples)
    first, last = members[0][0], members[-1][1]
    wanted = round(TRAINING_SECONDS * recording.sample_rate)
    wanted -= last - first - sum(gap[1] - gap[0] for gap in members)
    start = max(0, min(first - wanted // 2, recording.samples - last + first - wanted))
    stop = min(recording.samples, max(last + wanted // 2, last - first + wanted))
    return tuple(intact_stretches(join_gaps(gaps, recording.samples), start, stop, recording.sample_rate))
