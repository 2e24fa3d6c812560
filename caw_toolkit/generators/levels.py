"""The level of what a generator makes, corrected to that of the recording: errors of a trained network lower it."""

from __future__ import annotations

#: The level is measured on this much generated audio, and corrected by no more than these factors.
LEVEL_SECONDS = 30
LEVEL_CORRECTIONS = (0.5, 2.0)


def level_gain(wanted: float, generated: float) -> float:
    """What generated audio is multiplied by to have the level wanted; both are root mean squares.

    >>> level_gain(0.1, 0.08), level_gain(0.1, 0.0)
    (1.25, 1.0)
    """
    if not generated > 0:
        return 1.0
    least, most = LEVEL_CORRECTIONS
    return min(max(wanted / generated, least), most)
