"""The exemplar generator: the recording's own material, chosen to follow the coarser signal.

For every frame of the coarser signal, the stretches of the training recording whose coarser version is most alike (with
context, then in phase) are looked up; the best one that also joins the stretch before it is overlap-added. Nothing is
learnt. It is the audio counterpart of patch nearest-neighbour generation (Granot et al., "Drop the GAN", 2022) with the
alignment of waveform-similarity overlap-add (Verhelst and Roelands, 1993).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from caw_toolkit.arrays import Array
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.generators.exemplar_search import CONTEXT_FRAMES, StretchIndex

#: Weight of a smooth join beside likeness to the coarser signal.
JOIN_WEIGHT = 0.5
#: Candidates that count as one where they lie within the same hop of the recording, as the most alike ones do.
CANDIDATES_A_HOP = 3
#: How far a stretch that is louder than the coarser signal is turned down (1: all the way). None is turned up: peaks
#: stay within those of the recording.
LEVEL_EXPONENT = 0.7


class ExemplarGenerator(ScaleGenerator):
    """Generator of any scale but the coarsest; the noise decides between stretches that fit about equally well.

    Args:
        audio_channels: 1 or 2.
        samples: length of the recording at this scale.
        hop: samples from frame to frame, half a window.
        ratio: this scale's rate over the coarser one's, rounded up.
        shift: largest shift of a candidate in samples, when it is brought in phase with the coarser signal.
        candidates: stretches that are compared in phase for each frame.
        continuity: bonus for going on with the same stretch of the recording.
        variety: weight of the noise in the choice.
    """

    real: Tensor
    coarse: Tensor
    usable: Tensor

    def __init__(
        self,
        *,
        audio_channels: int,
        samples: int,
        hop: int,
        ratio: int,
        shift: int,
        candidates: int,
        continuity: float,
        variety: float,
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
            "continuity": continuity,
            "variety": variety,
        }
        self.hop = hop
        self.ratio = ratio
        self.shift = shift
        self.candidates = candidates
        self.continuity = continuity
        self.variety = variety
        self.receptive_field = 2 * (CONTEXT_FRAMES + 2) * hop
        self.register_buffer("real", torch.zeros(audio_channels, samples))
        self.register_buffer("coarse", torch.zeros(audio_channels, samples))
        self.register_buffer("usable", torch.ones(samples, dtype=torch.bool))
        self._chooser: _Chooser | None = None

    def remember(self, real: Tensor, coarse: Tensor, segments: tuple[tuple[int, int], ...]) -> None:
        """Take the recording and its coarser version, both `(channels, samples)`, and where stretches may come from."""
        self.real.copy_(real)
        self.coarse.copy_(coarse)
        self.usable.fill_(False)
        for start, stop in segments:
            self.usable[start + self.hop : stop - self.hop] = True
        self._chooser = None

    def recording(self) -> Tensor:
        return self.real

    def forward(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        if coarse is None:
            raise ValueError("the exemplar generator needs a coarser signal")
        if self._chooser is None or self._chooser.index.device != self.coarse.device:
            index = StretchIndex(self.coarse.sum(0), self.usable, hop=self.hop, ratio=self.ratio, shift=self.shift)
            self._chooser = _Chooser(index, self.real.sum(0))
        chooser = self._chooser
        return torch.stack([self._follow(chooser, *pair) for pair in zip(noise, coarse, strict=True)])

    def _follow(self, chooser: _Chooser, noise: Tensor, coarse: Tensor) -> Tensor:
        """Overlap-add stretches of the recording along a coarser signal, `(channels, samples)`."""
        index = chooser.index
        matches = index.search(coarse.sum(0), math.ceil(self.candidates / CANDIDATES_A_HOP))
        frames, candidates, _ = matches.places.shape
        luck = self.variety * _frames(noise[0], frames, self.hop, candidates + 1)
        scores = matches.likeness + luck[:, :-1, None]
        places = chooser.choose(matches.targets, matches.places, scores, luck[:, -1] + self.continuity)
        return self._overlap_add(index, places, matches.levels)[:, : coarse.shape[1]]

    def _overlap_add(self, index: StretchIndex, places: Tensor, levels: Tensor) -> Tensor:
        """Join the stretches around places, a hop after one another, turned down to levels, `(channels, samples)`."""
        louder = levels / (index.norms[places + index.margin] + 1e-6)
        gains = louder.clamp_max(1) ** LEVEL_EXPONENT
        around = functional.pad(self.real, (self.hop, self.hop)).unfold(1, 2 * self.hop, 1)[:, places]
        stretches = around * index.window * gains[:, None]
        return (stretches[:, :-1, self.hop :] + stretches[:, 1:, : self.hop]).flatten(1)


def _frames(signal: Tensor, count: int, hop: int, length: int) -> Tensor:
    """The `length` samples from every hop on, zero beyond the end, `(count, length)`."""
    needed = (count - 1) * hop + length
    return functional.pad(signal, (0, max(0, needed - len(signal)))).unfold(0, length, hop)[:count]


class _Chooser:
    """Chooses one stretch for each frame, given the one before.

    All that does not depend on the one before is computed for all frames at once; the loop runs on the CPU.

    Args:
        index: of the recording's coarser version.
        mono: the recording, channels summed, `(samples,)`.
    """

    def __init__(self, index: StretchIndex, mono: Tensor) -> None:
        self.index = index
        self._mono = functional.pad(mono, (index.margin, index.margin)).cpu().numpy()
        self._half_norms = _norms(self._mono, index.hop)
        self._coarse, self._norms, self._usable = (
            tensor.cpu().numpy() for tensor in (index.coarse, index.norms, functional.pad(index.usable, (0, index.hop)))
        )

    def choose(self, targets: Tensor, places: Tensor, scores: Tensor, bonuses: Tensor) -> Tensor:
        """Follow the best score frame by frame, a smooth join included.

        Args:
            targets: what the likeness of going on is measured with, `(frames, 2 hop)` (`Matches`).
            places: of candidates, `(frames, candidates, shifts)`.
            scores: of candidates without their joins, alike.
            bonuses: for going on with the stretch before, `(frames,)`, beside its likeness and perfect join.

        Returns:
            `(frames,)`
        """
        hop = self.index.hop
        options, alone, given, extra = (tensor.cpu().numpy() for tensor in (places, scores, targets, bonuses))
        heads, weights = self._heads(options)
        best_alone = alone.max(axis=(1, 2))
        path = [int(options[0].flat[alone[0].argmax()])]
        for frame in range(1, len(options)):
            place = path[-1] + hop
            going_on = -np.inf
            if self._usable[place]:
                going_on = self._likeness(place, given[frame]) + JOIN_WEIGHT + extra[frame]
            if going_on < best_alone[frame] + JOIN_WEIGHT:  # no join can make up for more
                total = alone[frame] + np.einsum("ijk,k->ij", heads[frame], self._tail(place)) * weights[frame]
                best = total.argmax()
                if total.flat[best] > going_on:
                    place = int(options[frame].flat[best])
            path.append(place)
        return torch.tensor(path, device=places.device)

    def _likeness(self, place: int, target: Array) -> float:
        """Cosine of the coarser recording around a place and a target."""
        centre = place + self.index.margin
        around = self._coarse[centre - self.index.hop : centre + self.index.hop]
        return float(around @ target / (self._norms[centre] + 1e-6))

    def _tail(self, place: int) -> Array:
        """The half of the stretch before that one at `place` would replace, of unit norm."""
        start = place + self.index.margin - self.index.hop
        tail: Array = self._mono[start : start + self.index.hop] / (self._half_norms[start] + 1e-6)
        return tail

    def _heads(self, places: npt.NDArray[np.int64]) -> tuple[Array, Array]:
        """First halves of stretches, `(frames, candidates, shifts, hop)`, a view, and the weights of their joins."""
        hop, shifts = self.index.hop, places.shape[2]
        starts = places + self.index.margin - hop
        spans = np.lib.stride_tricks.sliding_window_view(self._mono, hop + shifts - 1)[starts[:, :, 0]]
        heads = np.lib.stride_tricks.sliding_window_view(spans, hop, axis=2)
        return heads, JOIN_WEIGHT / (self._half_norms[starts] + 1e-6)


def _norms(signal: Array, length: int) -> Array:
    """Norm of the stretch that begins at each sample, as long as there is a whole one."""
    energy = np.cumsum(np.pad(signal.astype(np.float64) ** 2, (1, 0)))
    return np.sqrt(energy[length:] - energy[:-length]).astype(np.float32)
