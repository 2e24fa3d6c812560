"""pedalboard's call contract for objects of Python: processors, and the boards and mixes that hold them."""

from __future__ import annotations

import threading
from abc import ABCMeta
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import Array
from caw_toolkit.errors import CawError
from caw_toolkit.processors.layout import (
    Layout,
    channel_count,
    checked_rate,
    detect_layout,
    from_channels_first,
    require_buffer_size,
    to_channels_first,
)
from caw_toolkit.processors.protocols import Reader, Stream
from caw_toolkit.processors.supervision import (
    NonFiniteSamples,
    SupervisedPasses,
    SupervisedStream,
    blamed_on,
    require_floating,
)


@dataclass
class _Session:
    """A stream, and the signal that it belongs to."""

    stream: Stream
    channels: int
    sample_rate: float
    layout: Layout


class _SealingType(ABCMeta):
    """Seals what it has made: from then on an attribute that nobody declared is refused, as a slip of the pen."""

    if not TYPE_CHECKING:  # type checkers would look at it instead of at __init__

        def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
            made = super().__call__(*arguments, **keywords)
            made._sealed = True
            return made


class CallContract(metaclass=_SealingType):
    """Takes and gives back audio as a native pedalboard plugin does; what happens to it is up to subclasses.

    Layouts, element types, locking and streaming are taken care of. A public attribute that was not set while the
    object was made is refused afterwards.

    .. versionadded:: 0.2
    """

    _sealed = False

    def _prepare(self) -> None:
        """Set up what is neither a parameter nor pickled."""
        self._lock = threading.RLock()
        self._session: _Session | None = None
        self._layout: Layout | None = None  # of the call before
        self._channels: int | None = None
        self._buffer_size = 8192

    if not TYPE_CHECKING:  # type checkers would take it for leave to set anything

        def __setattr__(self, name: str, value: Any) -> None:
            known = name.startswith("_") or name in vars(self) or hasattr(type(self), name)
            if self._sealed and not known:
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{self._hint(name)}")
            super().__setattr__(name, value)

    def _hint(self, name: str) -> str:
        """What may have been meant by a name that there is not, to be added to an error."""
        return ""

    # ------------------------------------------------------------------ the call contract

    @property
    def is_effect(self) -> bool:
        """True: it changes audio."""
        return True

    @property
    def is_instrument(self) -> bool:
        """False: it takes no notes."""
        return False

    @property
    def can_stream(self) -> bool:
        """Whether audio can be given chunk by chunk, with `reset=False`."""
        return type(self)._open_stream is not CallContract._open_stream

    @property
    def can_process_blocks(self) -> bool:
        """Whether `process_blocks` needs little memory: it streams, or reads a signal block by block, more than once.

        .. versionadded:: 0.2
        """
        return self.can_stream or type(self)._process_blocks is not CallContract._process_blocks

    def __call__(
        self, input_array: npt.NDArray[Any], sample_rate: float, buffer_size: int = 8192, reset: bool = True
    ) -> Array:
        """Process audio.

        Args:
            input_array: float32 or float64, `(samples,)`, `(channels, samples)` or `(samples, channels)`. The channels
                are the dimension that was theirs in the call before, or else the smaller one. It is left as it is.
            sample_rate: Hz; a number of any kind.
            buffer_size: samples that native plugins get at a time; must be at least 1.
            reset: whether the array is a signal of its own. Otherwise it continues what came before: the first samples
                come out late, and `flush` returns the last.

        Returns:
            float32 in the layout of the input; exactly as many samples with `reset`, what is ready otherwise.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: the sample rate or the buffer size is not positive.
            RuntimeError: the array has a shape that does not tell channels from samples.
            CawError: the audio does not suit the processor, or it cannot stream.
        """
        rate = checked_rate(sample_rate)
        require_buffer_size(buffer_size)
        with self._lock:
            self._buffer_size = int(buffer_size)
            return self._call(input_array, rate, reset)

    def process(
        self, input_array: npt.NDArray[Any], sample_rate: float, buffer_size: int = 8192, reset: bool = True
    ) -> Array:
        """The same as a call."""
        return self(input_array, sample_rate, buffer_size, reset)

    def reset(self) -> None:
        """Forget what was heard so far, what has not come out yet, and the layout of the arrays."""
        with self._lock:
            self._session = self._layout = self._channels = None

    def flush(self) -> Array:
        """The samples that calls with `reset=False` have not returned yet, in the layout of the last one.

        The next call begins a new signal. Native plugins have no such method.
        """
        with self._lock:
            session, self._session = self._session, None
            if session is None:
                return np.zeros(0, np.float32)
            return from_channels_first(session.stream.flush(), session.layout)

    def process_audio(self, audio: Array, sample_rate: float, buffer_size: int = 8192) -> Array:
        """Process a whole signal whose shape is known and whose rate has been checked, as boards do.

        Args:
            audio: `(channels, samples)` float32; it may be overwritten.
            sample_rate: Hz.
            buffer_size: samples that native plugins get at a time.

        Raises:
            CawError: the audio does not suit the processor, or it returned audio of another shape.
        """
        name = type(self).__name__
        with self._lock, blamed_on(name):
            self._buffer_size, self._session = buffer_size, None
            non_finite = NonFiniteSamples()
            processed = self._process(non_finite.take_out(audio), sample_rate)
            if not isinstance(processed, np.ndarray) or processed.shape != audio.shape:
                made = getattr(processed, "shape", type(processed).__name__)
                raise CawError(f"{name} returned audio of shape {made} for {audio.shape}")
            require_floating(processed, name)
            return non_finite.put_back(np.asarray(processed, np.float32))

    def _call(self, input_array: npt.NDArray[Any], sample_rate: float, reset: bool) -> Array:
        """A call with checked arguments."""
        return self._whole(input_array, sample_rate) if reset else self._next_chunk(input_array, sample_rate)

    def _channels_first(self, input_array: npt.NDArray[Any]) -> tuple[Array, Layout]:
        """An array as `(channels, samples)`, and the layout that it has; it is remembered for the next call."""
        layout = detect_layout(input_array, channels=self._channels, previous=self._layout)
        self._layout, self._channels = layout, channel_count(input_array, layout)
        return to_channels_first(input_array, layout), layout

    def _whole(self, input_array: npt.NDArray[Any], sample_rate: float) -> Array:
        audio, layout = self._channels_first(input_array)
        self._session = None
        if audio.size == 0:
            return np.zeros(input_array.shape, np.float32)
        return from_channels_first(self.process_audio(audio, sample_rate, self._buffer_size), layout)

    def _next_chunk(self, input_array: npt.NDArray[Any], sample_rate: float) -> Array:
        audio, layout = self._channels_first(input_array)
        if audio.size == 0:
            return np.zeros(input_array.shape, np.float32)
        session = self._session_for(audio.shape[0], sample_rate, layout)
        return from_channels_first(session.stream.push(audio), layout)

    def _session_for(self, channels: int, sample_rate: float, layout: Layout) -> _Session:
        session = self._session
        if session is None:
            stream = self.open_stream(channels, sample_rate, self._buffer_size)
            session = _Session(stream, channels, sample_rate, layout)
        elif (session.channels, session.sample_rate) != (channels, sample_rate):
            raise CawError(
                f"the stream began with {session.channels} channel(s) at {session.sample_rate:g} Hz, and goes on with "
                f"{channels} at {sample_rate:g} Hz: call flush() or reset() between signals"
            )
        session.layout = layout
        self._session = session
        return session

    def _unstreamable_part(self) -> str | None:
        """The name of what keeps it from streaming; None if nothing does."""
        return None if self.can_stream else type(self).__name__

    def _require_streaming(self) -> None:
        culprit = self._unstreamable_part()
        if culprit is not None:
            raise CawError(f"{culprit} needs the whole signal at once: it cannot stream (reset=False)")

    def open_stream(self, channels: int, sample_rate: float, buffer_size: int = 8192) -> Stream:
        """Begin a signal that arrives chunk by chunk, apart from calls with `reset=False` and from other such signals.

        Args:
            channels: of the signal.
            sample_rate: Hz.
            buffer_size: samples that native plugins get at a time.

        Raises:
            CawError: the processor needs whole signals.
        """
        self._require_streaming()
        name = type(self).__name__
        with self._lock, blamed_on(name):
            self._buffer_size = buffer_size
            return SupervisedStream(self._open_stream(channels, sample_rate), name, channels)

    def process_blocks(
        self, read: Reader, channels: int, sample_rate: float, *, buffer_size: int = 8192, beside: Path | None = None
    ) -> Iterator[Array]:
        """Process a whole signal of any length, in little memory if `can_process_blocks` is true.

        Args:
            read: gives the signal from its beginning, `(channels, samples)` float32 at a time; called as often as the
                processor needs.
            channels: of the signal.
            sample_rate: Hz.
            buffer_size: samples that native plugins get at a time.
            beside: the file that the result is for: temporary files of a chain are in its folder if possible.

        Yields:
            the result, part after part: what a call with the whole signal returns.

        Raises:
            CawError: the audio does not suit the processor, or it returned audio of another shape.

        Example:
            >>> from caw_toolkit import Pedalboard
            >>> halves = [np.ones((1, 2), np.float32), np.zeros((1, 2), np.float32)]
            >>> np.concatenate(list(Pedalboard().process_blocks(lambda: halves, 1, 8000)), axis=1)
            array([[1., 1., 0., 0.]], dtype=float32)

        .. versionadded:: 0.2
        """
        name = type(self).__name__
        if not self.can_process_blocks:
            yield self.process_audio(np.concatenate(list(read()), axis=1), sample_rate, buffer_size)
        elif self.can_stream:
            yield from _streamed(self.open_stream(channels, sample_rate, buffer_size), read())
        else:
            passes = SupervisedPasses(read, name, channels)
            with self._lock, blamed_on(name):
                self._buffer_size = buffer_size
                made = self._process_blocks(passes.read, channels, sample_rate)
            yield from passes.checked(made)

    # ------------------------------------------------------------------ for subclasses

    def _process(self, audio: Array, sample_rate: float) -> Array:
        """Process a whole signal, `(channels, samples)`, and return one of the same shape."""
        return np.concatenate(list(self._process_blocks(lambda: [audio], audio.shape[0], sample_rate)), axis=1)

    def _process_blocks(self, read: Reader, channels: int, sample_rate: float) -> Iterable[Array]:
        """Process a whole signal that can be read more than once, and return the result part after part."""
        return _streamed(self._open_stream(channels, sample_rate), read())

    def _open_stream(self, channels: int, sample_rate: float) -> Stream:
        """Begin a signal that arrives chunk by chunk."""
        raise NotImplementedError(f"{type(self).__name__} implements neither _process nor _open_stream")


def _streamed(stream: Stream, signal: Iterable[Array]) -> Iterator[Array]:
    for block in signal:
        yield stream.push(block)
    yield stream.flush()
