"""Looking a signal up in a recording: by spectrum among all segments, then in phase among the nearest neighbours.

All frames of the signal are looked up at once, by matrix products on the device of the recording.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from caw_toolkit.arrays import FloatArray
from caw_toolkit.devices import uses_bfloat16
from caw_toolkit.generators.timing import Timing, beat_features

#: Frames of context on each side in the comparison of spectra.
CONTEXT_FRAMES = 2
#: Spectra are compared in at most this many bands.
COMPARED_BANDS = 40
#: Spectra of the recording are taken so many times a hop, or at the nearest number that divides it.
SUBSTEPS_A_HOP = 5
#: Lags on each side that take part in the interpolation between lags.
INTERPOLATION_REACH = 6
#: Spectra that are compared at once: bounds memory.
FRAMES_AT_ONCE = 256
WINDOWS_AT_ONCE = 1024


@dataclass(frozen=True)
class Matches:
    """Nearest neighbours in the recording of the frames of a signal, one every hop.

    Attributes:
        targets: each frame, windowed twice, divided by the norm of it windowed once; `(frames, 2 hop)`.
        levels: those norms, `(frames,)`.
        offsets: centres of segments, `(frames, candidates, shifts)`; the shifts are neighbouring samples.
        similarity: cosine of frame and segment, minus infinity where no segment may be taken; the shape of `offsets`.
    """

    targets: Tensor
    levels: Tensor
    offsets: Tensor
    similarity: Tensor


class SegmentIndex:
    """Segments of two hops of a recording's coarser version.

    Args:
        coarse: the coarser version at the rate of the recording, `(samples,)`.
        usable: samples around which segments may be taken, `(samples,)`.
        hop: samples from frame to frame.
        ratio: samples of the recording for a sample of the coarser signal.
        shift: how far candidates are shifted at least, to be brought in phase.
        timing: where the beat counts in the search, too; else None.

    Attributes:
        margin: samples of padding at both ends of `coarse` and `norms`.
        norms: norm of the windowed segment around each sample of `coarse`.
        hops: that the recording is long.
        keeps_time: whether the beat counts.
    """

    def __init__(
        self, coarse: Tensor, usable: Tensor, *, hop: int, ratio: int, shift: int, timing: Timing | None = None
    ) -> None:
        self.hop = hop
        self.ratio = ratio
        self.usable = usable
        self.window = torch.hann_window(2 * hop, device=coarse.device)  # its overlapping halves sum to one
        self._substeps = min((n for n in range(1, hop + 1) if hop % n == 0), key=lambda n: abs(n - SUBSTEPS_A_HOP))
        spacing = hop // self._substeps
        self._shift = ratio * math.ceil(max(shift, spacing / 2) / ratio)
        self.margin = 2 * hop + self._shift + (INTERPOLATION_REACH + 2) * ratio
        self.coarse = functional.pad(coarse, (self.margin, self.margin))
        self.norms = _windowed_norms(self.coarse, self.window)
        self._level = float(coarse.square().mean().sqrt()) + 1e-8
        self.hops = math.ceil(len(coarse) / hop)
        features = self._features(coarse, spacing, self.hops * self._substeps)
        self._mean = features.mean(0)
        features = features - self._mean
        self.keeps_time = timing is not None
        if timing is not None:
            features = _with_beat(features, timing.recording(spacing * np.arange(len(features))))
        self._index(features, functional.pad(usable, (0, self.hops * hop - len(usable)))[::spacing])

    @property
    def device(self) -> torch.device:
        """Where it searches."""
        return self.coarse.device

    def _index(self, features: Tensor, usable: Tensor) -> None:
        """Keep the factors of the distances to all frames, ordered by the substep within a hop, then by the hop."""
        rounded, energies = _round_with_energies(features)
        energies = energies.masked_fill(~usable[:, None], -math.inf)
        factors = torch.cat([2 * rounded, energies, torch.ones_like(energies)], dim=1)
        self._known = factors.view(self.hops, self._substeps, -1).permute(2, 1, 0).flatten(1)

    def frames(self, samples: int) -> int:
        """Number of frames that a signal is looked up in: one around every hop, from the first sample on."""
        return math.ceil(samples / self.hop) + 1

    def search(
        self, signal: Tensor, candidates: int, distances: Tensor | None = None, timing: Timing | None = None
    ) -> Matches:
        """Look up the frames around every hop of a signal, from the first sample to beyond the last.

        Args:
            signal: `(samples,)`.
            candidates: hops of the recording that a segment is offered from.
            distances: that count beside those of the spectra, `(frames, hops of the recording)`.
            timing: of the signal, if the beat counts.
        """
        frames = self.frames(len(signal))
        padded = functional.pad(signal, (self.hop, frames * self.hop - len(signal)))
        windowed = padded.unfold(0, 2 * self.hop, self.hop) * self.window
        levels = windowed.norm(dim=1) + 1e-6
        targets = windowed * self.window / levels[:, None]
        features = self._features(signal, self.hop, frames) - self._mean
        if timing is not None:
            features = _with_beat(features, timing.frames(self.hop, frames))
        others = features.new_zeros(frames, 1) if distances is None else distances
        parts = zip(*(torch.split(tensor, FRAMES_AT_ONCE) for tensor in (features, targets, others)), strict=True)
        aligned = [self._align(part, self._nearest(feature, candidates, other)) for feature, part, other in parts]
        offsets, similarity = (torch.cat(parts) for parts in zip(*aligned, strict=True))
        return Matches(targets, levels, offsets, similarity)

    def _features(self, signal: Tensor, spacing: int, count: int) -> Tensor:
        """Compressed spectra around every `spacing`-th sample, beside those some hops before and after.

        Returns:
            `(count, features)`
        """
        frames_a_hop = self.hop // spacing
        reach = CONTEXT_FRAMES * frames_a_hop
        padded = functional.pad(self._spectra(signal, spacing, count), (0, 0, reach, reach))
        return torch.cat([padded[first : first + count] for first in range(0, 2 * reach + 1, frames_a_hop)], dim=1)

    def _spectra(self, signal: Tensor, spacing: int, count: int) -> Tensor:
        """Magnitudes in the bands that the coarser signal has, around every `spacing`-th sample, `(count, bands)`."""
        end = (count - 1) * spacing + self.hop
        windows = functional.pad(signal, (self.hop, end - len(signal))).unfold(0, 2 * self.hop, spacing)
        bins = self.hop // self.ratio + 1
        band = torch.arange(bins, device=signal.device) * min(COMPARED_BANDS, bins) // bins
        bands = functional.one_hot(band).to(signal)
        parts = torch.split(windows, WINDOWS_AT_ONCE)
        spectra = torch.cat([torch.fft.rfft(part * self.window)[:, :bins].abs() @ bands for part in parts])
        # Compressed, so that loud partials do not decide alone.
        return (spectra / self._level) ** 0.4

    def _nearest(self, features: Tensor, count: int, distances: Tensor) -> Tensor:
        """Centres of the segments with the nearest spectra, no two within the same hop, `(frames, candidates)`."""
        rounded, energies = _round_with_energies(features)
        negative_distance = torch.cat([rounded, torch.ones_like(energies), energies], dim=1) @ self._known
        by_substep = negative_distance.view(-1, self._substeps, self.hops) - distances[:, None]
        # Neighbouring segments are all alike: of each hop only the best is a candidate.
        hops = by_substep.amax(1).topk(min(count, self.hops)).indices
        substeps = by_substep.gather(2, hops[:, None].expand(-1, self._substeps, -1)).argmax(1)
        return hops * self.hop + substeps * (self.hop // self._substeps)

    def _align(self, targets: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """Bring segments in phase with their targets.

        Returns:
            the offsets around the best shift and their similarity, `(frames, candidates, shifts)`.
        """
        reach = self._shift + self.ratio
        shifted = offsets[..., None] + torch.arange(-reach, reach + 1, device=offsets.device)
        similarity = self._correlation(targets, offsets, reach) / (self.norms[shifted + self.margin] + 1e-6)
        similarity = similarity.masked_fill(~self.usable[shifted.clamp(0, len(self.usable) - 1)], -math.inf)
        # The best shift inside, so that its neighbours on both sides can be offered, too.
        best = similarity[..., self.ratio : -self.ratio].argmax(2, keepdim=True)
        around = best + torch.arange(2 * self.ratio + 1, device=offsets.device)
        return shifted.gather(2, around), similarity.gather(2, around)

    def _correlation(self, targets: Tensor, offsets: Tensor, reach: int) -> Tensor:
        """Products of targets with the segments up to `reach` samples from offsets, `(frames, candidates, shifts)`.

        The coarser signal has no more than the lower part of the band, so samples and shifts are taken some apart, and
        what lies between these shifts is interpolated.
        """
        stride = max(1, self.ratio // 2)
        lags = math.ceil(reach / stride) + INTERPOLATION_REACH
        sampled = targets[:, ::stride] * stride
        kernels = functional.pad(sampled, (2 * lags, 2 * lags)).unfold(1, sampled.shape[1] + 2 * lags, 1)
        first = self.margin - self.hop - lags * stride
        segments = self.coarse.unfold(0, 2 * (self.hop + lags * stride), 1)[:, ::stride]
        # All lags of a correlation as one matrix product: the target, shifted, stands in the columns of its kernel.
        backwards = segments[offsets + first] @ kernels.mT
        return backwards @ _interpolation(lags, stride, reach, self.device).flip(0)


def _interpolation(lags: int, stride: int, reach: int, device: torch.device) -> Tensor:
    """Windowed-sinc interpolation from the shifts `stride * (-lags..lags)` to `-reach..reach`, a matrix."""
    given = stride * torch.arange(-lags, lags + 1, device=device)
    distance = (torch.arange(-reach, reach + 1, device=device) - given[:, None]) / stride
    window = torch.cos(distance.clamp(-INTERPOLATION_REACH, INTERPOLATION_REACH) * math.pi / 2 / INTERPOLATION_REACH)
    return torch.sinc(distance) * window**2


def _with_beat(features: Tensor, phases: FloatArray) -> Tensor:
    return torch.cat([features, beat_features(phases).to(features)], dim=1)


def _round_with_energies(features: Tensor) -> tuple[Tensor, Tensor]:
    """Factors of the negative squared distance `2 f g - f f - g g`, in bfloat16 where networks compute in that.

    Energies are sums of two numbers each, so that small distances are as exact as large ones.

    Shape:
        `(count, features) -> (count, features), (count, 2)`
    """
    dtype = torch.bfloat16 if uses_bfloat16(features.device.type) else torch.float32
    rounded = features.to(dtype)
    energies = -rounded.float().square().sum(1, keepdim=True)
    high = energies.to(dtype)
    return rounded, torch.cat([high, (energies - high.float()).to(dtype)], dim=1)


def _windowed_norms(signal: Tensor, window: Tensor) -> Tensor:
    """Norm of the windowed segment around each sample, zero where it would reach beyond the ends."""
    energy, weights = signal.cpu().double().square(), window.cpu().double().square()
    length = math.ceil(len(energy) / 4096) * 4096  # large prime factors make transforms slow
    spectrum = torch.fft.rfft(energy, length) * torch.fft.rfft(weights, length).conj()
    inside = torch.fft.irfft(spectrum, length)[: len(energy) - len(weights) + 1]
    hop = len(weights) // 2
    return functional.pad(inside.clamp_min(0).sqrt(), (hop, hop - 1)).to(signal)
