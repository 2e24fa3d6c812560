"""Looking a signal up in a recording: by spectrum among all stretches, then in phase among the most alike.

All frames of the signal are looked up at once, by matrix products on the device of the recording.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from caw_toolkit.devices import has_fast_bfloat16

#: Frames of context on each side in the comparison of spectra.
CONTEXT_FRAMES = 2
#: Spectra are compared in at most this many bands.
COMPARED_BANDS = 40
#: Spectra of the recording are taken at the divisor of a hop that is nearest to this share of it.
STEPS_A_HOP = 5
#: Shifts on each side that take part in the interpolation between shifts.
INTERPOLATION_REACH = 6
#: Spectra that are compared at once: bounds memory.
FRAMES_AT_ONCE = 256
WINDOWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Matches:
    """What the frames of a signal, one every hop, are most alike in the recording.

    Attributes:
        targets: each frame, windowed twice, divided by the norm of it windowed once; `(frames, 2 hop)`.
        levels: those norms, `(frames,)`.
        places: centres of stretches, `(frames, candidates, shifts)`; the shifts are neighbouring samples.
        likeness: cosine of frame and stretch, minus infinity where no stretch may be taken; the shape of `places`.
    """

    targets: Tensor
    levels: Tensor
    places: Tensor
    likeness: Tensor


class StretchIndex:
    """Stretches of two hops of a recording's coarser version.

    Args:
        coarse: the coarser version at the rate of the recording, `(samples,)`.
        usable: samples around which stretches may be taken, `(samples,)`.
        hop: samples from frame to frame.
        ratio: samples of the recording for a sample of the coarser signal.
        shift: how far candidates are shifted at least, to be brought in phase.

    Attributes:
        margin: samples of padding at both ends of `coarse` and `norms`.
        norms: norm of the windowed stretch around each sample of `coarse`.
    """

    def __init__(self, coarse: Tensor, usable: Tensor, *, hop: int, ratio: int, shift: int) -> None:
        self.hop = hop
        self.ratio = ratio
        self.usable = usable
        self.window = torch.hann_window(2 * hop, device=coarse.device)  # its overlapping halves sum to one
        self._steps = min((n for n in range(1, hop + 1) if hop % n == 0), key=lambda n: abs(n - STEPS_A_HOP))
        step = hop // self._steps
        self._shift = ratio * math.ceil(max(shift, step / 2) / ratio)
        self.margin = 2 * hop + self._shift + (INTERPOLATION_REACH + 2) * ratio
        self.coarse = functional.pad(coarse, (self.margin, self.margin))
        self.norms = _windowed_norms(self.coarse, self.window)
        self._level = float(coarse.square().mean().sqrt()) + 1e-8
        self._cells = math.ceil(len(coarse) / hop)
        features = self._features(coarse, step, self._cells * self._steps)
        self._mean = features.mean(0)
        self._learn(features - self._mean, functional.pad(usable, (0, self._cells * hop - len(usable)))[::step])

    @property
    def device(self) -> torch.device:
        """Where it searches."""
        return self.coarse.device

    def _learn(self, features: Tensor, usable: Tensor) -> None:
        """Keep what frames are compared to, ordered by the step within a hop, then by the hop."""
        rounded, energies = _rounded_with_energies(features)
        energies = energies.masked_fill(~usable[:, None], -math.inf)
        factors = torch.cat([2 * rounded, energies, torch.ones_like(energies)], dim=1)
        self._known = factors.view(self._cells, self._steps, -1).permute(2, 1, 0).flatten(1)

    def search(self, signal: Tensor, candidates: int) -> Matches:
        """Look up the frames around every hop of a signal `(samples,)`, from the first sample to beyond the last."""
        frames = math.ceil(len(signal) / self.hop) + 1
        padded = functional.pad(signal, (self.hop, frames * self.hop - len(signal)))
        windowed = padded.unfold(0, 2 * self.hop, self.hop) * self.window
        levels = windowed.norm(dim=1) + 1e-6
        targets = windowed * self.window / levels[:, None]
        features = self._features(signal, self.hop, frames) - self._mean
        pairs = zip(torch.split(features, FRAMES_AT_ONCE), torch.split(targets, FRAMES_AT_ONCE), strict=True)
        aligned = [self._align(part, self._nearest(feature, candidates)) for feature, part in pairs]
        places, likeness = (torch.cat(parts) for parts in zip(*aligned, strict=True))
        return Matches(targets, levels, places, likeness)

    def _features(self, signal: Tensor, step: int, count: int) -> Tensor:
        """Compressed spectra around every `step`-th sample, beside those some hops before and after.

        Returns:
            `(count, features)`
        """
        spacing = self.hop // step
        reach = CONTEXT_FRAMES * spacing
        padded = functional.pad(self._spectra(signal, step, count), (0, 0, reach, reach))
        return torch.cat([padded[first : first + count] for first in range(0, 2 * reach + 1, spacing)], dim=1)

    def _spectra(self, signal: Tensor, step: int, count: int) -> Tensor:
        """Magnitudes in the bands that the coarser signal has, around every `step`-th sample, `(count, bands)`."""
        end = (count - 1) * step + self.hop
        windows = functional.pad(signal, (self.hop, end - len(signal))).unfold(0, 2 * self.hop, step)
        bins = self.hop // self.ratio + 1
        band = torch.arange(bins, device=signal.device) * min(COMPARED_BANDS, bins) // bins
        bands = functional.one_hot(band).to(signal)
        parts = torch.split(windows, WINDOWS_AT_ONCE)
        spectra = torch.cat([torch.fft.rfft(part * self.window)[:, :bins].abs() @ bands for part in parts])
        return (spectra / self._level) ** 0.4

    def _nearest(self, features: Tensor, count: int) -> Tensor:
        """Centres of the stretches of the most alike spectra, no two within the same hop, `(frames, candidates)`."""
        rounded, energies = _rounded_with_energies(features)
        nearness = torch.cat([rounded, torch.ones_like(energies), energies], dim=1) @ self._known
        by_step = nearness.view(-1, self._steps, self._cells)
        cells = by_step.amax(1).topk(min(count, self._cells)).indices
        steps = by_step.gather(2, cells[:, None].expand(-1, self._steps, -1)).argmax(1)
        return cells * self.hop + steps * (self.hop // self._steps)

    def _align(self, targets: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Bring stretches in phase with their targets.

        Returns:
            the places around the best shift and their likeness, `(frames, candidates, shifts)`.
        """
        reach = self._shift + self.ratio
        shifted = places[..., None] + torch.arange(-reach, reach + 1, device=places.device)
        likeness = self._correlation(targets, places, reach) / (self.norms[shifted + self.margin] + 1e-6)
        likeness = likeness.masked_fill(~self.usable[shifted.clamp(0, len(self.usable) - 1)], -math.inf)
        best = likeness[..., self.ratio : -self.ratio].argmax(2, keepdim=True)
        around = best + torch.arange(2 * self.ratio + 1, device=places.device)
        return shifted.gather(2, around), likeness.gather(2, around)

    def _correlation(self, targets: Tensor, places: Tensor, reach: int) -> Tensor:
        """Products of targets with the stretches up to `reach` samples from places, `(frames, candidates, shifts)`.

        The coarser signal has no more than the lower part of the band, so samples and shifts are taken some apart, and
        what lies between these shifts is interpolated.
        """
        stride = max(1, self.ratio // 2)
        steps = math.ceil(reach / stride) + INTERPOLATION_REACH
        sampled = targets[:, ::stride] * stride
        kernels = functional.pad(sampled, (2 * steps, 2 * steps)).unfold(1, sampled.shape[1] + 2 * steps, 1)
        first = self.margin - self.hop - steps * stride
        stretches = self.coarse.unfold(0, 2 * (self.hop + steps * stride), 1)[:, ::stride]
        backwards = stretches[places + first] @ kernels.mT
        return backwards @ _interpolation(steps, stride, reach, self.device).flip(0)


def _interpolation(steps: int, stride: int, reach: int, device: torch.device) -> Tensor:
    """Windowed-sinc interpolation from the shifts `stride * (-steps..steps)` to `-reach..reach`, a matrix."""
    given = stride * torch.arange(-steps, steps + 1, device=device)
    distance = (torch.arange(-reach, reach + 1, device=device) - given[:, None]) / stride
    window = torch.cos(distance.clamp(-INTERPOLATION_REACH, INTERPOLATION_REACH) * math.pi / 2 / INTERPOLATION_REACH)
    return torch.sinc(distance) * window**2


def _rounded_with_energies(features: Tensor) -> tuple[Tensor, Tensor]:
    """Factors of the negative squared distance `2 f g - f f - g g`, in bfloat16 where that is faster.

    Energies are sums of two numbers each, so that small distances are as exact as large ones.

    Shape:
        `(count, features) -> (count, features), (count, 2)`
    """
    dtype = torch.bfloat16 if has_fast_bfloat16(features.device.type) else torch.float32
    rounded = features.to(dtype)
    energies = -rounded.float().square().sum(1, keepdim=True)
    high = energies.to(dtype)
    return rounded, torch.cat([high, (energies - high.float()).to(dtype)], dim=1)


def _windowed_norms(signal: Tensor, window: Tensor) -> Tensor:
    """Norm of the windowed stretch around each sample, zero where it would reach beyond the ends."""
    energy, weights = signal.cpu().double().square(), window.cpu().double().square()
    length = math.ceil(len(energy) / 4096) * 4096  # large prime factors make transforms slow
    spectrum = torch.fft.rfft(energy, length) * torch.fft.rfft(weights, length).conj()
    inside = torch.fft.irfft(spectrum, length)[: len(energy) - len(weights) + 1]
    hop = len(weights) // 2
    return functional.pad(inside.clamp_min(0).sqrt(), (hop, hop - 1)).to(signal)
