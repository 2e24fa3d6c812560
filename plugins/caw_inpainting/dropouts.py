"""Dropouts of all kinds in a recording."""

from __future__ import annotations

from collections.abc import Callable

from caw_inpainting.frame_levels import measure_levels
from caw_inpainting.gaps import ListedGap, OneChannel, SampleReader
from caw_inpainting.level_dropouts import level_dropouts
from caw_inpainting.repeats import find_repeated_buffers
from caw_inpainting.silent_dropouts import silent_dropouts
from caw_toolkit import Gap

#: Kinds of dropouts, as they are called in lists and labels.
SILENCE = "silence"
REPEATED_BUFFER = "repeated buffer"
LEVEL_DROPOUT = "level hole"
#: A channel goes on that is no more than this below its level before and after.
GOES_ON_DB = 20.0
#: Its level is measured for so long on each side.
BESIDE_SECONDS = 0.05


def find_dropouts(recording: SampleReader, on_progress: Callable[[float], None] | None = None) -> list[ListedGap]:
    """Where sound was lost: digital silence that breaks sound off, buffers played again, drops below the noise floor.

    In stereo, first what all channels lost, then what one of them did. Pauses, silence before and after the sound,
    gated recordings and synthetic tones are none of these; where that is not sure, nothing is found.

    Args:
        recording: read twice from beginning to end, and again for each channel of two; memory does not grow with it,
            but for a number for each ms.
        on_progress: called with the share that is done.
    """
    report = on_progress or (lambda share: None)
    if recording.channels == 1:
        return _dropouts(recording, report)
    together = _dropouts(recording, lambda done: report(done / 3))
    channels = OneChannel(recording, 0), OneChannel(recording, 1)
    left = _dropouts(channels[0], lambda done: report((1 + done) / 3))
    right = _dropouts(channels[1], lambda done: report((2 + done) / 3))
    alone = [*_lost_alone(left, right, 0, channels[1]), *_lost_alone(right, left, 1, channels[0])]
    # Where one channel carries all that is heard, the dropout that it leaves seems to be in both.
    together = [gap for gap in together if gap.kind != LEVEL_DROPOUT or not any(map(gap.overlaps, alone))]
    return sorted([*together, *(gap for gap in alone if not any(map(gap.overlaps, together)))], key=lambda gap: gap[:2])


def _lost_alone(gaps: list[ListedGap], others: list[ListedGap], channel: int, other: OneChannel) -> list[ListedGap]:
    """What a channel lost while the other went on."""
    return [
        gap._replace(channel=channel) for gap in gaps if not any(map(gap.overlaps, others)) and _goes_on(other, gap)
    ]


def _goes_on(channel: OneChannel, gap: ListedGap) -> bool:
    """Whether a channel is not much quieter in a gap than on both sides of it."""
    beside = round(BESIDE_SECONDS * channel.sample_rate)
    before, inside, after = (
        channel.read(start, stop).var()
        for start, stop in ((gap.start - beside, gap.start), gap[:2], (gap.stop, gap.stop + beside))
    )
    return bool(inside >= min(before, after) * 10 ** (-GOES_ON_DB / 10))


def _dropouts(recording: SampleReader, report: Callable[[float], None]) -> list[ListedGap]:
    """Dropouts of a recording, its channels taken together."""
    found: list[ListedGap] = []

    def add(gaps: list[Gap], kind: str) -> None:
        """What a more certain kind has found already is left out."""
        new = [ListedGap(start, stop, kind) for start, stop in gaps]
        found.extend([gap for gap in new if not any(map(gap.overlaps, found))])

    levels = measure_levels(recording)
    report(0.4)
    add(silent_dropouts(levels), SILENCE)
    add(find_repeated_buffers(recording), REPEATED_BUFFER)
    report(0.9)
    add(level_dropouts(levels), LEVEL_DROPOUT)
    report(1.0)
    return sorted(found)
