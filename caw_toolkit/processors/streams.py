"""Streams through native plugins, and streams one after the other or side by side."""

from __future__ import annotations

import numpy as np

from caw_toolkit.arrays import Array
from caw_toolkit.dsp.queues import SampleQueue
from caw_toolkit.processors.base import AudioProcessor, Processor, Stream

#: Plugins whose last samples have not come out after this much silence have swallowed them.
_LONGEST_TAIL_SECONDS = 30


class CalledStream:
    """A stream through a native plugin, which returns its last samples only when it is given silence after them.

    pedalboard forgets what it heard when a chunk, or `buffer_size` of it, is longer than those before. `block` keeps it
    from that: the plugin is then given whole blocks only, whatever the chunks.

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
        return made

    def flush(self) -> Array:
        missing = self._owed
        rest = [self._held.pop(0)]
        silence = np.zeros((self._channels, self._last_samples), np.float32)
        for _ in range(int(_LONGEST_TAIL_SECONDS * self._sample_rate / self._last_samples) + 2):
            if sum(part.shape[1] for part in rest) >= missing:
                break
            rest.append(self.push(silence))
        self._plugin.reset()
        tail = np.concatenate(rest, axis=1)[:, :missing]
        return np.pad(tail, ((0, 0), (0, missing - tail.shape[1])))


def call_plugin(plugin: AudioProcessor, audio: Array, sample_rate: float, buffer_size: int, *, reset: bool) -> Array:
    """Call a plugin with `(channels, samples)`, so that it cannot take channels for samples."""
    if isinstance(plugin, Processor) and reset:
        return plugin.process_audio(audio, sample_rate, buffer_size)
    if len(audio) == 1:
        return plugin(audio[0], sample_rate, buffer_size, reset)[None]
    short = max(0, len(audio) + 1 - audio.shape[1]) if reset else 0
    made = plugin(np.pad(audio, ((0, 0), (0, short))), sample_rate, buffer_size, reset)
    kept: Array = made[:, : made.shape[1] - short]
    return kept


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
    """Streams side by side, whose outputs are added where all of them are ready.

    Args:
        streams: at least one.
        channels: of the signal.
    """

    def __init__(self, streams: list[Stream], channels: int) -> None:
        self._streams = streams
        self._ready = [np.zeros((channels, 0), np.float32) for _ in streams]

    def push(self, audio: Array) -> Array:
        return self._add([stream.push(np.array(audio)) for stream in self._streams])

    def flush(self) -> Array:
        return self._add([stream.flush() for stream in self._streams])

    def _add(self, parts: list[Array]) -> Array:
        self._ready = [np.concatenate(pair, axis=1) for pair in zip(self._ready, parts, strict=True)]
        count = min(part.shape[1] for part in self._ready)
        mixed = np.sum([part[:, :count] for part in self._ready], axis=0)
        self._ready = [part[:, count:] for part in self._ready]
        return np.asarray(mixed, np.float32)
