"""Long recordings in stretches that overlap, several of which are worked on at once."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from caw_toolkit.arrays import FloatArray

Given = TypeVar("Given")
Made = TypeVar("Made")

#: A recording up to this length, and the fade, is a single stretch. Those of a longer one are a third as long: two are
#: worked on at once. Both get shorter where a second needs more memory than one at this rate with a single channel.
WHOLE_SECONDS, STRETCH_SECONDS, FULL_RATE = 120, 40, 48000
#: Arrays of the size of the spectra that every channel needs, and that all of them need together.
EACH_CHANNEL, TOGETHER = 1, 3
#: Over which stretches are crossfaded.
FADE_SECONDS = 1


def lengths(sample_rate: int, channels: int) -> tuple[int, int]:
    """Seconds of the longest recording that is a single stretch, and of the stretches of a longer one.

    >>> lengths(16000, 1), lengths(48000, 2), lengths(96000, 2)
    ((120, 40), (96, 32), (48, 16))
    """
    needed = sample_rate * (EACH_CHANNEL * channels + TOGETHER) / (EACH_CHANNEL + TOGETHER)
    share = min(1.0, FULL_RATE / needed)
    return int(share * WHOLE_SECONDS), int(share * STRETCH_SECONDS)


@dataclass(frozen=True)
class Stretches:
    """How a recording is cut.

    Attributes:
        count: of stretches.
        size: samples from the begin of one to that of the next.
        fade: samples that one shares with the next.
        length: samples of the recording.
    """

    count: int
    size: int
    fade: int
    length: int

    @classmethod
    def of(cls, length: int, sample_rate: int, *, channels: int) -> Stretches:
        """Those of a recording of a length in samples: all of about the same size.

        >>> Stretches.of(100, 1, channels=1).count, Stretches.of(150, 1, channels=1)
        (1, Stretches(count=4, size=38, fade=1, length=150))
        """
        fade = FADE_SECONDS * sample_rate
        whole_seconds, stretch_seconds = lengths(sample_rate, channels)
        if length <= whole_seconds * sample_rate + fade:
            return cls(1, length, 0, length)
        count = math.ceil((length - fade) / (stretch_seconds * sample_rate))
        return cls(count, math.ceil((length - fade) / count), fade, length)

    @property
    def at_once(self) -> int:
        """How many can be worked on at the same time."""
        return min(self.count, 2, os.cpu_count() or 1)

    def middle(self, index: int) -> float:
        """Of a stretch, in samples."""
        return (index + 0.5) * self.size

    def cut(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """The stretches of a recording.

        Args:
            blocks: `(channels, samples)` each.
        """
        waiting: list[FloatArray] = []
        samples, cut = 0, 0
        for block in blocks:
            waiting.append(block)
            samples += block.shape[1]
            while cut < self.count - 1 and samples >= self.size + self.fade:
                joined = np.concatenate(waiting, axis=1)
                yield joined[:, : self.size + self.fade]
                waiting = [joined[:, self.size :].copy()]
                samples -= self.size
                cut += 1
        yield np.concatenate(waiting, axis=1)


class Stopped(Exception):  # noqa: N818 (not an error)
    """Nobody wants the result any more."""


def in_order(
    function: Callable[[Given, Callable[[], None]], Made], items: Iterable[Given], *, at_once: int
) -> Generator[Made, None, None]:
    """What a function makes of items, in their order, from several threads; no more are taken than are worked on.

    When the iterator is left before its end, such as by Ctrl-C, what is worked on ends at its next step.

    Args:
        function: of an item, and of what it calls before every step: that raises `Stopped`.
        items: what to work on.
        at_once: number of threads.

    Example:
        >>> list(in_order(lambda item, check: abs(item), [-3, 1, -2], at_once=2))
        [3, 1, 2]
    """
    stop = Event()

    def check() -> None:
        if stop.is_set():
            raise Stopped

    if at_once == 1:
        yield from (function(item, check) for item in items)
        return
    running: deque[Future[Made]] = deque()
    # products of matrices in threads of their own would wait for each other and burn the time
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(at_once) as threads:
        try:
            for item in items:
                running.append(threads.submit(function, item, check))
                if len(running) == at_once:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            stop.set()
