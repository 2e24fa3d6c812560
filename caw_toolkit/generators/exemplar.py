"""The exemplar generator: the recording's own material, selected to follow the coarser signal.

For every frame of the coarser signal, the segments of the training recording whose coarser version is most similar
(with context, then in phase) are looked up (`exemplar_search`); the best one, the cost of its concatenation with the
segment before it included, is selected (`exemplar_selection`) and overlap-added. Nothing is learnt. It is the audio
counterpart of patch nearest-neighbour generation (Granot et al., "Drop the GAN", 2022), with the unit selection of
concatenative synthesis (Hunt and Black, 1996) and the alignment of waveform-similarity overlap-add (Verhelst and
Roelands, 1993).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from caw_toolkit.dsp.overlap_add import add_halves
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.generators.exemplar_levels import PASSBAND, ExemplarLevels
from caw_toolkit.generators.exemplar_search import CONTEXT_FRAMES, SegmentIndex
from caw_toolkit.generators.exemplar_selection import PlaceCosts, UnitSelector
from caw_toolkit.generators.grains import Scattering, join_gains, nearest_usable
from caw_toolkit.generators.guide import Guide
from caw_toolkit.generators.timing import Timing

#: Candidates that count as one where they lie within the same hop of the recording, as the nearest ones do.
CANDIDATES_A_HOP = 3
#: How far a segment that is louder than the coarser signal is turned down (1: all the way). None is turned up: peaks
#: stay within those of the recording.
LEVEL_EXPONENT = 0.7


class ExemplarGenerator(ScaleGenerator):
    """Generator of any scale but the coarsest; the noise decides between segments that fit about equally well.

    Args:
        audio_channels: 1 or 2.
        samples: length of the recording at this scale.
        hop: samples from frame to frame, half a window.
        ratio: this scale's rate over the coarser one's, rounded up.
        shift: largest shift of a candidate in samples, when it is brought in phase with the coarser signal.
        candidates: segments that are compared in phase for each frame.
        concatenation_cost: of leaving the segment of the recording that is playing.
        selection_noise: weight of the noise in the selection.
        short_segment_cost: of leaving it while it is short, beside that.
    """

    real: Tensor
    coarse: Tensor
    usable: Tensor
    selects_by_noise = True
    noise_gain_for_given_audio = 0.4
    can_scatter = True
    extends_any_band = True

    def __init__(
        self,
        *,
        audio_channels: int,
        samples: int,
        hop: int,
        ratio: int,
        shift: int,
        candidates: int,
        concatenation_cost: float,
        selection_noise: float,
        short_segment_cost: float = 0.0,
    ) -> None:
        super().__init__()
        self.architecture: dict[str, Any] = {
            "type": "exemplar",
            "audio_channels": audio_channels,
            "samples": samples,
            "hop": hop,
            "ratio": ratio,
            "shift": shift,
            "candidates": candidates,
            "concatenation_cost": concatenation_cost,
            "selection_noise": selection_noise,
            "short_segment_cost": short_segment_cost,
        }
        self.hop = hop
        self.ratio = ratio
        self.shift = shift
        self.candidates = candidates
        self.concatenation_cost = concatenation_cost
        self.selection_noise = selection_noise
        self.short_segment_cost = short_segment_cost
        self.receptive_field = 2 * (CONTEXT_FRAMES + 2) * hop
        self.register_buffer("real", torch.zeros(audio_channels, samples))
        self.register_buffer("coarse", torch.zeros(audio_channels, samples))
        self.register_buffer("usable", torch.ones(samples, dtype=torch.bool))
        self._selector: UnitSelector | None = None
        self._external: _External | None = None

    def __getstate__(self) -> dict[str, Any]:
        """The selector follows from the buffers, and is made anew where it is needed."""
        return {**self.__dict__, "_selector": None, "_external": None}

    def hold(self, real: Tensor, coarse: Tensor, segments: tuple[tuple[int, int], ...]) -> None:
        """Take the recording and its coarser version, `(channels, samples)`, and where its segments may come from."""
        self.real.copy_(real)
        self.coarse.copy_(coarse)
        self.usable.fill_(False)
        for start, stop in segments:
            self.usable[start + self.hop : stop - self.hop] = True
        self._selector = self._external = None

    def recording(self) -> Tensor:
        return self.real

    def forward(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        return self._make(noise, coarse)

    def extend(self, noise: Tensor, coarse: Tensor | None, ratio: float | None = None) -> Tensor:
        if coarse is None or ratio is None:
            return self._make(noise, coarse)
        external = self._external_for(ratio)
        made = torch.stack(
            [self._follow(external.selector, *pair, None, None) for pair in zip(noise, coarse, strict=True)]
        )
        return torch.stack([external.levels.apply(*pair) for pair in zip(made, coarse, strict=True)])

    def _external_for(self, ratio: float) -> _External:
        external = self._external
        if external is None or external.ratio != ratio or external.selector.index.device != self.real.device:
            spectrum = torch.fft.rfft(self.real)
            spectrum[:, round(PASSBAND * spectrum.shape[-1] / ratio) :] = 0
            coarse = torch.fft.irfft(spectrum, self.real.shape[-1])
            shift = math.ceil(self.shift * ratio / self.ratio)
            index = SegmentIndex(coarse.sum(0), self.usable, hop=self.hop, ratio=math.ceil(ratio), shift=shift)
            levels = ExemplarLevels(self.real, coarse, self.usable, hop=self.hop, ratio=ratio)
            external = self._external = _External(ratio, UnitSelector(index, self.real.sum(0)), levels)
        return external

    def recompose(self, noise: Tensor, coarse: Tensor | None, guide: Guide) -> Tensor:
        return self._make(noise, coarse, guide=guide)

    def keep_time(self, noise: Tensor, coarse: Tensor | None, timing: Timing) -> Tensor:
        return self._make(noise, coarse, timing=timing)

    def scatter(self, scattering: Scattering, rate: int, start: int, stop: int) -> Tensor:
        hop, first = self.hop, start // self.hop
        offsets = scattering.offsets(rate, hop, first, math.ceil(stop / hop) - first + 1)
        offsets = nearest_usable(offsets, self.usable.cpu().numpy())
        segments = functional.pad(self.real, (hop, hop)).unfold(1, 2 * hop, 1)
        segments = segments[:, torch.from_numpy(offsets).to(self.device)]
        window = torch.hann_window(2 * hop, device=self.device)
        gains = join_gains(segments[:, :-1, hop:], segments[:, 1:, :hop], window[:hop])
        joined = add_halves(segments * window) * gains.flatten(1)
        return joined[None, :, start - first * hop : stop - first * hop]

    def _make(
        self, noise: Tensor, coarse: Tensor | None, *, guide: Guide | None = None, timing: Timing | None = None
    ) -> Tensor:
        if coarse is None:
            raise ValueError("the exemplar generator needs a coarser signal")
        selector = self._selector_for(timing)
        return torch.stack([self._follow(selector, *pair, guide, timing) for pair in zip(noise, coarse, strict=True)])

    def _selector_for(self, timing: Timing | None) -> UnitSelector:
        selector = self._selector
        if (
            selector is None
            or selector.index.device != self.coarse.device
            or selector.index.keeps_time != (timing is not None)
        ):
            sizes = {"hop": self.hop, "ratio": self.ratio, "shift": self.shift}
            index = SegmentIndex(self.coarse.sum(0), self.usable, **sizes, timing=timing)
            selector = self._selector = UnitSelector(index, self.real.sum(0))
        return selector

    def _follow(
        self, selector: UnitSelector, noise: Tensor, coarse: Tensor, guide: Guide | None, timing: Timing | None
    ) -> Tensor:
        """Overlap-add segments of the recording along a coarser signal, `(channels, samples)`."""
        index = selector.index
        distances = None
        if guide is not None:
            distances = guide.distances(self.real, self.hop, index.frames(coarse.shape[1]), index.hops)
        matches = index.search(coarse.sum(0), math.ceil(self.candidates / CANDIDATES_A_HOP), distances, timing)
        frames, candidates, _ = matches.offsets.shape
        # The scale's noise at a frame decides there, so that a stretch of time is rendered alike on its own.
        drawn = self.selection_noise * _at_hops(noise[0], frames, self.hop, candidates + 1)
        scores = matches.similarity + drawn[:, :-1, None]
        bonuses = drawn[:, -1] + self.concatenation_cost
        costs = PlaceCosts(self.hop, distances=distances, timing=timing)
        offsets = selector.select(matches, scores, bonuses, costs, short_segment_cost=self.short_segment_cost)
        return self._overlap_add(index, offsets, matches.levels)[:, : coarse.shape[1]]

    def _overlap_add(self, index: SegmentIndex, offsets: Tensor, levels: Tensor) -> Tensor:
        """Join the segments around offsets, a hop after one another, turned down to levels, `(channels, samples)`."""
        louder = levels / (index.norms[offsets + index.margin] + 1e-6)
        gains = louder.clamp_max(1) ** LEVEL_EXPONENT
        segments = functional.pad(self.real, (self.hop, self.hop)).unfold(1, 2 * self.hop, 1)[:, offsets]
        return add_halves(segments * index.window * gains[:, None])


@dataclass(frozen=True)
class _External:
    """What external audio is extended with that has its own band."""

    ratio: float
    selector: UnitSelector
    levels: ExemplarLevels


def _at_hops(signal: Tensor, count: int, hop: int, length: int) -> Tensor:
    """The `length` samples from every hop on, zero beyond the end, `(count, length)`."""
    needed = (count - 1) * hop + length
    return functional.pad(signal, (0, max(0, needed - len(signal)))).unfold(0, length, hop)[:count]
