"""Rendering a pyramid to audio: any stretch of time, and long signals block by block (paper, equation 2).

Noise is a function of the position in time, so that any stretch can be rendered by itself. A network whose receptive
field reaches beyond the stretch gets context there, rendered with it and cut off again:

                          begin                     end
    finest scale            ├────────────────────────┤
    the one below       ├───┼────────────────────────┼───┤           its own context
    coarsest scale  ├───────┼────────────────────────┼───────┤       its own, and that of all scales above
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from caw_toolkit.arrays import Array
from caw_toolkit.dsp.overlap_add import BlockJoiner
from caw_toolkit.errors import CawError
from caw_toolkit.generators.grains import Scattering
from caw_toolkit.generators.timing import Timing
from caw_toolkit.pyramid.noise import Noise, pad_slice
from caw_toolkit.pyramid.pulse import Pulse
from caw_toolkit.pyramid.recomposition import Guidance
from caw_toolkit.pyramid.scale import Scale
from caw_toolkit.pyramid.upsampling import UPSAMPLERS

#: Sound is made in blocks of this length, each with context on both sides, crossfaded at the joins.
BLOCK_SECONDS = 20
CROSSFADE_SECONDS = 0.25
LONGEST_CONTEXT_SECONDS = 15


@dataclass(frozen=True)
class GivenAudio:
    """Audio that takes the place of the coarser scales.

    Attributes:
        signal: at the rate of the scale below `entry` and at the level of the scales, `(channels, samples)`.
        entry: index of the first scale that is rendered; 1 or more.
        is_external: whether it is other audio than the recording or what the pyramid makes.
        guidance: of a variation.
        own_rate: of the signal, Hz, where that is another one: the first scale can go by all that it holds.
    """

    signal: Tensor
    entry: int
    is_external: bool = False
    guidance: Guidance | None = None
    own_rate: int | None = None


@dataclass(frozen=True)
class Renderer:
    """Renders the signal of the last of some scales, for any stretch of time.

    Attributes:
        scales: coarsest first, with generators in their fastest form.
        upsampling: name of the interpolation between scales (`upsampling.UPSAMPLERS`).
        noise: what it is made from.
        given: what is rendered from; None renders from noise alone.
        pulse: of the recording, to be kept to from 0 on; None keeps to none.
        scattering: of a recording that is a texture: the last scale is made alone; None for others.
        selection_noise: factor of the noise of scales where it decides between segments only.
    """

    scales: Sequence[Scale]
    upsampling: str
    noise: Noise
    given: GivenAudio | None = None
    pulse: Pulse | None = None
    scattering: Scattering | None = None
    selection_noise: float = 1.0

    @property
    def rate(self) -> int:
        """Of what is rendered, Hz."""
        return self.scales[-1].rate

    @torch.inference_mode()
    def render(
        self,
        begin: float,
        end: float,
        *,
        context_before: bool = False,
        context_after: bool = False,
        earliest: float = -math.inf,
        latest: float = math.inf,
    ) -> Tensor:
        """The last scale's signal between two times.

        Args:
            begin: in seconds, whole without `context_before`.
            end: in seconds.
            context_before: render what comes before `begin` as context, as much as each scale and those above it need;
                otherwise silence is before it.
            context_after: the same after `end`.
            earliest: second before which there is silence, context or not; whole.
            latest: second after which there is silence.

        Returns:
            `(channels, samples)`.
        """
        entry = self._entry
        coarser: Tensor | None = None
        coarser_begin = 0  # second at which `coarser` begins
        for index in range(entry, len(self.scales)):
            # Stretches begin with whole seconds, where all scales have a sample.
            context = self.context_seconds(index)
            here = math.floor(max(begin - context, earliest)) if context_before else int(begin)
            until = min(math.ceil(end + context), latest) if context_after else end
            if index == entry and self.given is not None:
                coarser, coarser_begin = self._given_signal(here, until), here
            coarse = None
            if coarser is not None:
                # The coarser scale had more context: cut it to this scale's stretch.
                lower = self._rate_below(index)
                coarse = coarser[:, (here - coarser_begin) * lower : round(until * lower) - coarser_begin * lower]
            coarser, coarser_begin = self._scale_signal(index, here, until, coarse), here
        assert coarser is not None
        first = coarser_begin * self.rate
        return coarser[:, round(begin * self.rate) - first : round(end * self.rate) - first]

    @property
    def _entry(self) -> int:
        """Index of the first scale that is rendered."""
        if self.scattering is not None:
            return len(self.scales) - 1
        return self.given.entry if self.given is not None else 0

    def _scale_signal(self, index: int, begin: int, end: float, coarse: Tensor | None) -> Tensor:
        """One scale's signal between two times, given the coarser one's."""
        scale = self.scales[index]
        start, stop = begin * scale.rate, round(end * scale.rate)
        if self.scattering is not None:
            return scale.generator.scatter(self.scattering, scale.rate, start, stop)[0]
        # Strided networks compute a stretch the same wherever it begins only if that is on the grid of their strides.
        before = start % scale.generator.total_stride
        noise_std = scale.noise_std
        if self.given is not None:
            noise_std *= scale.generator.noise_gain_for_given_audio
        if scale.generator.selects_by_noise:
            noise_std *= self.selection_noise
        noise = self.noise.normal(index, scale.rate, start - before, stop) * noise_std
        if coarse is not None:
            upsample = UPSAMPLERS[self.upsampling]
            coarse = upsample(coarse, self._rate_below(index), scale.rate, stop - start)[None]
            coarse = functional.pad(coarse, (before, 0))
        drawn = noise[None].to(scale.generator.device)
        made = self._make(index, drawn, coarse, start - before, stop)[0, :, before:]
        if not made.isfinite().all():
            raise CawError(
                f"the scale of {scale.rate} Hz gives NaN or infinite samples: the model's weights, or the audio given, "
                "are not usable"
            )
        return made

    def _make(self, index: int, noise: Tensor, coarse: Tensor | None, start: int, stop: int) -> Tensor:
        """One scale's signal between two samples of it."""
        generator, given = self.scales[index].generator, self.given
        if given is not None and given.guidance is not None:
            guide = given.guidance.at(index, start, stop)
            return generator.recompose(noise, coarse, replace(guide, signal=guide.signal.to(generator.device)))
        if self.pulse is not None:
            return generator.keep_time(noise, coarse, self._timing(self.pulse, index, start))
        if given is not None and given.is_external:
            if given.own_rate is not None and generator.extends_any_band:
                return generator.extend(noise, coarse, self.scales[index].rate / self._rate_below(index))
            return generator.extend(noise, coarse)
        made: Tensor = generator(noise, coarse)
        return made

    def _rate_below(self, index: int) -> int:
        """Of the signal that a scale goes by, Hz."""
        given = self.given
        if given is not None and given.own_rate is not None and index == given.entry:
            return given.own_rate
        return self.scales[index - 1].rate

    def _timing(self, pulse: Pulse, index: int, start: int) -> Timing:
        """Where a scale's stretch that begins with a sample, and the samples of the recording, are on the beat."""
        rate = self.scales[index].rate
        step = 1 / (pulse.period_seconds * rate)
        return Timing(start * step, step, lambda samples: pulse.phases(samples / rate))

    def _given_signal(self, begin: float, end: float) -> Tensor:
        """The given signal between two times, silent outside itself."""
        assert self.given is not None
        rate = self._rate_below(self.given.entry)
        stretch = pad_slice(self.given.signal, round(begin * rate), round(end * rate))
        return stretch.to(self.scales[self.given.entry].generator.device)

    @torch.inference_mode()
    def upsample(self, rate: int, start: int, stop: int, *, seconds: float = math.inf) -> Tensor:
        """The last scale's signal at a higher rate, samples `start` to `stop`.

        Args:
            rate: Hz.
            start: first sample.
            stop: one past the last.
            seconds: length of the whole signal, which begins at 0: before and after it there is silence.
        """
        first, last = start // rate, min(-(-stop // rate), seconds)
        signal = self.render(
            first, last, context_before=first > 0, context_after=last < seconds, earliest=0, latest=seconds
        )
        upsample = UPSAMPLERS[self.upsampling]
        whole = upsample(signal, self.rate, rate, max(stop, round(last * rate)) - first * rate)
        return whole[:, start - first * rate : stop - first * rate]

    def context_seconds(self, index: int) -> float:
        """Context that scale `index` and those above it need on each side."""
        if self.scattering is not None:
            return 0.0
        fields = (scale.generator.receptive_field / 2 / scale.rate for scale in self.scales[index:])
        return min(LONGEST_CONTEXT_SECONDS, sum(fields))


def render_blocks(renderer: Renderer, seconds: float, *, keep_edges: bool, gain: float) -> Iterator[Array]:
    """Successive blocks of a signal, `(channels, samples)`, crossfaded where they meet.

    Args:
        renderer: what makes it.
        seconds: length; may be infinite.
        keep_edges: make nothing beyond the ends that is then trimmed (but a second at least, which networks need).
        gain: what the signal is multiplied by.
    """
    rate = renderer.rate
    half = round(CROSSFADE_SECONDS * rate / 2)
    joiner = BlockJoiner(torch.linspace(0, 1, 2 * half).numpy())
    for index in itertools.count():
        start, stop = index * BLOCK_SECONDS, (index + 1) * BLOCK_SECONDS
        is_first, is_last = index == 0, stop + CROSSFADE_SECONDS >= seconds
        # A crossfade lies half in the one block and half in the other.
        begin = 0 if is_first else start - half / rate
        end = seconds if is_last else stop + half / rate
        rendered = renderer.render(
            begin,
            max(end, begin + 1),
            context_before=not (is_first and keep_edges),
            context_after=not (is_last and keep_edges),
        )
        samples = round(end * rate) - round(begin * rate)
        ready = joiner.join(rendered[:, :samples].cpu().numpy(), keep=samples if is_last else samples - 2 * half)
        yield ready * np.float32(gain)
        if is_last:
            return
