"""Signals held back while C code calls Python: no exception gets through it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: Those that are taken as the wish to stop, where there are such.
INTERRUPTS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Let signals that come within the block take effect when it ends.

    libsndfile reads and writes by callbacks: a `KeyboardInterrupt` that is raised in one is lost, and so may be what
    was to be written. In other threads than the main one, which get no signals, nothing is changed.

    Example:
        >>> done = []
        >>> try:
        ...     with held_interrupts():
        ...         signal.raise_signal(signal.SIGINT)
        ...         done.append("the block")
        ... except KeyboardInterrupt:
        ...     done.append("the interrupt")
        >>> done
        ['the block', 'the interrupt']
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[tuple[int, FrameType | None]] = []
    handlers = {number: signal.getsignal(number) for number in INTERRUPTS}
    taken = [number for number, handler in handlers.items() if callable(handler)]
    try:
        for number in taken:
            signal.signal(number, lambda *received: held.append(received))
        yield
    finally:
        for number in taken:
            signal.signal(number, handlers[number])
        for number, frame in held[:1]:
            handlers[signal.Signals(number)](number, frame)  # type: ignore  # it was callable
