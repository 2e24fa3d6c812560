"""Stopping from outside only where the state is whole: between two steps."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from caw_toolkit.interrupts import Handler, interrupts_handled

log = logging.getLogger(__name__)


class StopRequest:
    """Whether a stop was asked for.

    Attributes:
        made: it was.
    """

    def __init__(self) -> None:
        self.made = False


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Take Ctrl-C as a request to stop, and SIGTERM and SIGHUP where somebody handles them.

    A second one does what it always did. A step that is broken off has drawn random numbers, or updated some of the
    weights: nobody can go on from there. In other threads than the main one, which get no signals, nothing is changed.
    """
    request = StopRequest()

    def ask(number: int, frame: FrameType | None, former: Handler) -> None:
        if request.made:
            former(number, frame)
            return
        request.made = True
        log.info("stopping after this step; interrupt again to stop at once")

    with interrupts_handled(ask):
        yield request
