"""Rows of native plugins on a board, which go through one native call, and how what is on a board streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

import pedalboard
from pedalboard import Chain as NativeChain
from pedalboard import Mix as NativeMix

from caw_toolkit.processors.contract import CallContract
from caw_toolkit.processors.native import mixes_latencies
from caw_toolkit.processors.protocols import AudioProcessor, Stream
from caw_toolkit.processors.streams import CalledStream, ChainStream, MixStream

#: A part of a board; None stands for the signal as it is, as in pedalboard.
Member: TypeAlias = AudioProcessor | None

#: Samples that native plugins among others are given at a time when they stream.
_BLOCK_SAMPLES = 256


def rows(
    plugins: Iterable[Member], native_form: Callable[[AudioProcessor], pedalboard.Plugin | None]
) -> Iterator[AudioProcessor]:
    """The plugins, those that have a native form joined into one native chain wherever they follow each other."""
    row: list[pedalboard.Plugin] = []
    for plugin in plugins:
        native = None if plugin is None else native_form(plugin)
        if native is not None:
            row.append(native)
        elif plugin is not None:
            if row:
                yield NativeChain(row)
            row = []
            yield plugin
    if row:
        yield NativeChain(row)


def plainly_native(plugin: AudioProcessor) -> pedalboard.Plugin | None:
    """A plugin if it is pedalboard's own, else None."""
    return plugin if isinstance(plugin, pedalboard.Plugin) else None


def _streaming_form(plugin: AudioProcessor) -> pedalboard.Plugin | None:
    """What can stream as it is in a native row."""
    native = plainly_native(plugin)
    return None if mixes_latencies(native) else native


def _stream_of(plugin: AudioProcessor, channels: int, sample_rate: float, buffer_size: int) -> Stream:
    if isinstance(plugin, CallContract):
        return plugin.open_stream(channels, sample_rate, buffer_size)
    if _streaming_form(plugin) is None and isinstance(plugin, pedalboard.PluginContainer):
        make_stream = mix_stream if isinstance(plugin, NativeMix) else chain_stream
        return make_stream(list(plugin), channels, sample_rate, buffer_size)
    plugin.reset()
    return CalledStream(plugin, channels, sample_rate, min(buffer_size, _BLOCK_SAMPLES), _BLOCK_SAMPLES)


def chain_stream(plugins: Sequence[Member], channels: int, sample_rate: float, buffer_size: int) -> Stream:
    """A stream through plugins one after the other, each at its own pace."""
    streams = [_stream_of(row, channels, sample_rate, buffer_size) for row in rows(plugins, _streaming_form)]
    return ChainStream(streams, channels)


def mix_stream(plugins: Sequence[Member], channels: int, sample_rate: float, buffer_size: int) -> Stream:
    """A stream through plugins side by side, each at its own pace."""
    streams = [None if plugin is None else _stream_of(plugin, channels, sample_rate, buffer_size) for plugin in plugins]
    return MixStream(streams, channels)
