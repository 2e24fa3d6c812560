"""Long recordings in stretches that overlap, several of which are worked on at once."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from caw_toolkit.arrays import FloatArray

Given = TypeVar("Given")
Made = TypeVar("Made")

#: A recording up to this length, and the fade, is a single stretch. Those of a longer one are a third as long: two are
#: worked on at once.
WHOLE_SECONDS, STRETCH_SECONDS = 120, 40
#: Over which stretches are crossfaded.
FADE_SECONDS = 1


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
    def of(cls, length: int, sample_rate: int) -> Stretches:
        """Those of a recording of a length in samples: all of about the same size.

        >>> Stretches.of(100, 1).count, Stretches.of(150, 1)
        (1, Stretches(count=4, size=38, fade=1, length=150))
        """
        fade = FADE_SECONDS * sample_rate
        if length <= WHOLE_SECONDS * sample_rate + fade:
            return cls(1, length, 0, length)
        count = math.ceil((length - fade) / (STRETCH_SECONDS * sample_rate))
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


def in_order(function: Callable[[Given], Made], items: Iterable[Given], *, at_once: int) -> Iterator[Made]:
    """What a function makes of items, in their order, from several threads; no more are taken than are worked on.

    >>> list(in_order(abs, [-3, 1, -2], at_once=2))
    [3, 1, 2]
    """
    if at_once == 1:
        yield from map(function, items)
        return
    running: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(at_once) as threads:
        for item in items:
            running.append(threads.submit(function, item))
            if len(running) == at_once:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
