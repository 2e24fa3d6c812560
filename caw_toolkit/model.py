"""The trained pyramid: generate, stream, inject, reconstruct, save and load."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from caw_toolkit import model_file
from caw_toolkit.devices import pick_device
from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.generators import build_generator
from caw_toolkit.noise import NoiseSource
from caw_toolkit.objectives.base import ScaleGenerator
from caw_toolkit.resampling import UPSAMPLERS, resample

#: Sound is made in blocks of this length, each with context on both sides, crossfaded at the joins.
BLOCK_SECONDS = 12
CROSSFADE_SECONDS = 0.25
LONGEST_CONTEXT_SECONDS = 15


@dataclass(frozen=True)
class Scale:
    """One level of the pyramid.

    Attributes:
        rate: samples per second.
        generator: makes this scale's signal from noise and the coarser signal.
        noise_std: standard deviation of the noise it expects.
    """

    rate: int
    generator: ScaleGenerator
    noise_std: float


@dataclass(eq=False)
class PyramidModel:
    """A pyramid of generators trained on one recording (paper, section 3, equation 2).

    Attributes:
        scales: coarsest first.
        channels: 1 or 2.
        peak: peak of the training recording; everything generated is at its level.
        upsampling: name of the interpolation between scales (`resampling.UPSAMPLERS`).
        reconstruction_noise: noise `(channels, samples)` of the coarsest scale that is mapped to the training recording.
        training: how it was trained: preset, options, seed, losses, time, source files.

    Example:
        >>> model = PyramidModel.load("speaker.pt")          # doctest: +SKIP
        >>> audio = model.generate(seconds=30, seed=1)       # doctest: +SKIP
        >>> audio.shape                                      # doctest: +SKIP
        (1, 480000)
    """

    scales: Sequence[Scale]
    channels: int
    peak: float
    upsampling: str
    reconstruction_noise: Tensor | None = None
    training: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._generators = [scale.generator.folded() for scale in self.scales]

    @property
    def rates(self) -> tuple[int, ...]:
        """Rates of the scales in Hz, coarsest first."""
        return tuple(scale.rate for scale in self.scales)

    @property
    def sample_rate(self) -> int:
        """Rate of the generated audio in Hz."""
        return self.scales[-1].rate

    @property
    def receptive_field_seconds(self) -> float:
        """Longest stretch of time that the model keeps coherent: the receptive field of the coarsest scale."""
        return self.scales[0].generator.receptive_field / self.scales[0].rate

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What this model can do: `generate`, `inject` (from the second scale on), `reconstruct`."""
        return tuple(
            name
            for name, able in (
                ("generate", True),
                ("inject", len(self.scales) > 1),
                ("reconstruct", self.reconstruction_noise is not None),
            )
            if able
        )

    @property
    def device(self) -> torch.device:
        return next(self.scales[0].generator.parameters()).device

    def to(self, device: str | torch.device) -> PyramidModel:
        """Move to a device, in place."""
        for generator in (*self._generators, *(scale.generator for scale in self.scales)):
            generator.to(device)
        return self

    def generator(self, index: int) -> ScaleGenerator:
        """A scale's generator in its fastest form."""
        return self._generators[index]

    # ------------------------------------------------------------------ generation

    def generate(
        self, seconds: float, *, seed: int = 0, keep_edges: bool = False, up_to_rate: int | None = None
    ) -> np.ndarray:
        """Generate new audio of the training recording's source.

        Args:
            seconds: length.
            seed: of the noise; the same seed gives the same audio on the same machine.
            keep_edges: start and end as the recording does where the network has memorised its ends (paper, section
                A.4); by default more is generated and trimmed.
            up_to_rate: stop at this scale; default: the finest.

        Returns:
            `(channels, samples)` float32 at `up_to_rate` or the model's sample rate.
        """
        if not (math.isfinite(seconds) and seconds > 0):
            raise CawUsageError(f"cannot generate {seconds} seconds: the duration must be positive")
        last = self._scale_index(up_to_rate) if up_to_rate else len(self.scales) - 1
        noise = NoiseSource(seed, self.channels)
        span = _Span(self, noise, last=last)
        return np.concatenate(list(self._blocks(span, seconds, keep_edges)), axis=1)

    def stream(self, block_seconds: float = 1.0, *, seed: int = 0) -> Iterator[np.ndarray]:
        """Generate without end, in constant memory: the same samples as `generate` with the same seed.

        Args:
            block_seconds: length of the blocks that are yielded.
            seed: of the noise.

        Yields:
            `(channels, block)` float32.
        """
        size = max(1, round(block_seconds * self.sample_rate))
        span = _Span(self, NoiseSource(seed, self.channels), last=len(self.scales) - 1)
        pending = np.zeros((self.channels, 0), np.float32)
        for block in self._blocks(span, math.inf, keep_edges=False):
            pending = np.concatenate([pending, block], axis=1)
            whole = pending.shape[1] // size * size
            for start in range(0, whole, size):
                yield pending[:, start : start + size]
            pending = pending[:, whole:]

    def inject(
        self,
        audio: np.ndarray,
        sample_rate: int,
        *,
        at_rate: int | None = None,
        seed: int = 0,
        noise_gain: float = 1.0,
    ) -> np.ndarray:
        """Enter the pyramid at a scale with a given signal in place of the coarser scales' output.

        Args:
            audio: `(channels, samples)`; its content below half the rate of the scale under `at_rate` is kept.
            sample_rate: of `audio`, Hz.
            at_rate: rate of the scale that receives the signal; default: the second-coarsest scale.
            seed: of the noise.
            noise_gain: factor of the noise at the scale of entry.

        Returns:
            `(channels, samples)` float32 at the model's sample rate, as long as `audio`.

        Raises:
            CawUsageError: if the model has a single scale, or none of rate `at_rate`.
            CawError: if the number of channels differs from the model's.
        """
        if len(self.scales) < 2:
            raise CawUsageError("this model has a single scale, so nothing can be injected below it")
        entry = self._scale_index(at_rate) if at_rate else 1
        if entry == 0:
            raise CawUsageError(f"the coarsest scale ({self.rates[0]} Hz) takes no input: choose from {self.rates[1:]}")
        if audio.ndim != 2 or audio.shape[0] != self.channels:
            raise CawError(f"the model has {self.channels} channel(s), the audio has shape {audio.shape}")
        coarse = torch.from_numpy(resample(audio / self.peak, sample_rate, self.rates[entry - 1]))
        noise = NoiseSource(seed, self.channels)
        span = _Span(
            self, noise, last=len(self.scales) - 1, entry=entry, injected=coarse, noise_gains={entry: noise_gain}
        )
        blocks = self._blocks(span, audio.shape[1] / sample_rate, keep_edges=True)
        return np.concatenate(list(blocks), axis=1)

    def reconstruct(self, *, up_to_rate: int | None = None) -> np.ndarray:
        """The training recording as the model makes it from its reconstruction noise (paper, equation 4).

        Raises:
            CawError: if the model holds no reconstruction noise.
        """
        if self.reconstruction_noise is None:
            raise CawError("this model was trained without a reconstruction path")
        last = self._scale_index(up_to_rate) if up_to_rate else len(self.scales) - 1
        span = _Span(self, _FixedNoise(self.reconstruction_noise), last=last)
        seconds = self.reconstruction_noise.shape[1] / self.rates[0]
        return span.make(0, seconds).cpu().numpy() * self.peak

    def coarse_input(self, index: int, start: int, stop: int, seed: int | None) -> Tensor:
        """The coarser signal that scale `index` receives, `(channels, stop - start)` at its rate, for training.

        Args:
            index: the scale; the scales below it must be trained.
            start: first sample, at the scale's rate, on the time line of the noise (or of the reconstruction).
            stop: one past the last sample.
            seed: of the noise; None for the reconstruction.
        """
        if seed is None:
            if self.reconstruction_noise is None:
                raise CawError("this model was trained without a reconstruction path")
            source: NoiseSource | _FixedNoise = _FixedNoise(self.reconstruction_noise)
        else:
            source = NoiseSource(seed, self.channels)
        return _Span(self, source, last=index - 1).upsampled(index, start, stop)

    def _scale_index(self, rate: int) -> int:
        if rate not in self.rates:
            raise CawUsageError(f"the model has no scale of {rate} Hz: its scales are {', '.join(map(str, self.rates))}")
        return self.rates.index(rate)

    def _context_seconds(self, entry: int, last: int) -> int:
        exact = sum(scale.generator.receptive_field / 2 / scale.rate for scale in self.scales[entry : last + 1])
        return min(LONGEST_CONTEXT_SECONDS, max(1, math.ceil(exact)))

    def _blocks(self, span: _Span, seconds: float, keep_edges: bool) -> Iterator[np.ndarray]:
        """Successive blocks of a signal `seconds` long, at its level, crossfaded where they meet."""
        rate = self.rates[span.last]
        context = self._context_seconds(span.entry, span.last)
        half = round(CROSSFADE_SECONDS * rate / 2)
        fade = torch.linspace(0, 1, 2 * half)
        tail: Tensor | None = None
        for index in itertools.count():
            start, stop = index * BLOCK_SECONDS, (index + 1) * BLOCK_SECONDS
            final = stop + CROSSFADE_SECONDS >= seconds
            begin = start - (context if index or not keep_edges else 0)
            end = (seconds if keep_edges else seconds + context) if final else stop + context
            signal = span.make(begin, end).cpu()
            origin = round(begin * rate)
            left = start * rate - (half if index else 0)
            right = round(seconds * rate) if final else stop * rate + half
            block = signal[:, left - origin : right - origin]
            if tail is not None:
                joined = tail * (1 - fade) + block[:, : 2 * half] * fade
                block = torch.cat([joined, block[:, 2 * half :]], dim=1)
            tail = None if final else block[:, -2 * half :]
            ready = block if final else block[:, : -2 * half]
            yield ready.numpy() * np.float32(self.peak)
            if final:
                return

    # ------------------------------------------------------------------ files

    def save(self, path: str | Path) -> None:
        """Write the model file (`docs/model-file.md`); an existing file stays whole until the new one is complete."""
        model_file.save(path, self.content())

    def content(self) -> dict[str, Any]:
        """The model as plain types and CPU tensors."""
        scales = [
            {
                "rate": scale.rate,
                "noise_std": float(scale.noise_std),
                "architecture": dict(scale.generator.architecture),
                "weights": {name: value.detach().cpu() for name, value in scale.generator.state_dict().items()},
            }
            for scale in self.scales
        ]
        return {
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "peak": float(self.peak),
            "upsampling": self.upsampling,
            "capabilities": list(self.capabilities),
            "scales": scales,
            "reconstruction_noise": self.reconstruction_noise,
            "training": dict(self.training),
        }

    @classmethod
    def load(cls, path: str | Path, device: str = "auto") -> PyramidModel:
        """Read a model file.

        Args:
            path: of the file.
            device: `auto`, `cpu`, `cuda` or `mps`.

        Raises:
            CawError: if it is not a model, is damaged, or is from a newer version of the format.
            CawUsageError: if the file or the device does not exist.
        """
        target = pick_device(device)
        return cls.from_content(model_file.load(path), source=str(path)).to(target)

    @classmethod
    def from_content(cls, content: Mapping[str, Any], *, source: str = "model") -> PyramidModel:
        """The inverse of `content`."""
        try:
            scales = []
            for entry in content["scales"]:
                generator = build_generator(entry["architecture"])
                generator.load_state_dict(entry["weights"])
                generator.eval().requires_grad_(False)
                scales.append(Scale(entry["rate"], generator, entry["noise_std"]))
            return cls(
                scales=scales,
                channels=content["channels"],
                peak=content["peak"],
                upsampling=content["upsampling"],
                reconstruction_noise=content["reconstruction_noise"],
                training=content["training"],
            )
        except (KeyError, TypeError, RuntimeError) as error:
            raise CawError(f"{source}: the model file is incomplete or inconsistent ({error})") from error


class _FixedNoise:
    """The reconstruction noise: given at the coarsest scale, zero above it and outside the recording."""

    def __init__(self, coarsest: Tensor) -> None:
        self.coarsest = coarsest

    def normal(self, scale: int, rate: int, start: int, stop: int) -> Tensor:
        noise = torch.zeros(self.coarsest.shape[0], stop - start)
        if scale == 0:
            inside = slice(max(start, 0), min(stop, self.coarsest.shape[1]))
            noise[:, inside.start - start : inside.stop - start] = self.coarsest[:, inside]
        return noise


@dataclass
class _Span:
    """Makes the pyramid's output for any stretch of time."""

    model: PyramidModel
    noise: NoiseSource | _FixedNoise
    last: int
    entry: int = 0
    injected: Tensor | None = None  # signal of the scale below `entry`
    noise_gains: Mapping[int, float] = field(default_factory=dict)

    @torch.inference_mode()
    def make(self, begin: float, end: float) -> Tensor:
        """The last scale's signal between two times in seconds, `(channels, samples)`; `begin` is a whole second."""
        signal = self._given(begin, end) if self.entry else None
        for index in range(self.entry, self.last + 1):
            scale = self.model.scales[index]
            start, stop = round(begin * scale.rate), round(end * scale.rate)
            noise = self.noise.normal(index, scale.rate, start, stop) * scale.noise_std * self.noise_gains.get(index, 1.0)
            coarse = None
            if signal is not None:
                upsample: Callable[[Tensor, int, int, int], Tensor] = UPSAMPLERS[self.model.upsampling]
                coarse = upsample(signal, self.model.rates[index - 1], scale.rate, stop - start)[None]
            signal = self.model.generator(index)(noise[None].to(self.model.device), coarse)[0]
        assert signal is not None
        return signal

    @torch.inference_mode()
    def upsampled(self, index: int, start: int, stop: int) -> Tensor:
        """This span's signal at the rate of the next scale `index`, samples `start` to `stop`."""
        model, rate = self.model, self.model.rates[index]
        first, last = start // rate, -(-stop // rate)
        signal = self.make(first, last)
        whole = UPSAMPLERS[model.upsampling](signal, model.rates[index - 1], rate, (last - first) * rate)
        return whole[:, start - first * rate : stop - first * rate]

    def _given(self, begin: float, end: float) -> Tensor:
        """The injected signal between two times, silent outside itself."""
        assert self.injected is not None
        rate = self.model.rates[self.entry - 1]
        start, stop = round(begin * rate), round(end * rate)
        given = torch.zeros(self.model.channels, stop - start)
        inside = slice(max(start, 0), min(stop, self.injected.shape[1]))
        given[:, inside.start - start : inside.stop - start] = self.injected[:, inside]
        return given.to(self.model.device)
