"""Coherence: how long what a take follows holds together, chosen when it is made (paper, section 4.1).

The paper controls it by the receptive field: two seconds mumble, eight keep short sequences of words. Here it is the
noise that decides what follows what over longer stretches, and noise can be chosen after the training.
"""

from __future__ import annotations

from dataclasses import dataclass

from caw_toolkit.errors import CawUsageError

__all__ = ["LEAST_COHERENCE_SECONDS", "MOST_COHERENCE_SECONDS", "Coherence"]

#: Least coherence that may be asked for.
LEAST_COHERENCE_SECONDS = 1
#: Most coherence that may be asked for.
MOST_COHERENCE_SECONDS = 60
#: Up to here all noise is fresh; with twice the seconds, half of its power is. So there are as many and as long runs of
#: the recording as with receptive fields of so many seconds (docs/decisions.md#coherence).
_ALL_FRESH_SECONDS = 2.0
#: Here chance has its usual say in the selection of exemplars.
_USUAL_SECONDS = 4.0


@dataclass(frozen=True)
class Coherence:
    """Coherence in seconds, and what follows from it.

    Attributes:
        seconds: from `LEAST_COHERENCE_SECONDS` to `MOST_COHERENCE_SECONDS`.

    Raises:
        CawUsageError: if there are more or fewer.

    Example:
        >>> [round(Coherence(seconds).inverted_noise, 2) for seconds in (2, 4, 8)]
        [0.0, 0.5, 0.75]
    """

    seconds: float

    def __post_init__(self) -> None:
        if not LEAST_COHERENCE_SECONDS <= self.seconds <= MOST_COHERENCE_SECONDS:
            bounds = f"from {LEAST_COHERENCE_SECONDS:g} to {MOST_COHERENCE_SECONDS:g} seconds"
            raise CawUsageError(f"coherence must be {bounds}, not {self.seconds:g}")

    @property
    def inverted_noise(self) -> float:
        """Share of the power of the noise that is inverted, from 0 to 1."""
        return 1 - min(1.0, _ALL_FRESH_SECONDS / self.seconds)

    @property
    def segment_seconds(self) -> float:
        """Length of the segments of inverted noise: a receptive field of so many seconds sees as much to each side."""
        return self.seconds / 2

    @property
    def selection_noise(self) -> float:
        """How many times the usual noise there is in the selection of exemplars."""
        return _USUAL_SECONDS / self.seconds
