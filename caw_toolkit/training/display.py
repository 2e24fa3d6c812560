"""Training shown to whoever waits for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from caw_toolkit.progress.display import ProgressDisplay
from caw_toolkit.progress.views import view_for_people
from caw_toolkit.training.schedule import Progress


@contextmanager
def shown_to_people() -> Iterator[Callable[[Progress], None]]:
    """Show a training on standard error, or below the cell of a notebook; yields its `on_progress`."""
    with view_for_people(sys.stderr) as show:
        yield shown_on(ProgressDisplay(show))


def shown_on(display: ProgressDisplay, *, share: float = 1.0) -> Callable[[Progress], None]:
    """The `on_progress` of a training that is shown on a display.

    Args:
        display: where to show it.
        share: of the work on the display's file that the training is.
    """

    def show(progress: Progress) -> None:
        display.update(
            share * progress.fraction,
            progress.stage,
            details="  ".join(f"{name} {value:.3g}" for name, value in progress.losses.items()),
            remaining_seconds=progress.remaining_seconds,
        )

    return show
