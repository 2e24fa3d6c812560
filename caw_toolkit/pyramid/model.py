"""The trained pyramid: generate, stream, inject, reconstruct, save and load."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from caw_toolkit.devices import pick_device
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.generators.exemplar import ExemplarGenerator
from caw_toolkit.generators.flow import FlowGenerator
from caw_toolkit.generators.registry import build_generator
from caw_toolkit.pyramid import model_file
from caw_toolkit.pyramid.noise import NoiseSource, RearrangedNoise
from caw_toolkit.pyramid.renderer import FixedNoise, Span, blocks
from caw_toolkit.pyramid.scale import Scale

#: Samples of the coarsest scale beside a gap that its resampling has blurred.
EDGE_SAMPLES = 8
#: Factor of the luck in the choice of exemplars where they follow audio that is given, and should be like it.
FOLLOWING_LUCK = 0.4


@dataclass(eq=False)
class PyramidModel:
    """A pyramid of generators trained on one recording (paper, section 3, equation 2).

    Attributes:
        scales: coarsest first.
        channels: 1 or 2.
        peak: peak of the training recording; everything generated is at its level.
        gain: correction of the level of what is generated from noise (`measure_gain`).
        upsampling: name of the interpolation between scales (`resampling.UPSAMPLERS`).
        reconstruction_noise: noise `(channels, samples)` of the coarsest scale that is mapped to the recording.
        own_noise: share of that noise in what audio is generated from, 0 to 1 (`noise.RearrangedNoise`).
        training: how it was trained: preset, options, seed, losses, time, source files.
        first_second: where audio that is given to `inject`, `revise` and `fill` begins on the time line of the noise.

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
    gain: float = 1.0
    reconstruction_noise: Tensor | None = None
    own_noise: float = 0.0
    training: Mapping[str, Any] = field(default_factory=dict)
    first_second: int = 0

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
        """What this model can do, as names of methods: `generate`, `inject`, `reconstruct`, `revise`, `fill`."""
        has_flow = isinstance(self.scales[0].generator, FlowGenerator)
        return tuple(
            name
            for name, able in (
                ("generate", True),
                ("inject", len(self.scales) > 1),
                ("reconstruct", self.reconstruction_noise is not None),
                ("revise", has_flow and len(self.scales) > 1),
                ("fill", has_flow and len(self.scales) > 1),
            )
            if able
        )

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.scales[0].generator.parameters()).device

    def to(self, device: str | torch.device) -> PyramidModel:
        """Move to a device, in place."""
        for generator in (*self._generators, *(scale.generator for scale in self.scales)):
            generator.to(device)
        return self

    def placed_at(self, second: int) -> PyramidModel:
        """This model with another `first_second`; everything else is shared."""
        placed = copy.copy(self)
        placed.first_second = second
        return placed

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
        span = Span(self, self._noise(seed), last=last, gain=self.gain)
        return np.concatenate(list(blocks(span, seconds, keep_edges)), axis=1)

    def stream(self, block_seconds: float = 1.0, *, seed: int = 0) -> Iterator[np.ndarray]:
        """Generate without end, in constant memory: the same audio as `generate` with the same seed, but for its end.

        Args:
            block_seconds: length of the blocks that are yielded.
            seed: of the noise.

        Yields:
            `(channels, block)` float32.
        """
        size = max(1, round(block_seconds * self.sample_rate))
        span = Span(self, self._noise(seed), last=len(self.scales) - 1, gain=self.gain)
        pending = np.zeros((self.channels, 0), np.float32)
        for block in blocks(span, math.inf, keep_edges=False):
            pending = np.concatenate([pending, block], axis=1)
            whole = pending.shape[1] // size * size
            for start in range(0, whole, size):
                yield pending[:, start : start + size]
            pending = pending[:, whole:]

    def _noise(self, seed: int) -> NoiseSource:
        """What a take is generated from."""
        if self.reconstruction_noise is None or not self.own_noise:
            return NoiseSource(seed, self.channels)
        return RearrangedNoise(seed, self.reconstruction_noise, self.own_noise)

    def measure_gain(self, level: float, *, seconds: float = 30.0, seed: int = 0) -> float:
        """The `gain` with which generated audio has a root mean square of `level`, measured on `seconds` of it."""
        generated = float(np.sqrt(np.mean(self.generate(seconds, seed=seed) ** 2))) / self.gain
        return float(np.clip(level / generated, 0.5, 2.0)) if generated > 0 else 1.0

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
        entry = 1 if at_rate is None else self._scale_index(at_rate)
        if entry == 0:
            raise CawUsageError(f"the coarsest scale ({self.rates[0]} Hz) takes no input: choose from {self.rates[1:]}")
        coarse = self._at(self.rates[entry - 1], audio, sample_rate)
        seconds = audio.shape[1] / sample_rate
        return self._from_coarse(coarse, seconds, entry=entry, foreign=True, seed=seed, noise_gain=noise_gain)

    def revise(self, audio: np.ndarray, sample_rate: int, *, strength: float = 0.5, seed: int = 0) -> np.ndarray:
        """Variations of given audio: the coarsest scale leads it back towards noise and forth again.

        Args:
            audio: `(channels, samples)`.
            sample_rate: of `audio`, Hz.
            strength: from 0 (the audio's own structure) to 1 (new structure).
            seed: of the noise.

        Returns:
            `(channels, samples)` float32 at the model's sample rate, as long as `audio`.

        Raises:
            CawError: if the coarsest scale was not trained by flow matching.
            CawUsageError: if `strength` is not between 0 and 1.
        """
        _check_strength(strength)
        coarse, flow = self._at(self.rates[0], audio, sample_rate), self._flow()
        noise = NoiseSource(seed, self.channels, self.first_second).normal(0, self.rates[0], 0, coarse.shape[1])
        with torch.inference_mode():
            revised = flow.revise(coarse[None].to(self.device), noise[None].to(self.device), strength)[0]
        return self._from_coarse(revised.clone(), audio.shape[1] / sample_rate, seed=seed)

    def fill(
        self,
        audio: np.ndarray,
        sample_rate: int,
        gaps: Sequence[tuple[float, float]],
        *,
        strength: float = 1.0,
        seed: int = 0,
    ) -> np.ndarray:
        """Complete audio where it is missing.

        Args:
            audio: `(channels, samples)`, with a first guess in the gaps; anything, if `strength` is 1.
            sample_rate: of `audio`, Hz.
            gaps: start and stop of each missing stretch, in seconds.
            strength: from 0 (the guess's own structure in the gaps) to 1 (nothing of it).
            seed: of the noise.

        Returns:
            `(channels, samples)` float32 at the model's sample rate: the whole, as the model makes it around the gaps
            and within; the caller joins it with what is known.

        Raises:
            CawError: if the coarsest scale was not trained by flow matching.
            CawUsageError: if `strength` is not between 0 and 1.
        """
        _check_strength(strength)
        guess = audio if strength < 1 else _without(audio, sample_rate, gaps)
        coarse, flow = self._at(self.rates[0], guess, sample_rate), self._flow()
        rate = self.rates[0]
        known = torch.ones(coarse.shape[1], dtype=torch.bool)
        for start, stop in gaps:
            known[max(0, math.floor(start * rate) - EDGE_SAMPLES) : math.ceil(stop * rate) + EDGE_SAMPLES] = False
        noise = NoiseSource(seed, self.channels, self.first_second).normal(0, rate, 0, coarse.shape[1])
        with torch.inference_mode():
            signal, held, drawn = (given.to(self.device) for given in (coarse[None], known, noise[None]))
            filled = flow.fill(signal, held, drawn, strength)[0]
        return self._from_coarse(filled.clone(), audio.shape[1] / sample_rate, seed=seed)

    def _at(self, rate: int, audio: np.ndarray, sample_rate: int) -> Tensor:
        """Audio at a rate and at the level of the scales, `(channels, samples)`."""
        if audio.ndim != 2 or audio.shape[0] != self.channels:
            raise CawError(f"the model has {self.channels} channel(s), the audio has shape {audio.shape}")
        return torch.from_numpy(resample(audio / self.peak, sample_rate, rate))

    def _from_coarse(
        self,
        coarse: Tensor,
        seconds: float,
        *,
        seed: int,
        entry: int = 1,
        foreign: bool = False,
        noise_gain: float = 1.0,
    ) -> np.ndarray:
        """Everything from scale `entry` on, given the signal of the scale below it (`foreign`: not of its making)."""
        noise = NoiseSource(seed, self.channels, self.first_second)
        luck = {n: FOLLOWING_LUCK for n, made in enumerate(self._generators) if isinstance(made, ExemplarGenerator)}
        span = Span(
            self,
            noise,
            last=len(self.scales) - 1,
            entry=entry,
            injected=coarse,
            foreign=foreign,
            noise_gains={**luck, entry: noise_gain * luck.get(entry, 1.0)},
        )
        return np.concatenate(list(blocks(span, seconds, keep_edges=True)), axis=1)

    def _flow(self) -> FlowGenerator:
        generator = self.generator(0)
        if not isinstance(generator, FlowGenerator):
            raise CawError(
                "this needs a model whose coarsest scale was trained by flow matching: caw train --preset fast"
            )
        return generator

    def reconstruct(self, *, up_to_rate: int | None = None) -> np.ndarray:
        """The training recording as the model makes it from its reconstruction noise (paper, equation 4).

        Raises:
            CawError: if the model holds no reconstruction noise.
        """
        if self.reconstruction_noise is None:
            raise CawError("this model was trained without a reconstruction path")
        last = self._scale_index(up_to_rate) if up_to_rate else len(self.scales) - 1
        span = Span(self, FixedNoise(self.reconstruction_noise), last=last)
        seconds = self.reconstruction_noise.shape[1] / self.rates[0]
        return span.make(0, seconds).cpu().numpy() * self.peak

    def recording(self) -> np.ndarray | None:
        """The training recording, `(channels, samples)` float32 at `sample_rate`, if the finest scale remembers it."""
        remembered = self.scales[-1].generator.recording()
        return None if remembered is None else remembered.cpu().numpy() * self.peak

    def coarse_input(self, rate: int, start: int, stop: int, seed: int | None) -> Tensor:
        """The coarser signal that a scale above this pyramid receives, `(channels, stop - start)`, for training it.

        Args:
            rate: of the scale, Hz.
            start: first sample, at the scale's rate, on the time line of the noise (or of the reconstruction).
            stop: one past the last sample.
            seed: of the noise; None for the reconstruction.
        """
        if seed is None:
            if self.reconstruction_noise is None:
                raise CawError("this model was trained without a reconstruction path")
            source: NoiseSource | FixedNoise = FixedNoise(self.reconstruction_noise)
        else:
            source = NoiseSource(seed, self.channels)
        return Span(self, source, last=len(self.scales) - 1).upsampled(rate, start, stop)

    def _scale_index(self, rate: int) -> int:
        if rate not in self.rates:
            raise CawUsageError(
                f"the model has no scale of {rate} Hz: its scales are {', '.join(map(str, self.rates))}"
            )
        return self.rates.index(rate)

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
            "gain": float(self.gain),
            "upsampling": self.upsampling,
            "capabilities": list(self.capabilities),
            "scales": scales,
            "reconstruction_noise": self.reconstruction_noise,
            "own_noise": float(self.own_noise),
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
                gain=content["gain"],
                upsampling=content["upsampling"],
                reconstruction_noise=content["reconstruction_noise"],
                own_noise=content.get("own_noise", 0.0),
                training=content["training"],
            )
        except (KeyError, TypeError, RuntimeError) as error:
            raise CawError(f"{source}: the model file is incomplete or inconsistent ({error})") from error


def _check_strength(strength: float) -> None:
    if not 0 <= strength <= 1:
        raise CawUsageError(f"strength must be from 0 to 1, not {strength}")


def _without(audio: np.ndarray, sample_rate: int, gaps: Sequence[tuple[float, float]]) -> np.ndarray:
    """Audio with straight lines across its gaps, so that resampling blurs as little as possible beside them."""
    bridged = np.array(audio)
    for start, stop in gaps:
        first, last = max(0, round(start * sample_rate)), min(audio.shape[1], round(stop * sample_rate))
        left = audio[:, first - 1] if first else np.zeros(len(audio), audio.dtype)
        right = audio[:, last] if last < audio.shape[1] else np.zeros(len(audio), audio.dtype)
        bridged[:, first:last] = np.linspace(left, right, last - first, axis=1)
    return bridged
