"""What work on files reports its progress to."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from caw_toolkit.progress.state import ProgressState

if TYPE_CHECKING:
    from caw_toolkit.arrays import Array


class ProgressDisplay:
    """How far work on one or several files has come.

    Args:
        show: shows a state.

    Example:
        >>> display = ProgressDisplay(lambda state: print(state.name, state.percent, state.stage))
        >>> display.begin_file("b.wav", 2, 20)  # doctest: +NORMALIZE_WHITESPACE
        b.wav 0 %
        >>> display.update(0.25, "cleaning")
        b.wav 25 % cleaning

    .. versionadded:: 0.2
    """

    def __init__(self, show: Callable[[ProgressState], None]) -> None:
        now = time.monotonic()
        self._show = show
        self._state = ProgressState(began=now, file_began=now, at=now)

    def begin_file(self, name: str, number: int, count: int) -> None:
        """Say that the work on a file begins.

        Args:
            name: of the file.
            number: of it, from 1.
            count: of files.
        """
        now = time.monotonic()
        self._set(ProgressState(self._state.began, file_began=now, at=now, name=name, number=number, count=count))

    def update(
        self, fraction: float, stage: str = "", *, details: str = "", remaining_seconds: float | None = None
    ) -> None:
        """Say how far the work on the present file has come.

        Args:
            fraction: share of the file that is done, 0 to 1; what was shown is not taken back.
            stage: what is being done now.
            details: figures that are shown where there is room.
            remaining_seconds: for the rest of the file; without it the estimate follows from the share.
        """
        self._set(
            dataclasses.replace(
                self._state,
                at=time.monotonic(),
                fraction=min(1.0, max(self._state.fraction, fraction)),
                stage=stage,
                details=details,
                file_seconds_left=remaining_seconds,
            )
        )

    def tracked(self, blocks: Iterable[Array], samples: float | None) -> Iterator[Array]:
        """Hand on the blocks of a file, and say what share of it they are.

        Args:
            blocks: `(channels, samples)` each.
            samples: of the whole file; None if they are not known.
        """
        done = 0
        for block in blocks:
            yield block
            done += block.shape[1]
            if samples:
                self.update(done / samples)

    def _set(self, state: ProgressState) -> None:
        self._state = state
        self._show(state)


class PartOfDisplay(ProgressDisplay):
    """Reports the progress of a part of what is done with a file, and leaves the rest to whoever began the file.

    Args:
        whole: the display of the file.
        first: share of the work on the file that is done before the part.
        last: and after it.
    """

    def __init__(self, whole: ProgressDisplay, first: float, last: float) -> None:
        self._whole = whole
        self._first, self._last = first, last

    def begin_file(self, name: str, number: int, count: int) -> None:
        """Nothing: the file has begun already."""

    def update(
        self, fraction: float, stage: str = "", *, details: str = "", remaining_seconds: float | None = None
    ) -> None:
        done = self._first + (self._last - self._first) * fraction
        if remaining_seconds is not None and done < self._last:
            remaining_seconds *= (1 - done) / (self._last - done)  # what follows the part goes as fast
        self._whole.update(done, stage, details=details, remaining_seconds=remaining_seconds)
