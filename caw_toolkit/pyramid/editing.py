"""Given audio through a pyramid: injected at a scale, revised, recomposed, or completed (paper, sections 4.2 to 4.4).

All four change or replace the signal of one scale, at the level of the scales (peak 1), and render the scales above it
anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from caw_toolkit.arrays import Array, Gap
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.generators.base import Filter
from caw_toolkit.pyramid.kept_lows import low_pass
from caw_toolkit.pyramid.noise import Noise, NoiseSource
from caw_toolkit.pyramid.own_places import bar, own_places
from caw_toolkit.pyramid.recomposition import Extent, Guidance
from caw_toolkit.pyramid.renderer import GivenAudio, Renderer, render_blocks
from caw_toolkit.pyramid.scale import Scale, scale_index

#: Samples of the coarsest scale beside a gap that its resampling has blurred.
EDGE_SAMPLES = 8
#: Rates of given audio are multiples of about so small a part of the scale's rate.
STEPS_TO_A_RATE = 20
#: Audio that falls short of a rate's band by less has it.
BAND_TOLERANCE = 1.03


@dataclass(frozen=True)
class Editor:
    """What `PyramidModel.inject`, `revise`, `recompose` and `fill` do; their arguments are explained there.

    Attributes:
        scales: coarsest first, with generators in their fastest form.
        upsampling: name of the interpolation between scales.
        channels: 1 or 2.
        peak: of the training recording.
    """

    scales: Sequence[Scale]
    upsampling: str
    channels: int
    peak: float

    def inject(
        self,
        audio: Array,
        sample_rate: int,
        *,
        at_rate: int | None,
        content_hz: float | None,
        seed: int,
        first_second: int,
    ) -> Array:
        """Enter the pyramid at a scale."""
        entry = self._entry(at_rate)
        for scale in self.scales[entry:]:
            scale.generator.prepare_for_external()
        own_rate = None
        if content_hz is not None and self.scales[entry].generator.extends_any_band:
            own_rate = given_rate(self.scales[entry].rate, content_hz, least=self.scales[entry - 1].rate)
        signal = self._at_rate(own_rate or self.scales[entry - 1].rate, audio, sample_rate)
        given = GivenAudio(signal, entry, is_external=True, own_rate=own_rate)
        return self._render(given, audio.shape[1] / sample_rate, NoiseSource(seed, self.channels, first_second))

    def revise(self, audio: Array, sample_rate: int, *, strength: float, seed: int, first_second: int) -> Array:
        """Lead audio towards noise and back (Meng et al., "SDEdit", 2022)."""
        self._require_editing(strength)
        noise = NoiseSource(seed, self.channels, first_second)
        revised = self._revised(self._at_scale(0, audio, sample_rate), strength, noise)
        return self._render(GivenAudio(revised, entry=1), audio.shape[1] / sample_rate, noise)

    def recompose(
        self,
        audio: Array,
        sample_rate: int,
        *,
        strength: float,
        keep_below: float | None,
        at_rate: int | None,
        seed: int,
        first_second: int,
    ) -> Array:
        """Keep the lows, lead what is above them towards noise and back, and take its detail from elsewhere."""
        entry, extent = self._entry(at_rate), Extent.of(_checked(strength))
        signals = [self._at_scale(index, audio, sample_rate) for index in range(len(self.scales))]
        _require_samples(signals[-1])
        keep = extent.keep_below(signals[-1], self.scales[-1].rate) if keep_below is None else keep_below
        noise = NoiseSource(seed, self.channels, first_second)
        coarse, rates = signals[entry - 1], [scale.rate for scale in self.scales]
        if at_rate is None and self.scales[0].generator.can_edit and extent.revision:
            coarse = self._revised(coarse, extent.revision, noise, low_pass(rates[0], keep))
        taken = bar(self.own_places(signals), extent.new_share, seed=seed, first_second=first_second)
        given = GivenAudio(coarse, entry, guidance=Guidance(signals, rates, taken, extent.kept))
        made = self._render(given, audio.shape[1] / sample_rate, noise)
        kept = low_pass(rates[-1], keep)
        if kept is None:
            return made
        lows = kept(signals[-1] * self.peak - torch.from_numpy(made))
        return np.asarray(made + lows.numpy(), np.float32)

    def own_places(self, signals: Sequence[Tensor]) -> Tensor:
        """Where audio, given at every scale, lies in the recording (`pyramid.own_places`)."""
        for scale, signal in zip(self.scales[1:], signals[1:], strict=True):
            recording = scale.generator.recording()
            if recording is not None:
                return own_places(signal.sum(0), recording.sum(0), scale.rate)
        raise CawError("this needs a model that holds its recording: caw train --preset fast")

    def fill(
        self,
        audio: Array,
        sample_rate: int,
        gaps: Sequence[Gap],
        *,
        strength: float,
        seed: int,
        first_second: int,
    ) -> Array:
        """Complete audio where it is missing (Lugmayr et al., "RePaint", 2022)."""
        generator = self._require_editing(strength).generator
        # From noise alone, the guess does not count but for what resampling smears of it beside the gap.
        guess = audio if strength < 1 else bridge(audio, gaps)
        signal = self._at_scale(0, guess, sample_rate)
        noise = NoiseSource(seed, self.channels, first_second)
        known = known_samples(signal.shape[1], self.scales[0].rate, gaps, sample_rate).to(generator.device)
        with torch.inference_mode():
            given, drawn = (tensor[None].to(generator.device) for tensor in (signal, self._coarsest(noise, signal)))
            filled = generator.fill(given, known, drawn, strength)[0]
        return self._render(GivenAudio(filled.clone(), entry=1), audio.shape[1] / sample_rate, noise)

    def _revised(self, signal: Tensor, strength: float, noise: Noise, keep: Filter | None = None) -> Tensor:
        """The coarsest scale's revision of a signal of it, `(channels, samples)`."""
        generator = self.scales[0].generator
        with torch.inference_mode():
            given, drawn = (tensor[None].to(generator.device) for tensor in (signal, self._coarsest(noise, signal)))
            return generator.revise(given, drawn, strength, keep)[0].clone()

    def _entry(self, at_rate: int | None) -> int:
        """Index of the scale that audio enters at."""
        self._require_finer_scales()
        entry = 1 if at_rate is None else scale_index(self.scales, at_rate)
        if entry == 0:
            first, *others = (scale.rate for scale in self.scales)
            raise CawUsageError(f"the coarsest scale ({first} Hz) takes no input: choose from {tuple(others)}")
        return entry

    def _require_finer_scales(self) -> None:
        if len(self.scales) < 2:
            raise CawUsageError("this model has a single scale, and edits of audio need a finer one above it")

    def _require_editing(self, strength: float) -> Scale:
        """The coarsest scale, if signals can be led back towards noise there, by a strength that makes sense."""
        _checked(strength)
        self._require_finer_scales()
        if not self.scales[0].generator.can_edit:
            raise CawError(
                "this needs a model whose coarsest scale was trained by flow matching: caw train --preset fast"
            )
        return self.scales[0]

    def _at_scale(self, index: int, audio: Array, sample_rate: int) -> Tensor:
        """Audio at the rate and at the level of a scale, `(channels, samples)`."""
        return self._at_rate(self.scales[index].rate, audio, sample_rate)

    def _at_rate(self, rate: int, audio: Array, sample_rate: int) -> Tensor:
        """Audio at a rate and at the level of the scales, `(channels, samples)`."""
        if audio.ndim != 2 or audio.shape[0] != self.channels:
            raise CawError(f"the model has {self.channels} channel(s), the audio has shape {audio.shape}")
        return torch.from_numpy(resample(audio / self.peak, sample_rate, rate))

    def _coarsest(self, noise: Noise, signal: Tensor) -> Tensor:
        """Noise of the coarsest scale, as long as a signal of it."""
        _require_samples(signal)
        return noise.normal(0, self.scales[0].rate, 0, signal.shape[1])

    def _render(self, given: GivenAudio, seconds: float, noise: Noise) -> Array:
        """Everything from the scale of entry on."""
        renderer = Renderer(self.scales, self.upsampling, noise, given)
        return np.concatenate(list(render_blocks(renderer, seconds, keep_edges=True, gain=self.peak)), axis=1)


def given_rate(rate: int, content_hz: float, *, least: int) -> int:
    """The rate at which audio is given to a scale: about twice the frequency that it reaches.

    Args:
        rate: of the scale, Hz.
        content_hz: frequency that the audio reaches.
        least: rate of the scale below, which it has at least.

    >>> given_rate(44100, 8000, least=16000), given_rate(44100, 11000, least=16000)
    (16000, 22050)
    """
    # Few phases: an interpolation between rates without a large common divisor takes a filter for each of thousands.
    parts = min(
        (count for count in range(1, rate) if rate % count == 0), key=lambda count: abs(count - STEPS_TO_A_RATE)
    )
    step = rate // parts
    given = step * int(2 * content_hz * BAND_TOLERANCE / step)
    return given if least < given < rate else least


def _checked(strength: float) -> float:
    if not 0 <= strength <= 1:
        raise CawUsageError(f"strength must be from 0 to 1, not {strength}")
    return strength


def _require_samples(signal: Tensor) -> None:
    if not signal.shape[1]:
        raise CawError("the audio is too short for this model")


def known_samples(samples: int, rate: int, gaps: Sequence[Gap], gap_rate: int) -> Tensor:
    """Which samples of a scale hold nothing of gaps, `(samples,)`.

    Args:
        samples: length of the scale's signal.
        rate: of the scale, Hz.
        gaps: in samples of another rate.
        gap_rate: that rate, Hz.
    """
    known = torch.ones(samples, dtype=torch.bool)
    for start, stop in gaps:
        first = math.floor(start / gap_rate * rate) - EDGE_SAMPLES
        known[max(0, first) : math.ceil(stop / gap_rate * rate) + EDGE_SAMPLES] = False
    return known


def bridge(audio: Array, gaps: Sequence[Gap]) -> Array:
    """Audio with straight lines across its gaps, so that resampling blurs as little as possible beside them.

    >>> bridge(np.array([[0, 9, 9, 3]], np.float32), [(1, 3)])
    array([[0., 0., 3., 3.]], dtype=float32)
    """
    result = np.array(audio)
    for start, stop in gaps:
        first, last = max(0, start), min(audio.shape[1], stop)
        if first >= last:
            continue
        left = audio[:, first - 1] if first else np.zeros(len(audio), audio.dtype)
        right = audio[:, last] if last < audio.shape[1] else np.zeros(len(audio), audio.dtype)
        result[:, first:last] = np.linspace(left, right, last - first, axis=1)
    return result
