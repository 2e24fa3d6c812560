"""What a model makes of noise alone (paper, section 4.1), as its users call it; `renderer` does it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from caw_toolkit.arrays import Array
from caw_toolkit.dsp.queues import SampleQueue
from caw_toolkit.errors import CawUsageError
from caw_toolkit.pyramid import notebook
from caw_toolkit.pyramid.renderer import Renderer, render_blocks


class GenerationMethods(ABC):
    """The part of `PyramidModel` that makes new audio."""

    channels: int
    peak: float
    gain: float

    @property
    @abstractmethod
    def sample_rate(self) -> int:
        """Rate of the generated audio in Hz."""

    @abstractmethod
    def _take(
        self, seed: int, *, keep_beat: bool, coherence: float | None = None, up_to_rate: int | None = None
    ) -> Renderer:
        """What renders a take, up to a scale."""

    def generate(
        self,
        seconds: float,
        *,
        seed: int = 0,
        keep_edges: bool = False,
        keep_beat: bool = True,
        coherence: float | None = None,
        up_to_rate: int | None = None,
    ) -> Array:
        """Generate new audio of the training recording's source.

        Args:
            seconds: length, above 0.
            seed: of the noise; the same seed gives the same audio on the same machine.
            keep_edges: start and end as the recording does where the network has memorised its ends (paper, section
                A.4); by default more is generated and trimmed.
            keep_beat: keep to the recording's pulse, if it has one.
            coherence: how long what is made holds together, 1 to 60 s, as by a receptive field of that length: at 2 it
                mumbles, at 8 it keeps sequences of words and whole phrases of the recording. None leaves it as the
                preset has it.
            up_to_rate: stop at this scale; default: the finest.

        Returns:
            `(channels, samples)` float32 at `up_to_rate` or the model's sample rate.

        Raises:
            CawUsageError: if the length is not positive and finite, or less than a sample, there is no scale of
                `up_to_rate`, or the coherence is out of bounds or cannot be chosen for this model.
            CawError: if torchaudio, which `sinc` upsampling needs, does not load.
        """
        blocks = self.blocks(
            seconds,
            seed=seed,
            keep_edges=keep_edges,
            keep_beat=keep_beat,
            coherence=coherence,
            up_to_rate=up_to_rate,
        )
        return np.concatenate(list(blocks), axis=1)

    def blocks(
        self,
        seconds: float,
        *,
        seed: int = 0,
        keep_edges: bool = False,
        keep_beat: bool = True,
        coherence: float | None = None,
        up_to_rate: int | None = None,
    ) -> Iterator[Array]:
        """What `generate` makes, with its arguments and errors: blocks of some seconds, in constant memory."""
        if not (math.isfinite(seconds) and seconds > 0):
            raise CawUsageError(f"cannot generate {seconds} seconds: the duration must be positive")
        renderer = self._take(seed, keep_beat=keep_beat, coherence=coherence, up_to_rate=up_to_rate)
        if round(seconds * renderer.rate) < 1:
            raise CawUsageError(f"cannot generate {seconds:g} seconds: less than a sample at {renderer.rate} Hz")
        return render_blocks(renderer, seconds, keep_edges=keep_edges, gain=self.peak * self.gain)

    def stream(
        self, block_seconds: float = 1.0, *, seed: int = 0, keep_beat: bool = True, coherence: float | None = None
    ) -> Iterator[Array]:
        """Generate without end, in constant memory: the same audio as `generate` with the same seed, but for its end.

        Args:
            block_seconds: length of the blocks that are yielded, finite; they have a sample at least.
            seed: of the noise.
            keep_beat: as for `generate`.
            coherence: as for `generate`.

        Yields:
            `(channels, block)` float32 at the model's sample rate.

        Raises:
            CawUsageError: if the length of the blocks is not finite, or as for the coherence of `generate`; like all
                others, when the first block is asked for.
            CawError: if torchaudio, which `sinc` upsampling needs, does not load.
        """
        if not math.isfinite(block_seconds):
            raise CawUsageError(f"cannot generate in blocks of {block_seconds} seconds")
        size = max(1, round(block_seconds * self.sample_rate))
        renderer = self._take(seed, keep_beat=keep_beat, coherence=coherence)
        queue = SampleQueue(self.channels)
        for block in render_blocks(renderer, math.inf, keep_edges=False, gain=self.peak * self.gain):
            queue.push(block)
            while len(queue) >= size:
                yield queue.pop(size)

    def preview(self, seconds: float = 2.0, *, seed: int = 0) -> notebook.Preview:
        """A short take that a notebook shows as a spectrogram and plays.

        Args:
            seconds: length.
            seed: of the noise.

        Returns:
            The take: `samples` and `sample_rate`, and how a notebook shows them.

        Raises:
            CawUsageError, CawError: as `generate`.
        """
        return notebook.Preview(self.generate(seconds, seed=seed), self.sample_rate)
