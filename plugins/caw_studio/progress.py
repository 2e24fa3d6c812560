"""What a running `caw` says of its progress."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
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


def read_line(line: str) -> Progress | None:
    """The progress that a line of `--progress json` states, or None if it is another line."""
    if not line.startswith("{"):
        return None
    try:
        content = json.loads(line)
        return Progress(
            float(content["fraction"]),
            str(content.get("stage", "")),
            str(content.get("details", "")),
            content.get("remaining_seconds"),
        )
    except (ValueError, KeyError, TypeError):
        return None
