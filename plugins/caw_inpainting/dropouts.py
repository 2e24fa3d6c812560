"""Dropouts of all kinds in a recording."""

from __future__ import annotations

from collections.abc import Callable

from caw_inpainting.gaps import ListedGap, Recording
from caw_inpainting.quiet_runs import quiet_runs
from caw_inpainting.repeats import find_repeated_buffers
from caw_toolkit import Gap

SILENCE, REPEATED_BUFFER, LEVEL_HOLE = "silence", "repeated buffer", "level hole"


def find_dropouts(recording: Recording, on_progress: Callable[[float], None] | None = None) -> list[ListedGap]:
    """Where sound was lost: digital silence that breaks sound off, buffers played again, holes in the noise floor.

    Pauses, silence before and after the sound, gated recordings and synthetic tones are none of these; where that is
    not sure, nothing is found.

    Args:
        recording: read twice from beginning to end; memory does not grow with it, but for a number for each ms.
        on_progress: called with the share that is done.
    """
    report = on_progress or (lambda share: None)
    found: list[ListedGap] = []

    def add(gaps: list[Gap], kind: str) -> None:
        """What a more certain kind has found already is left out."""
        new = [(start, stop) for start, stop in gaps if not any(start < gap.stop and stop > gap.start for gap in found)]
        found.extend(ListedGap(start, stop, kind) for start, stop in new)

    quiet = quiet_runs(recording)
    report(0.4)
    add(quiet.silences(), SILENCE)
    add(find_repeated_buffers(recording), REPEATED_BUFFER)
    report(0.9)
    add(quiet.holes(), LEVEL_HOLE)
    report(1.0)
    return sorted(found)
