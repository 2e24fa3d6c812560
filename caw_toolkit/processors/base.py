"""Audio processors with the call contract of pedalboard's plugins, and the base class that implements it.

pedalboard's own boards take native plugins only and refuse Python objects. `caw_toolkit.Pedalboard` takes both.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import Array
from caw_toolkit.errors import CawError, did_you_mean
from caw_toolkit.processors.layout import (
    Layout,
    checked_rate,
    detect_layout,
    from_channels_first,
    require_buffer_size,
    to_channels_first,
)
from caw_toolkit.processors.parameters import REQUIRED, Parameter


@runtime_checkable
class AudioProcessor(Protocol):
    """Anything that processes audio the way pedalboard's plugins do; native plugins satisfy it, too.

    .. versionadded:: 0.1
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


class Stream(Protocol):
    """Processing of one signal in progress: what goes in comes out later, but nothing is lost.

    .. versionadded:: 0.1
    """

    def push(self, audio: Array) -> Array:
        """Take the next samples, `(channels, samples)`, and return what is ready, which may be nothing."""
        ...

    def flush(self) -> Array:
        """Return the rest; the signal has ended."""
        ...


@dataclass
class _Session:
    """A stream, and the signal that it belongs to."""

    stream: Stream
    channels: int
    sample_rate: float
    layout: Layout


class Processor:
    """Base of audio processors written in Python. Call it like a native pedalboard plugin.

    A subclass declares its parameters and implements one of two methods. `_process(audio, sample_rate)` gets a whole
    signal, `(channels, samples)` float32 that it may overwrite, and returns as many samples. A processor that can also
    work on a signal chunk by chunk implements `_open_stream(channels, sample_rate)` instead, and whole signals go
    through such a stream as one chunk.

        class Fade(Processor):
            seconds = Parameter(0.5, number(0, 10), "Length of the fade.")

            def _process(self, audio, sample_rate):
                ...

    Parameters are given by keyword, checked whenever they are set, and shown in the `repr`. A processor can be pickled;
    the copy has the same parameters and begins anew. Calls from several threads take turns.

    .. versionadded:: 0.1
    """

    #: Parameters by name, in the order of their declaration.
    parameters: ClassVar[Mapping[str, Parameter[Any]]] = MappingProxyType({})

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Parameter)}
        cls.parameters = MappingProxyType({**cls.parameters, **own})
        keywords = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if parameter.default is REQUIRED else parameter.default,
            )
            for name, parameter in cls.parameters.items()
        ]
        cls.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]

    def __init__(self, **values: Any) -> None:
        self._prepare()
        for name in values.keys() - self.parameters.keys():
            raise TypeError(f"{type(self).__name__} has no parameter {name!r}; {did_you_mean(name, self.parameters)}")
        for name, parameter in self.parameters.items():
            value = values.get(name, parameter.default)
            if value is REQUIRED:
                raise TypeError(f"{type(self).__name__} needs the parameter {name!r}: {parameter.summary}")
            setattr(self, name, value)

    def _prepare(self) -> None:
        """Set up what is neither a parameter nor pickled."""
        self._lock = threading.RLock()
        self._session: _Session | None = None
        self._layout: Layout | None = None
        self._buffer_size = 8192

    def __repr__(self) -> str:
        """Class and parameters; the note appears in the error of a native board that is given this processor."""
        values = "".join(f" {name}={getattr(self, name)!r}" for name in self.parameters)
        return f"<{type(self).__name__}{values} (chain it with caw_toolkit.Pedalboard) at {id(self):#x}>"

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.parameters}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._prepare()
        for name, value in state.items():
            setattr(self, name, value)

    def parameter_changed(self, name: str) -> None:
        """Called after a parameter was set."""

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
        return type(self)._open_stream is not Processor._open_stream

    def __call__(
        self, input_array: npt.NDArray[Any], sample_rate: float, buffer_size: int = 8192, reset: bool = True
    ) -> Array:
        """Process audio.

        Args:
            input_array: float32 or float64, `(samples,)`, `(channels, samples)` or `(samples, channels)`; the smaller
                dimension is the channels. It is left as it is.
            sample_rate: Hz.
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
        """Forget what was heard so far, and what has not come out yet."""
        with self._lock:
            self._session = None

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
        with self._lock:
            self._buffer_size = buffer_size
            self.reset()
            expected = audio.shape
            processed = self._process(audio, sample_rate)
        if processed.shape != expected:
            raise CawError(f"{type(self).__name__} returned audio of shape {processed.shape} for {expected}")
        return processed

    def _call(self, input_array: npt.NDArray[Any], sample_rate: float, reset: bool) -> Array:
        """A call with checked arguments."""
        return self._whole(input_array, sample_rate) if reset else self._next_chunk(input_array, sample_rate)

    def _whole(self, input_array: npt.NDArray[Any], sample_rate: float) -> Array:
        layout = self._layout = detect_layout(input_array, previous=self._layout)
        if input_array.size == 0:
            self.reset()
            return np.zeros(input_array.shape, np.float32)
        processed = self.process_audio(to_channels_first(input_array, layout), sample_rate, self._buffer_size)
        return from_channels_first(processed, layout)

    def _next_chunk(self, input_array: npt.NDArray[Any], sample_rate: float) -> Array:
        channels = self._session.channels if self._session else None
        layout = self._layout = detect_layout(input_array, channels=channels, previous=self._layout)
        if input_array.size == 0:
            return np.zeros(input_array.shape, np.float32)
        audio = to_channels_first(input_array, layout)
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

    def open_stream(self, channels: int, sample_rate: float, buffer_size: int = 8192) -> Stream:
        """Begin a signal that arrives chunk by chunk, apart from calls with `reset=False` and from other such signals.

        Args:
            channels: of the signal.
            sample_rate: Hz.
            buffer_size: samples that native plugins get at a time.

        Raises:
            CawError: the processor needs whole signals.
        """
        if not self.can_stream:
            raise CawError(f"{type(self).__name__} needs the whole signal at once: it cannot stream (reset=False)")
        with self._lock:
            self._buffer_size = buffer_size
            return self._open_stream(channels, sample_rate)

    # ------------------------------------------------------------------ for subclasses

    def _process(self, audio: Array, sample_rate: float) -> Array:
        """Process a whole signal, `(channels, samples)`, and return one of the same shape."""
        stream = self._open_stream(audio.shape[0], sample_rate)
        return np.concatenate([stream.push(audio), stream.flush()], axis=1)

    def _open_stream(self, channels: int, sample_rate: float) -> Stream:
        """Begin a signal that arrives chunk by chunk."""
        raise NotImplementedError(f"{type(self).__name__} implements neither _process nor _open_stream")
