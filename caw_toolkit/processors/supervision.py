"""Code of processors at work is watched: whatever fails is named, and whatever returns too much or too little.

A processor may come from anybody. An exception of its own keeps its type, with a note that names the effect; one that
would end the program unasked (`SystemExit`) becomes an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import LOUDEST, Array
from caw_toolkit.errors import CawError, describe_exception
from caw_toolkit.processors.protocols import Reader, Stream

_NOTE = "in the effect "


@contextmanager
def blamed_on(name: str) -> Iterator[None]:
    """Name an effect in whatever the block raises.

    Args:
        name: of the effect.

    Raises:
        CawError: the block raised what is no `Exception`, such as `SystemExit`. A `KeyboardInterrupt` is passed on.
    """
    try:
        yield
    except Exception as error:
        if blamed_effect(error) is None:
            _add_note(error, name)
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        wrapped = CawError(f"{name} raised {describe_exception(error)}")
        _add_note(wrapped, name)
        raise wrapped from error


def _add_note(error: Exception, name: str) -> None:
    """What `add_note` of Python 3.11 does."""
    error.__dict__["__notes__"] = [*getattr(error, "__notes__", ()), f"{_NOTE}{name}"]


def blamed_effect(error: BaseException) -> str | None:
    """The effect that an error was blamed on, the innermost if they are nested; None if there is none."""
    notes = [note for note in getattr(error, "__notes__", ()) if isinstance(note, str) and note.startswith(_NOTE)]
    return notes[0].removeprefix(_NOTE) if notes else None


class NonFiniteSamples:
    """Keeps NaN, infinity and what is beyond any level from a processor, which would spread it over all that follows.

    The processor is given zeros in their place; they come out again where they went in.

    Attributes:
        received: samples that went in.
        returned: samples that came out.

    >>> samples = NonFiniteSamples()
    >>> clean = samples.take_out(np.array([[1, np.nan, 3]], np.float32))
    >>> clean, samples.put_back(2 * clean)
    (array([[1., 0., 3.]], dtype=float32), array([[ 2., nan,  6.]], dtype=float32))
    """

    def __init__(self) -> None:
        self.received = 0
        self.returned = 0
        self._taken: list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Array]] = []  # channels, places, values

    def take_out(self, audio: Array) -> Array:
        """The next samples, with zeros for what is not finite, or as good as that."""
        begin = self.received
        self.received += audio.shape[1]
        finite = np.abs(audio) <= LOUDEST
        if finite.all():
            return audio
        channels, places = np.nonzero(~finite)
        self._taken.append((channels, places + begin, audio[channels, places]))
        return np.where(finite, audio, np.float32(0))

    def put_back(self, made: Array) -> Array:
        """What was made of the oldest samples, with what was taken out of them."""
        begin = self.returned
        self.returned += made.shape[1]
        if not self._taken:
            return made
        made = np.array(made)
        for channels, places, values in self._taken:
            here = (places >= begin) & (places < self.returned)
            made[channels[here], places[here] - begin] = values[here]
        self._taken = [taken for taken in self._taken if taken[1].max() >= self.returned]
        return made


def require_floating(made: npt.NDArray[Any], name: str) -> None:
    """Refuse samples that are no floating-point numbers: integers have another full scale.

    Args:
        made: what an effect returned.
        name: of the effect.

    Raises:
        CawError: they are something else.
    """
    if made.dtype.kind != "f":
        raise CawError(f"{name} returned samples of type {made.dtype} instead of floating-point ones")


class _Account:
    """What an effect was given of a signal, and what it has returned of it.

    Args:
        name: of the effect, for errors.
        channels: of the signal.
    """

    def __init__(self, name: str, channels: int) -> None:
        self._name = name
        self._channels = channels
        self._non_finite = NonFiniteSamples()

    def given(self, audio: Array) -> Array:
        """The next samples as the effect gets them."""
        return self._non_finite.take_out(audio)

    def returned(self, made: Any) -> Array:
        """The next samples of the result.

        Raises:
            CawError: there are more than went in, or it is something else than audio of as many channels.
        """
        if not isinstance(made, np.ndarray) or made.ndim != 2 or len(made) != self._channels:
            what = f"audio of shape {made.shape}" if isinstance(made, np.ndarray) else f"{type(made).__name__}"
            raise CawError(f"{self._name} returned {what} instead of {self._channels} channel(s)")
        require_floating(made, self._name)
        whole = self._non_finite.put_back(np.asarray(made, np.float32))
        self._require(self._non_finite.returned <= self._non_finite.received)
        return whole

    def close(self) -> None:
        """The signal has ended.

        Raises:
            CawError: samples are missing.
        """
        self._require(self._non_finite.returned == self._non_finite.received)

    def _require(self, right: bool) -> None:
        if not right:
            counts = f"{self._non_finite.returned} samples for {self._non_finite.received}"
            raise CawError(f"{self._name} returned {counts}")


class SupervisedStream:
    """A processor's stream that is held to the contract: as many samples out as in, in the end, and none before.

    Args:
        stream: what the processor made.
        name: of the effect, for errors.
        channels: of the signal.
    """

    def __init__(self, stream: Stream, name: str, channels: int) -> None:
        self._stream = stream
        self._name = name
        self._account = _Account(name, channels)

    def push(self, audio: Array) -> Array:
        """Take the next samples and return what is ready.

        Raises:
            CawError: more came back than went in, or something else than audio of as many channels.
        """
        with blamed_on(self._name):
            return self._account.returned(self._stream.push(self._account.given(audio)))

    def flush(self) -> Array:
        """Return the rest.

        Raises:
            CawError: samples are missing.
        """
        with blamed_on(self._name):
            made = self._account.returned(self._stream.flush())
            self._account.close()
            return made


class SupervisedPasses:
    """A signal that a processor reads as often as it needs, and a result that is held to the contract.

    Args:
        read: gives the signal from its beginning.
        name: of the effect, for errors.
        channels: of the signal.
    """

    def __init__(self, read: Reader, name: str, channels: int) -> None:
        self._read = read
        self._name = name
        self._channels = channels
        self._account = _Account(name, channels)

    def read(self) -> Iterator[Array]:
        """The signal from its beginning, once more; the result is held against the latest pass."""
        self._account = account = _Account(self._name, self._channels)
        for block in self._read():
            yield account.given(block)

    def checked(self, made: Iterable[Array]) -> Iterator[Array]:
        """The result, part after part.

        Raises:
            CawError: it has more or fewer samples than the signal, or is something else than audio.
        """
        parts = iter(made)
        while True:
            with blamed_on(self._name):
                part = next(parts, None)
                if part is None:
                    self._account.close()
                    return
                part = self._account.returned(part)
            yield part
