"""A signal that goes chunk by chunk through a purely native board, as pedalboard's own would take it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pedalboard

from caw_toolkit.arrays import Array
from caw_toolkit.errors import CawError
from caw_toolkit.processors.layout import Layout, channel_count, detect_layout, from_channels_first
from caw_toolkit.processors.native import needs_equal_chunks
from caw_toolkit.processors.streams import drained


class NativeSignal:
    """Hands chunks to a native plugin as they are, and counts what it owes.

    pedalboard forgets what it heard when a block is longer than those before. So no block is longer here than the first
    chunk was; chunks of one length, as in a loop over a file, are processed as pedalboard would.

    Args:
        plugin: a native chain or mix.
    """

    def __init__(self, plugin: pedalboard.Plugin) -> None:
        self._plugin = plugin
        self._equal_chunks = needs_equal_chunks(plugin)
        self._layout: Layout | None = None
        self._shape: tuple[int, float] | None = None  # channels and sample rate
        self._block = 0
        self._last = 0
        self._owed = 0

    def push(self, input_array: npt.NDArray[Any], sample_rate: float, buffer_size: int) -> Array:
        """Process a chunk; one of another rate or number of channels begins a new signal, as in pedalboard.

        Raises:
            CawError: an effect that loses track of chunks that become longer again is given some.
        """
        channels = self._shape[0] if self._shape else None
        layout = detect_layout(input_array, channels=channels, previous=self._layout)
        shape = (channel_count(input_array, layout), sample_rate)
        samples = input_array.size // max(1, shape[0])
        if samples == 0:
            return self._plugin(input_array, sample_rate, buffer_size, False)
        if shape != self._shape:
            self._shape, self._block, self._last, self._owed = shape, min(samples, buffer_size), 0, 0
        elif self._equal_chunks and min(samples, self._block) > min(self._last, self._block):
            raise CawError("MP3Compressor cannot stream chunks that become longer again: give it chunks of one length")
        made = self._plugin(input_array, sample_rate, self._block, False)
        self._layout, self._last = layout, samples
        self._owed += samples - made.size // shape[0]
        return made

    def flush(self) -> Array:
        """What is still to come, in the layout of the last chunk; the signal has ended."""
        if self._shape is None or self._layout is None:
            return np.zeros(0, np.float32)
        channels, sample_rate = self._shape
        rest = drained(
            self._plugin,
            np.zeros((channels, 0), np.float32),
            owed=self._owed,
            sample_rate=sample_rate,
            buffer_size=self._block,
            samples=max(self._last, channels + 1),
        )
        return from_channels_first(rest, self._layout)
