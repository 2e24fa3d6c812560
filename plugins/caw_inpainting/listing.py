"""What is going to be filled, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from caw_inpainting.gaps import CHANNEL_NAMES, SHORTEST_PART_SECONDS, ListedGap
from caw_inpainting.groups import Group


@dataclass(frozen=True)
class Work:
    """The gaps of a recording, and how they will be filled.

    Attributes:
        gaps: all, in order.
        groups: of those that share a model.
        sample_rate: Hz.
    """

    gaps: Sequence[ListedGap]
    groups: Sequence[Group]
    sample_rate: int

    @property
    def fillable(self) -> list[Group]:
        """The groups that there is something to learn for."""
        return [group for group in self.groups if group.stretches]

    @property
    def left_out(self) -> list[int]:
        """Numbers of the gaps that cannot be filled, from 0."""
        return [number for group in self.groups if not group.stretches for number in group.numbers]

    @property
    def filled(self) -> list[tuple[int, ...]]:
        """Start and end of the gaps that are filled, and the channel of those of one."""
        filled = [self.gaps[number] for group in self.fillable for number in group.numbers]
        return [gap[:2] if gap.channel is None else (*gap[:2], gap.channel) for gap in filled]

    def list_lines(self) -> Iterator[str]:
        """A line for each gap: number, start, length, kind and channel."""
        seconds = sum(gap.stop - gap.start for gap in self.gaps) / self.sample_rate
        yield f"{len(self.gaps)} {'gap' if len(self.gaps) == 1 else 'gaps'}, {seconds:.3f} s in all"
        for number, gap in enumerate(self.gaps, 1):
            length = (gap.stop - gap.start) / self.sample_rate
            yield f"{number:>4}  at {clock(gap.start / self.sample_rate)}  {1000 * length:>6.0f} ms  {gap.text}"

    def complaint(self) -> str:
        """Which gaps cannot be filled, and why; empty if all can."""
        if not self.left_out:
            return ""
        places = ", ".join(clock(self.gaps[number].start / self.sample_rate) for number in self.left_out)
        return (
            f"{len(self.left_out)} of {len(self.gaps)} gaps cannot be filled, at {places}: "
            f"no stretch of {SHORTEST_PART_SECONDS:g} s around them is intact"
        )

    def group_lines(self) -> Iterator[str]:
        """A line for each group that is trained for."""
        fillable = self.fillable
        for number, group in enumerate(fillable, 1):
            seconds = sum(stop - start for start, stop in group.stretches) / self.sample_rate
            first, last = group.stretches[0][0] / self.sample_rate, group.stretches[-1][1] / self.sample_rate
            yield (
                f"model {number} of {len(fillable)}, for {group.names}: "
                f"{seconds:.0f} s between {clock(first)} and {clock(last)}"
            )

    def as_json(self) -> dict[str, Any]:
        """The same for programs; gaps are numbered from 1. Those of all channels have no `channel`."""
        rate = self.sample_rate
        return {
            "sample_rate": rate,
            "gaps": [
                {"start": start, "stop": stop, "start_seconds": start / rate, "stop_seconds": stop / rate, "kind": kind}
                | ({} if channel is None else {"channel": CHANNEL_NAMES[channel]})
                for start, stop, kind, channel in self.gaps
            ],
            "groups": [
                {
                    "gaps": [number + 1 for number in group.numbers],
                    "learnt_from": [[start / rate, stop / rate] for start, stop in group.stretches],
                }
                for group in self.groups
            ],
            "cannot_be_filled": [number + 1 for number in self.left_out],
        }


def clock(seconds: float) -> str:
    """A place in a recording.

    >>> clock(3725.5), clock(61.0804)
    ('1:02:05.500', '1:01.080')
    """
    minutes, rest = divmod(round(1000 * seconds), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest / 1000:06.3f}" if hours else f"{minutes}:{rest / 1000:06.3f}"
