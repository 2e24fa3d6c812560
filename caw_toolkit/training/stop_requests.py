"""Stopping from outside only where the state is whole: between two steps."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger(__name__)

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


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
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    handlers = {sign: signal.getsignal(sign) for sign in _SIGNALS}

    def ask(number: int, frame: FrameType | None) -> None:
        handler = handlers[signal.Signals(number)]
        if request.made and callable(handler):
            handler(number, frame)
            return
        request.made = True
        log.info("stopping after this step; interrupt again to stop at once")

    taken = [sign for sign, handler in handlers.items() if callable(handler)]
    try:
        for sign in taken:
            signal.signal(sign, ask)
        yield request
    finally:
        for sign in taken:
            signal.signal(sign, handlers[sign])
