"""What a running `caw` says of its progress."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class JobProgress:
    """How far a job is.

    Attributes:
        fraction: share that is done, 0 to 1.
        stage: what is being done.
        details: figures of it, such as losses.
        remaining_seconds: estimate, or None.
    """

    fraction: float = 0.0
    stage: str = ""
    details: str = ""
    remaining_seconds: float | None = None


def read_line(line: str) -> JobProgress | None:
    """The progress that a line of `--progress json` states, or None if it is another line.

    >>> read_line('{"event": "progress", "number": 2, "count": 4, "fraction": 0.5, "stage": "cleaning"}').fraction
    0.375
    """
    if not line.startswith('{"event": '):
        return None
    try:
        content = json.loads(line)
        done = (content["number"] - 1 + content["fraction"]) / content["count"]
        remaining = content.get("remaining_seconds")
        return JobProgress(float(done), str(content.get("stage", "")), str(content.get("details", "")), remaining)
    except (ValueError, KeyError, TypeError, ZeroDivisionError):
        return None
