"""Running a pyramid: any stretch of time, and long signals block by block."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from caw_toolkit.pyramid.noise import NoiseSource
from caw_toolkit.pyramid.upsampling import UPSAMPLERS

if TYPE_CHECKING:
    from caw_toolkit.pyramid.model import PyramidModel

#: Sound is made in blocks of this length, each with context on both sides, crossfaded at the joins.
BLOCK_SECONDS = 20
CROSSFADE_SECONDS = 0.25
LONGEST_CONTEXT_SECONDS = 15


class FixedNoise:
    """The reconstruction noise: given at the coarsest scale, zero above it and outside the recording."""

    def __init__(self, coarsest: Tensor) -> None:
        self.coarsest = coarsest

    def normal(self, scale: int, rate: int, start: int, stop: int) -> Tensor:
        return _stretch(self.coarsest, start, stop) if scale == 0 else torch.zeros(len(self.coarsest), stop - start)


def _stretch(signal: Tensor, start: int, stop: int) -> Tensor:
    """Samples `start` to `stop` of a signal that is silent outside itself."""
    stretch = torch.zeros(signal.shape[0], stop - start, device=signal.device)
    inside = slice(max(start, 0), min(stop, signal.shape[1]))
    stretch[:, inside.start - start : inside.stop - start] = signal[:, inside]
    return stretch


@dataclass
class Span:
    """Makes the pyramid's output for any stretch of time."""

    model: PyramidModel
    noise: NoiseSource | FixedNoise
    last: int
    entry: int = 0
    injected: Tensor | None = None  # signal of the scale below `entry`
    foreign: bool = False  # whether that is other audio than the recording or what the pyramid makes
    noise_gains: Mapping[int, float] = field(default_factory=dict)
    gain: float = 1.0  # of the blocks

    @torch.inference_mode()
    def make(self, begin: float, end: float, *, lead: bool = False, tail: bool = False) -> Tensor:
        """The last scale's signal between two times.

        Args:
            begin: in seconds, whole without `lead`.
            end: in seconds.
            lead: make what comes before `begin` as context, at each scale as much as it and those above it need.
            tail: the same after `end`.

        Returns:
            `(channels, samples)`.
        """
        signal: Tensor | None = None
        origin = 0
        for index in range(self.entry, self.last + 1):
            context = self.context_seconds(index)
            first = math.floor(begin - context) if lead else int(begin)
            final = math.ceil(end + context) if tail else end
            if index == self.entry and self.entry:
                signal, origin = self._given(first, final), first
            coarse = None
            if signal is not None:
                lower = self.model.rates[index - 1]
                coarse = signal[:, (first - origin) * lower : round(final * lower) - origin * lower]
            signal, origin = self._scale(index, first, final, coarse), first
        assert signal is not None
        rate = self.model.rates[self.last]
        return signal[:, round(begin * rate) - origin * rate : round(end * rate) - origin * rate]

    def _scale(self, index: int, begin: int, end: float, coarse: Tensor | None) -> Tensor:
        """One scale's signal between two times, given the coarser one's."""
        scale = self.model.scales[index]
        start, stop = begin * scale.rate, round(end * scale.rate)
        lead = start % scale.generator.granule  # begin on the grid of the network's strides
        noise_std = scale.noise_std * self.noise_gains.get(index, 1.0)
        noise = self.noise.normal(index, scale.rate, start - lead, stop) * noise_std
        if coarse is not None:
            upsample = UPSAMPLERS[self.model.upsampling]
            coarse = upsample(coarse, self.model.rates[index - 1], scale.rate, stop - start)[None]
            coarse = functional.pad(coarse, (lead, 0))
        generator = self.model.generator(index)
        make = generator.extend if self.foreign else generator
        return make(noise[None].to(self.model.device), coarse)[0, :, lead:]

    @torch.inference_mode()
    def upsampled(self, rate: int, start: int, stop: int) -> Tensor:
        """This span's signal at a higher rate, samples `start` to `stop`."""
        first, last = start // rate, -(-stop // rate)
        signal = self.make(first, last)
        upsample = UPSAMPLERS[self.model.upsampling]
        whole = upsample(signal, self.model.rates[self.last], rate, (last - first) * rate)
        return whole[:, start - first * rate : stop - first * rate]

    def _given(self, begin: float, end: float) -> Tensor:
        """The injected signal between two times, silent outside itself."""
        assert self.injected is not None
        rate = self.model.rates[self.entry - 1]
        return _stretch(self.injected, round(begin * rate), round(end * rate)).to(self.model.device)

    def context_seconds(self, index: int) -> float:
        """Context that scale `index` and those above it need on each side."""
        scales = self.model.scales[index : self.last + 1]
        return min(LONGEST_CONTEXT_SECONDS, sum(scale.generator.receptive_field / 2 / scale.rate for scale in scales))


def blocks(span: Span, seconds: float, keep_edges: bool) -> Iterator[np.ndarray]:
    """Successive blocks of a signal, `(channels, samples)` at the recording's level, crossfaded where they meet.

    Args:
        span: what makes it.
        seconds: length; may be infinite.
        keep_edges: make nothing beyond the ends that is then trimmed (but a second at least, which networks need).
    """
    rate = span.model.rates[span.last]
    half = round(CROSSFADE_SECONDS * rate / 2)
    fade = torch.linspace(0, 1, 2 * half)
    tail: Tensor | None = None
    for index in itertools.count():
        start, stop = index * BLOCK_SECONDS, (index + 1) * BLOCK_SECONDS
        first, final = not index, stop + CROSSFADE_SECONDS >= seconds
        begin = 0 if first else start - half / rate
        end = seconds if final else stop + half / rate
        needed = max(end, begin + 1)
        made = span.make(begin, needed, lead=not (first and keep_edges), tail=not (final and keep_edges))
        block = made[:, : round(end * rate) - round(begin * rate)].cpu()
        if tail is not None:
            joined = tail * (1 - fade) + block[:, : 2 * half] * fade
            block = torch.cat([joined, block[:, 2 * half :]], dim=1)
        tail = None if final else block[:, -2 * half :]
        ready = block if final else block[:, : -2 * half]
        yield ready.numpy() * np.float32(span.model.peak * span.gain)
        if final:
            return
