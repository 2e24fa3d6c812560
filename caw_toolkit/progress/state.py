"""What is known of the progress of a piece of work, and what follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ProgressState:
    """How far work on one or several files has come. Times are seconds of the monotonic clock.

    Attributes:
        began: when the work began.
        file_began: when that on the present file began.
        at: when this was reported.
        name: of the file; may be empty.
        number: of the file, from 1.
        count: of files.
        fraction: share of the file that is done, 0 to 1.
        stage: what is being done.
        details: of no importance: they are shown where there is room.
        file_seconds_left: for the rest of the file, if somebody knows better than the share that is done.
    """

    began: float
    file_began: float
    at: float
    name: str = ""
    number: int = 1
    count: int = 1
    fraction: float = 0.0
    stage: str = ""
    details: str = ""
    file_seconds_left: float | None = None

    @property
    def files(self) -> str:
        """Which of several files it is; empty where there is one."""
        return f"files {self.number} of {self.count}" if self.count > 1 else ""

    @property
    def percent(self) -> str:
        """The share of the file; 100 only when it is done."""
        return f"{math.floor(100 * self.fraction)} %"

    def elapsed_seconds(self, now: float) -> float:
        """Since the work began."""
        return now - self.began

    def remaining_seconds(self, now: float) -> float | None:
        """What the rest of all files is likely to take; None if nothing is known yet."""
        left = self._file_seconds_left()
        if left is None:
            return None
        each = (self.at - self.began + left) / self.number
        left += each * (self.count - self.number)
        is_done = self.fraction >= 1 and self.number == self.count
        return 0.0 if is_done else max(1.0, left - (now - self.at))

    def _file_seconds_left(self) -> float | None:
        """As stated, or from the share that is done, or, at the beginning, as the files before."""
        if self.file_seconds_left is not None and math.isfinite(self.file_seconds_left):
            return self.file_seconds_left
        if self.fraction:
            return (self.at - self.file_began) * (1 - self.fraction) / self.fraction
        return (self.file_began - self.began) / (self.number - 1) if self.number > 1 else None
