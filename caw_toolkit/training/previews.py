"""When a model is heard while it is trained."""

from __future__ import annotations

#: Seconds of training after which there is something to hear.
FIRST_SECONDS = 8.0
#: The next preview comes when the training has lasted so many times as long: early ones gain most.
GROWTH = 2.0


class PreviewClock:
    """Says when a preview is due.

    >>> clock = PreviewClock()
    >>> [seconds for seconds in range(40) if clock.due(seconds)]
    [8, 16, 32]
    """

    def __init__(self) -> None:
        self._next = FIRST_SECONDS

    def due(self, elapsed: float) -> bool:
        """Whether there is to be one now, after so many seconds of training."""
        if elapsed < self._next:
            return False
        self._next = GROWTH * elapsed
        return True
