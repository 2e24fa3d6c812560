"""Streams through plugins that are called, and streams one after the other or side by side."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from caw_toolkit.arrays import Array
from caw_toolkit.dsp.queues import SampleQueue
from caw_toolkit.errors import CawError
from caw_toolkit.processors.contract import CallContract
from caw_toolkit.processors.protocols import AudioProcessor, Stream
from caw_toolkit.processors.supervision import blamed_on

#: Plugins whose last samples have not come out after this much silence have swallowed them.
_LONGEST_TAIL_SECONDS = 30


class CalledStream:
    """A stream through a plugin that is called with `reset=False`: a native one, or anybody's.

    Such a plugin returns its last samples only when it is given silence after them. pedalboard forgets what it heard
    when a chunk, or `buffer_size` of it, is longer than those before. `block` keeps it from that: the plugin is then
    given whole blocks only, whatever the chunks.

    Args:
        plugin: what to call.
        channels: of the signal.
        sample_rate: Hz.
        buffer_size: samples that the plugin gets at a time.
        block: what the samples of each call are a multiple of.
    """

    def __init__(
        self, plugin: AudioProcessor, channels: int, sample_rate: float, buffer_size: int, block: int = 1
    ) -> None:
        self._plugin = plugin
        self._sample_rate = sample_rate
        self._buffer_size = buffer_size
        self._block = block
        self._channels = channels
        self._held = SampleQueue(channels)
        self._owed = 0
        self._last_samples = max(block, channels + 1)

    def push(self, audio: Array) -> Array:
        self._owed += audio.shape[1]
        self._held.push(audio)
        ready = len(self._held) // self._block * self._block
        if ready <= self._channels:  # too short to tell channels from samples
            return self._held.pop(0)
        self._last_samples = ready
        made = call_plugin(self._plugin, self._held.pop(ready), self._sample_rate, self._buffer_size, reset=False)
        self._owed -= made.shape[1]
        if self._owed < 0:
            raise CawError(f"{effect_name(self._plugin)} returned {-self._owed} samples more than it was given")
        return made

    def flush(self) -> Array:
        return drained(
            self._plugin,
            self._held.pop(len(self._held)),
            owed=self._owed,
            sample_rate=self._sample_rate,
            buffer_size=self._buffer_size,
            samples=self._last_samples,
        )


def drained(
    plugin: AudioProcessor, held: Array, *, owed: int, sample_rate: float, buffer_size: int, samples: int
) -> Array:
    """What a plugin still has of a signal that has ended, brought out by silence after it; the plugin is reset.

    Args:
        plugin: what to call.
        held: the last samples of the signal, if the plugin has not been given them; fewer than `samples`.
        owed: how many samples are to come.
        sample_rate: Hz.
        buffer_size: samples that the plugin gets at a time.
        samples: how many to give it with each call.

    Raises:
        CawError: it keeps them.
    """
    channels = len(held)
    rest = [np.zeros((channels, 0), np.float32)]
    given = np.pad(held, ((0, 0), (0, samples - held.shape[1])))
    for _ in range(int(_LONGEST_TAIL_SECONDS * sample_rate / samples) + 2):
        missing = owed - sum(part.shape[1] for part in rest)
        if missing <= 0:
            break
        rest.append(call_plugin(plugin, given, sample_rate, buffer_size, reset=False))
        given = np.zeros((channels, samples), np.float32)
    else:
        raise CawError(f"{effect_name(plugin)} keeps {missing} samples at the end of the signal")
    plugin.reset()
    return np.concatenate(rest, axis=1)[:, :owed]


def call_plugin(plugin: AudioProcessor, audio: Array, sample_rate: float, buffer_size: int, *, reset: bool) -> Array:
    """Call a plugin with `(channels, samples)`, so that it cannot take channels for samples."""
    if isinstance(plugin, CallContract) and reset:
        return plugin.process_audio(audio, sample_rate, buffer_size)
    with blamed_on(effect_name(plugin)):
        if len(audio) == 1:
            return plugin(audio[0], sample_rate, buffer_size, reset)[None]
        short = max(0, len(audio) + 1 - audio.shape[1]) if reset else 0
        made = plugin(np.pad(audio, ((0, 0), (0, short))), sample_rate, buffer_size, reset)
        kept: Array = made[:, : made.shape[1] - short]
        return kept


def effect_name(plugin: object) -> str:
    """What errors call a plugin: its class, or for a native chain those of what it holds."""
    inner = [effect_name(member) for member in plugin if member is not None] if isinstance(plugin, Iterable) else []
    return ", ".join(inner) or type(plugin).__name__


class ChainStream:
    """Streams one after the other.

    Args:
        streams: first to last.
        channels: of the signal.
    """

    def __init__(self, streams: list[Stream], channels: int) -> None:
        self._streams = streams
        self._nothing = np.zeros((channels, 0), np.float32)

    def push(self, audio: Array) -> Array:
        for stream in self._streams:
            audio = stream.push(audio)
        return audio

    def flush(self) -> Array:
        rest = self._nothing
        for stream in self._streams:
            rest = np.concatenate([stream.push(rest), stream.flush()], axis=1)
        return rest


class MixStream:
    """Streams side by side, whose outputs are added where all of them are ready; silence if there are none.

    Args:
        streams: what to add up; None stands for the signal itself.
        channels: of the signal.
    """

    def __init__(self, streams: list[Stream | None], channels: int) -> None:
        self._streams = streams
        self._ready = [SampleQueue(channels) for _ in streams]
        self._nothing = np.zeros((channels, 0), np.float32)

    def push(self, audio: Array) -> Array:
        if not self._streams:
            return np.zeros_like(audio)
        return self._add(
            [np.array(audio) if stream is None else stream.push(np.array(audio)) for stream in self._streams]
        )

    def flush(self) -> Array:
        return self._add([self._nothing if stream is None else stream.flush() for stream in self._streams])

    def _add(self, parts: list[Array]) -> Array:
        for queue, part in zip(self._ready, parts, strict=True):
            queue.push(part)
        count = min(map(len, self._ready), default=0)
        mixed = np.zeros((len(self._nothing), count), np.float32)
        for queue in self._ready:
            mixed += queue.pop(count)
        return mixed
