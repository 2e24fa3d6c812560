"""Dropouts of all kinds in a recording."""

from __future__ import annotations

from collections.abc import Callable

from caw_inpainting.gaps import ListedGap, OneChannel, Recording
from caw_inpainting.quiet_runs import quiet_runs
from caw_inpainting.repeats import find_repeated_buffers
from caw_toolkit import Gap

SILENCE, REPEATED_BUFFER, LEVEL_HOLE = "silence", "repeated buffer", "level hole"


def find_dropouts(recording: Recording, on_progress: Callable[[float], None] | None = None) -> list[ListedGap]:
    """Where sound was lost: digital silence that breaks sound off, buffers played again, holes in the noise floor.

    In stereo, first what all channels lost, then what one of them did. Pauses, silence before and after the sound,
    gated recordings and synthetic tones are none of these; where that is not sure, nothing is found.

    Args:
        recording: read twice from beginning to end, and again for each channel of two; memory does not grow with it,
            but for a number for each ms.
        on_progress: called with the share that is done.
    """
    report = on_progress or (lambda share: None)
    parts = [recording, *_channels(recording)]
    together, *alone = (
        _dropouts(part, lambda done, index=index: report((index + done) / len(parts)))  # type: ignore[misc]
        for index, part in enumerate(parts)
    )
    found = list(together)
    for channel, gaps in enumerate(alone):
        found += [gap._replace(channel=channel) for gap in gaps if not any(map(gap.overlaps, together))]
    return sorted(found, key=lambda gap: gap[:2])


def _channels(recording: Recording) -> list[OneChannel]:
    """The channels of a recording that has more than one."""
    return [OneChannel(recording, channel) for channel in range(recording.channels) if recording.channels > 1]


def _dropouts(recording: Recording, report: Callable[[float], None]) -> list[ListedGap]:
    """Dropouts of all channels of a recording together."""
    found: list[ListedGap] = []

    def add(gaps: list[Gap], kind: str) -> None:
        """What a more certain kind has found already is left out."""
        new = [ListedGap(start, stop, kind) for start, stop in gaps]
        found.extend([gap for gap in new if not any(map(gap.overlaps, found))])

    quiet = quiet_runs(recording)
    report(0.4)
    add(quiet.silences(), SILENCE)
    add(find_repeated_buffers(recording), REPEATED_BUFFER)
    report(0.9)
    add(quiet.holes(), LEVEL_HOLE)
    report(1.0)
    return sorted(found)
