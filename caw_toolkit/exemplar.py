"""The exemplar generator: the recording's own material, chosen to follow the coarser signal.

For every frame of the coarser signal, the stretches of the training recording whose coarser version is most alike (with
context, then in phase) are looked up; the best one that also joins the stretch before it is overlap-added. Nothing is
learnt. It is the audio counterpart of patch nearest-neighbour generation (Granot et al., "Drop the GAN", 2022) with the
alignment of waveform-similarity overlap-add (Verhelst and Roelands, 1993).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from caw_toolkit.objectives.base import ScaleGenerator

Array = npt.NDArray[np.float32]

#: Frames of context on each side in the first comparison.
CONTEXT_FRAMES = 2
#: Spectra are compared in at most this many bands.
COMPARED_BANDS = 40
#: Weight of a smooth join beside likeness to the coarser signal.
JOIN_WEIGHT = 0.5
#: How far a stretch that is louder than the coarser signal is turned down (1: all the way). None is turned up: peaks
#: stay within those of the recording.
LEVEL_EXPONENT = 0.7
#: Frames of the recording are compared at steps of this share of a hop.
STEPS_A_HOP = 8


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
        self._material: _Material | None = None

    def remember(self, real: Tensor, coarse: Tensor, segments: tuple[tuple[int, int], ...]) -> None:
        """Take the recording and its coarser version, both `(channels, samples)`, and where stretches may come from."""
        self.real.copy_(real)
        self.coarse.copy_(coarse)
        self.usable.fill_(False)
        for start, stop in segments:
            self.usable[start + self.hop : stop - self.hop] = True
        self._material = None

    def recording(self) -> Tensor:
        return self.real

    def forward(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        if coarse is None:
            raise ValueError("the exemplar generator needs a coarser signal")
        if self._material is None:
            self._material = _Material.prepare(self)
        pairs = zip(noise.cpu().numpy(), coarse.cpu().numpy(), strict=True)
        made = np.stack([_follow(self, self._material, *pair) for pair in pairs])
        return torch.from_numpy(made).to(coarse.device)


@dataclass(frozen=True)
class _Material:
    """The recording, padded by `margin` on both sides, and what is compared of it."""

    margin: int
    real: Array  # (channels, samples)
    mono: Array  # (samples,), channels of `real` summed
    coarse: Array  # (samples,), channels summed
    coarse_norms: Array  # norm of the window around each sample of `coarse`
    usable: npt.NDArray[np.bool_]  # samples around which stretches may be taken
    centres: npt.NDArray[np.int64]  # those of them that are compared first
    features: Array  # (centres, features)
    feature_energies: Array
    feature_scale: float

    @property
    def length(self) -> int:
        """Samples of the recording."""
        return int(self.real.shape[1] - 2 * self.margin)

    @staticmethod
    def windows(signal: Array, length: int) -> Array:
        """Every window of `length` samples, as a view."""
        return np.lib.stride_tricks.sliding_window_view(signal, length)

    @classmethod
    def prepare(cls, generator: ExemplarGenerator) -> _Material:
        hop = generator.hop
        margin = 2 * hop + generator.shift + 2 * generator.ratio
        real = np.pad(generator.real.cpu().numpy(), ((0, 0), (margin, margin)))
        mono = generator.coarse.cpu().numpy().sum(0)
        coarse = np.pad(mono, margin)
        squared = np.convolve(coarse**2, _window(hop) ** 2, mode="valid")
        norms = np.zeros_like(coarse)
        norms[hop : hop + len(squared)] = np.sqrt(np.maximum(squared, 0))
        scale = float(np.sqrt((mono**2).mean())) + 1e-8
        step = max(1, hop // STEPS_A_HOP)
        centres = np.arange(0, len(mono), step)
        usable = generator.usable.cpu().numpy()
        centres = centres[usable[centres]]
        chunks = [centres[start : start + 4096] for start in range(0, len(centres), 4096)]
        features = np.concatenate([_features(mono, chunk, generator, scale) for chunk in chunks])
        energies = (features**2).sum(1)
        return cls(margin, real, real.sum(0), coarse, norms, usable, centres, features, energies, scale)


def _window(hop: int) -> Array:
    """Periodic Hann window of two hops: its overlapping halves sum to one."""
    return (0.5 - 0.5 * np.cos(np.pi * np.arange(2 * hop) / hop)).astype(np.float32)


def _features(mono: Array, centres: npt.NDArray[np.int64], generator: ExemplarGenerator, scale: float) -> Array:
    """Compressed magnitude spectra of the coarser band around `centres`, with context, `(centres, features)`."""
    hop = generator.hop
    reach = (CONTEXT_FRAMES + 1) * hop
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(mono, reach), 2 * hop)
    bins = hop // generator.ratio + 1
    bands = np.unique(np.linspace(0, bins, COMPARED_BANDS + 1).astype(int)[:-1])
    parts = []
    for offset in range(-CONTEXT_FRAMES, CONTEXT_FRAMES + 1):
        frames = windows[centres + reach - hop + offset * hop] * _window(hop)
        magnitudes = np.abs(np.fft.rfft(frames, axis=1)[:, :bins])
        parts.append((np.add.reduceat(magnitudes, bands, axis=1) / scale) ** 0.4)
    return np.concatenate(parts, axis=1).astype(np.float32)


def _follow(generator: ExemplarGenerator, material: _Material, noise: Array, coarse: Array) -> Array:
    """Overlap-add stretches of the recording along a coarser signal, `(channels, samples)`."""
    hop, length = generator.hop, coarse.shape[1]
    window = _window(hop)
    mono = coarse.sum(0)
    padded = np.pad(mono, 2 * hop)
    centres = np.arange(0, length + hop, hop)
    features = _features(
        np.pad(mono, (0, hop)), np.minimum(centres, length + hop - 1), generator, material.feature_scale
    )
    draws = np.float32(generator.variety) * np.pad(noise[0], (0, 2 * hop + generator.candidates))
    out = np.zeros((coarse.shape[0], length + 3 * hop), np.float32)
    place: int | None = None
    for start in range(0, len(centres), 64):
        likeness = features[start : start + 64] @ material.features.T * 2 - material.feature_energies
        count = min(generator.candidates, likeness.shape[1])
        nearest = np.argpartition(likeness, -count, axis=1)[:, -count:]
        for row, centre in enumerate(centres[start : start + 64]):
            target = padded[centre + hop : centre + 3 * hop] * window
            candidates = material.centres[nearest[row]]
            luck = draws[centre : centre + count + 1]
            place, gain = _choose(generator, material, target, candidates, place, luck)
            stretch = material.real[:, place + material.margin - hop : place + material.margin + hop]
            out[:, centre : centre + 2 * hop] += stretch * window * gain
    return out[:, hop : hop + length]


def _choose(
    generator: ExemplarGenerator,
    material: _Material,
    target: Array,
    candidates: npt.NDArray[np.int64],
    previous: int | None,
    luck: Array,
) -> tuple[int, float]:
    """The centre of the stretch to take next, and its gain."""
    hop, shift, reach = generator.hop, generator.shift, generator.ratio
    window, level = _window(hop), float(np.linalg.norm(target)) + 1e-6
    weighted = target * window / level
    # first in phase with the coarser signal, as exactly as its band resolves, then with what went before
    shifts = np.arange(-shift, shift + 1, reach)
    alike = _alike(material, candidates[:, None] + shifts, weighted)
    places = (candidates + shifts[alike.argmax(axis=1)])[:, None] + np.arange(-reach, reach + 1)
    scores = _alike(material, places, weighted) + luck[: len(places), None]
    scores[~material.usable[np.clip(places, 0, material.length - 1)]] = -np.inf
    if previous is not None:
        scores = scores + JOIN_WEIGHT * _joins(material, places, previous, hop)
        following = np.array([[previous + hop]])
        if following[0, 0] < material.length and material.usable[following[0, 0]]:
            bonus = JOIN_WEIGHT + generator.continuity + luck[-1]
            scores = np.append(scores, _alike(material, following, weighted) + bonus)
            places = np.append(places, following)
    place = int(np.clip(places.flat[scores.argmax()], 0, material.length - 1))
    ratio = level / (material.coarse_norms[place + material.margin] + 1e-6)
    return place, float(min(ratio, 1.0) ** LEVEL_EXPONENT)


def _alike(material: _Material, places: npt.NDArray[np.int64], weighted: Array) -> Array:
    """Cosine likeness of the coarser recording around `places` to a windowed stretch of unit norm.

    Args:
        material: of the generator.
        places: `(candidates, shifts)`, evenly spaced along the second axis.
        weighted: the stretch times the window again.
    """
    around = material.windows(material.coarse, len(weighted))[places + material.margin - len(weighted) // 2]
    likeness: Array = np.einsum("ijk,k->ij", around, weighted) / (
        material.coarse_norms[places + material.margin] + 1e-6
    )
    return likeness


def _joins(material: _Material, places: npt.NDArray[np.int64], previous: int, hop: int) -> Array:
    """Cosine likeness of the first halves of stretches to the half of the stretch before that they overlap."""
    tail = material.mono[previous + material.margin : previous + material.margin + hop]
    heads = material.windows(material.mono, hop)[places + material.margin - hop]
    norms = np.sqrt(np.einsum("ijk,ijk->ij", heads, heads)) * (float(np.linalg.norm(tail)) + 1e-6)
    likeness: Array = np.einsum("ijk,k->ij", heads, tail) / (norms + 1e-6)
    return likeness
