"""Signals that ask to stop: handled otherwise for a while, or held back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeAlias

#: What handles a signal.
Handler: TypeAlias = Callable[[int, FrameType | None], object]

#: Those that are taken as the wish to stop, where there are such.
INTERRUPTS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def interrupts_handled(handle: Callable[[int, FrameType | None, Handler], object]) -> Iterator[None]:
    """Let something else handle, within the block, those signals that Python code handles.

    In other threads than the main one, which get no signals, nothing is changed.

    Args:
        handle: called with the number, the frame, and what handled the signal before.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former: dict[int, Handler] = {
        number: handler for number in INTERRUPTS if callable(handler := signal.getsignal(number))
    }
    try:
        for number in former:
            signal.signal(number, lambda received, frame: handle(received, frame, former[received]))
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Let signals that come within the block take effect when it ends.

    No exception gets through C code that calls Python. libsndfile reads and writes by callbacks: a `KeyboardInterrupt`
    that is raised in one is lost, and so may be what was to be written.

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
    held: list[tuple[int, FrameType | None, Handler]] = []
    try:
        with interrupts_handled(lambda *received: held.append(received)):
            yield
    finally:
        for number, frame, handler in held[:1]:
            handler(number, frame)
