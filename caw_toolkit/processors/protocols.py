"""What processors and their streams look like from outside: pedalboard's call contract, and streaming to the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy.typing as npt

from caw_toolkit.arrays import Array

#: Gives a signal from its beginning whenever it is called, `(channels, samples)` at a time.
Reader: TypeAlias = Callable[[], Iterable[Array]]


@runtime_checkable
class AudioProcessor(Protocol):
    """Anything that processes audio the way pedalboard's plugins do; native plugins satisfy it, too.

    Example:
        >>> import pedalboard
        >>> isinstance(pedalboard.Gain(), AudioProcessor), isinstance(abs, AudioProcessor)
        (True, False)

    .. versionadded:: 0.2
    """

    @property
    def is_effect(self) -> bool:
        """Whether it changes audio, instead of making it from notes."""
        ...

    def __call__(
        self, input_array: npt.NDArray[Any], /, sample_rate: float, buffer_size: int = 8192, reset: bool = True
    ) -> Array:
        """Process audio (`Processor.__call__`)."""
        ...

    def process(
        self, input_array: npt.NDArray[Any], /, sample_rate: float, buffer_size: int = 8192, reset: bool = True
    ) -> Array:
        """The same as a call."""
        ...

    def reset(self) -> None:
        """Forget what was heard so far."""
        ...


@runtime_checkable
class StreamingProcessor(AudioProcessor, Protocol):
    """An `AudioProcessor` that gives back, at the end of a signal, what calls with `reset=False` have kept.

    Native plugins have no `flush`; put them on a `caw_toolkit.Pedalboard`, which has.

    Example:
        >>> import pedalboard
        >>> from caw_toolkit import Pedalboard
        >>> isinstance(pedalboard.Gain(), StreamingProcessor), isinstance(Pedalboard(), StreamingProcessor)
        (False, True)

    .. versionadded:: 0.2
    """

    @property
    def can_stream(self) -> bool:
        """Whether audio can be given chunk by chunk, with `reset=False`."""
        ...

    def flush(self) -> Array:
        """The samples that are still to come; the signal has ended."""
        ...


class Stream(Protocol):
    """Processing of one signal in progress: what goes in comes out later, but nothing is lost.

    Example:
        >>> import numpy as np
        >>> from caw_toolkit.processors.blocks import BlockStream
        >>> stream: Stream = BlockStream(lambda audio, first: -audio, channels=1, block=4, before=2, after=2, fade=1)
        >>> ready = [stream.push(np.ones((1, 5), np.float32)).shape[1] for _ in range(3)]
        >>> sum(ready) + stream.flush().shape[1]  # as many samples as were given
        15

    .. versionadded:: 0.2
    """

    def push(self, audio: Array) -> Array:
        """Take the next samples, `(channels, samples)`, and return what is ready, which may be nothing."""
        ...

    def flush(self) -> Array:
        """Return the rest; the signal has ended."""
        ...
