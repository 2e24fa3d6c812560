"""A job: a piece of work, as it is shown and kept."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from caw_studio.progress import JobProgress
from caw_studio.recipes import Recipe


@dataclass
class Job:
    """A piece of work, as the page shows it.

    Attributes:
        id: name of its folder.
        kind: of recipe.
        recipe: how it is done.
        threads: of the processor that it may have; results may differ by rounding with another number.
        status: `queued`, `running`, `done`, `failed`, or `stopped` by the user or with the server.
        created: seconds since 1970.
        started: the same.
        ended: the same.
        progress: the last that was heard of it.
        lines: what it said, on standard error.
        takes: names of copies of what a training could make on its way, with the time of each, in seconds since 1970.
    """

    id: str
    kind: str
    recipe: Recipe
    threads: int
    status: str = "queued"
    created: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    progress: JobProgress = field(default_factory=JobProgress)
    lines: list[str] = field(default_factory=list)
    takes: list[tuple[str, float]] = field(default_factory=list)

    @property
    def is_unfinished(self) -> bool:
        """Whether it waits or runs."""
        return self.status in ("queued", "running")

    def content(self) -> dict[str, Any]:
        """All of it, in plain types."""
        return asdict(self)

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> Job:
        """The inverse of `content`; one that was at work when the server ended has stopped, one that waited waits."""
        known = {each.name for each in fields(cls)}
        job = cls(**{name: value for name, value in content.items() if name in known})
        job.recipe = Recipe(**content["recipe"])
        job.progress = JobProgress(**content["progress"])
        if job.status == "running":
            job.status = "stopped"
        return job
