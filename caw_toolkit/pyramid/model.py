"""The trained pyramid: generate, stream, inject, revise, fill, reconstruct, save and load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from caw_toolkit.allocator import return_freed_memory
from caw_toolkit.arrays import Array
from caw_toolkit.devices import pick_device
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.pyramid import model_file, notebook
from caw_toolkit.pyramid.archive import reason_of_system
from caw_toolkit.pyramid.coherence import Coherence
from caw_toolkit.pyramid.editing import Editor
from caw_toolkit.pyramid.editing_methods import EditingMethods
from caw_toolkit.pyramid.findings import Findings
from caw_toolkit.pyramid.generation_methods import GenerationMethods
from caw_toolkit.pyramid.material import Material
from caw_toolkit.pyramid.maturity import warn_if_rough
from caw_toolkit.pyramid.noise import Noise, NoiseSource, ReconstructionNoise
from caw_toolkit.pyramid.pauses import in_samples
from caw_toolkit.pyramid.pulse import Pulse
from caw_toolkit.pyramid.renderer import Renderer
from caw_toolkit.pyramid.scale import Scale, scale_index
from caw_toolkit.pyramid.takes import coherent_take, makes_grains, texture_take, usual_take
from caw_toolkit.seeds import derived_seed


@dataclass(eq=False, repr=False)
class PyramidModel(GenerationMethods, EditingMethods):
    """A pyramid of generators trained on one recording (paper, section 3, equation 2).

    What is behind its methods: `renderer` runs the scales for `generation_methods`, `takes` is how for a take,
    `editing` changes given audio (`editing_methods` says how), `noise` is what they start from, `findings` what takes
    keep to, `model_file` the format of files, `notebook` how a notebook shows a model.

    Attributes:
        scales: coarsest first.
        channels: 1 or 2.
        peak: peak of the training recording; everything generated is at its level.
        gain: correction of the level of what is generated from noise.
        upsampling: name of the interpolation between scales (`upsampling.UPSAMPLERS`).
        reconstruction_noise: noise `(channels, samples)` of the coarsest scale that is mapped to the recording.
        inverted_noise: share of that noise in what audio is generated from, 0 to 1 (`noise.RearrangedNoise`).
        findings: what is found in the recording, and is heard in takes.
        training: how it was trained: preset, options, seed, losses, time, source files.
        file: that it was read from; None for a new one.

    Example:
        >>> import torch
        >>> from caw_toolkit.generators.dilated import DilatedGenerator
        >>> _ = torch.manual_seed(0)
        >>> untrained = Scale(500, DilatedGenerator(hidden_channels=4, blocks=3).eval(), noise_std=1.0)
        >>> model = PyramidModel([untrained], channels=1, peak=0.5, upsampling="keys")
        >>> model.generate(seconds=2, seed=1).shape
        (1, 1000)
        >>> model
        <PyramidModel 500 Hz, mono>
    """

    scales: Sequence[Scale]
    channels: int
    peak: float
    upsampling: str
    gain: float = 1.0
    reconstruction_noise: Tensor | None = None
    inverted_noise: float = 0.0
    findings: Findings = field(default_factory=Findings)
    training: Mapping[str, Any] = field(default_factory=dict)
    file: str | None = None

    def __post_init__(self) -> None:
        self._ready = [scale.folded() for scale in self.scales]

    def __repr__(self) -> str:
        return f"<PyramidModel {self._describe()}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the model in a line, and the recording it holds. `preview` plays a take."""
        return notebook.model_html(self._describe(), self.recording(), self.sample_rate)

    def _describe(self) -> str:
        return notebook.describe(self.rates, self.channels, self.training, file=self.file)

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
        """What this model can do, as names of methods: `generate`, `inject`, `reconstruct`, `revise` and so on."""
        has_finer_scales = len(self.scales) > 1
        can_edit = self.scales[0].generator.can_edit and has_finer_scales
        able = {"generate": True, "inject": has_finer_scales, "reconstruct": self.reconstruction_noise is not None}
        holds_material = any(scale.generator.recording() is not None for scale in self.scales[1:])
        able |= {"revise": can_edit, "recompose": has_finer_scales and holds_material, "fill": can_edit}
        return tuple(name for name, can in able.items() if can)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.scales[0].generator.device

    def to(self, device: str | torch.device) -> PyramidModel:
        """Move to a device, in place.

        Args:
            device: as torch names it.

        Returns:
            The same model.

        Raises:
            RuntimeError: if torch knows no such device, or this machine has none.
        """
        for scale in (*self._ready, *self.scales):
            scale.generator.to(device)
        return self

    # ------------------------------------------------------------------ rendering

    def reconstruct(self, *, up_to_rate: int | None = None) -> Array:
        """The training recording as the model makes it from its reconstruction noise (paper, equation 4).

        Args:
            up_to_rate: stop at this scale; default: the finest.

        Returns:
            `(channels, samples)` float32 at `up_to_rate` or the model's sample rate.

        Raises:
            CawError: if the model holds no reconstruction noise, or torchaudio, which `sinc` upsampling needs, does not
                load.
            CawUsageError: if there is no scale of `up_to_rate`.
        """
        noise = self.reconstruction()
        seconds = noise.coarsest.shape[1] / self.rates[0]
        return _with_gain(self.renderer(noise, up_to_rate).render(0, seconds), self.peak)

    def recording(self) -> Array | None:
        """The training recording, `(channels, samples)` float32 at `sample_rate`, if the finest scale holds it."""
        held = self.scales[-1].generator.recording()
        return None if held is None else _with_gain(held, self.peak)

    @property
    def _editor(self) -> Editor:
        return Editor(self._ready, self.upsampling, self.channels, self.peak)

    def renderer(self, noise: Noise, up_to_rate: int | None = None, *, pulse: Pulse | None = None) -> Renderer:
        """What renders the scales up to one, by default all of them, from noise.

        Args:
            noise: what it starts from.
            up_to_rate: of the last scale, Hz; default: the finest.
            pulse: that is kept to.

        Returns:
            A renderer of signals at the level of the scales, without `peak` and `gain`.

        Raises:
            CawUsageError: if there is no scale of `up_to_rate`.
        """
        last = len(self.scales) - 1 if up_to_rate is None else scale_index(self.scales, up_to_rate)
        return Renderer(self._ready[: last + 1], self.upsampling, noise, pulse=pulse)

    def _take(
        self, seed: int, *, keep_beat: bool, coherence: float | None = None, up_to_rate: int | None = None
    ) -> Renderer:
        pulse = self.findings.pulse if keep_beat else None
        fresh = self.renderer(NoiseSource(seed, self.channels), up_to_rate, pulse=pulse)
        pauses = in_samples(self.findings.pauses, self.rates[0])
        if coherence is not None:
            chosen = Coherence(coherence)
            if self._noise_of_recording is None:
                raise CawUsageError(
                    "how coherent takes of this model are was settled by its training (its receptive field is "
                    f"{self.receptive_field_seconds:.1f} s): coherence is chosen for models of the fast preset only"
                )
            return coherent_take(fresh, self._noise_of_recording, seed=seed, coherence=chosen, pauses=pauses)
        if self.findings.is_texture and makes_grains(fresh):
            return texture_take(fresh, seed=seed)
        # Noise that is too weak makes pauses longer and more than they should be.
        inverted = self._noise_of_recording if pauses else None
        inverted = self.reconstruction_noise if inverted is None else inverted
        return usual_take(fresh, inverted, seed=seed, share=self.inverted_noise, pauses=pauses)

    @cached_property
    def _noise_of_recording(self) -> Tensor | None:
        """Noise that the coarsest scale maps to about the recording, as strong as noise is; None if it knows none."""
        recording, coarsest = self.recording(), self.scales[0].generator
        if recording is None or not coarsest.can_renoise:
            return None
        signal = torch.from_numpy(resample(recording / self.peak, self.sample_rate, self.rates[0]))
        random = torch.Generator().manual_seed(derived_seed(0, "noise of the recording", bits=63))
        noise = torch.randn(signal.shape, generator=random)
        with torch.inference_mode():
            return coarsest.renoise(signal[None].to(self.device), noise[None].to(self.device))[0].cpu().clone()

    def reconstruction(self) -> ReconstructionNoise:
        """The noise that the model maps to its training recording.

        Raises:
            CawError: if it was trained without.
        """
        if self.reconstruction_noise is None:
            raise CawError("this model was trained without a reconstruction path")
        return ReconstructionNoise(self.reconstruction_noise)

    # ------------------------------------------------------------------ files

    def save(self, path: str | Path) -> None:
        """Write the model file (`docs/model-file.md`); an existing file stays whole until the new one is complete.

        Args:
            path: where to write.

        Raises:
            CawError: if the file cannot be written.
        """
        model_file.save(path, self.content())

    def content(self) -> dict[str, Any]:
        """The model as plain types and CPU tensors, as `docs/model-file.md` specifies them."""
        return {
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "peak": float(self.peak),
            "gain": float(self.gain),
            "upsampling": self.upsampling,
            "capabilities": list(self.capabilities),
            "scales": [scale.content() for scale in self.scales],
            "reconstruction_noise": self.reconstruction_noise,
            "inverted_noise": float(self.inverted_noise),
            **self.findings.content(),
            "training": dict(self.training),
        }

    @classmethod
    def load(cls, path: str | Path, device: str = "auto") -> PyramidModel:
        """Read a model file.

        Args:
            path: of the file.
            device: `auto`, `cpu`, `cuda` or `mps`.

        Returns:
            The model, on that device.

        Raises:
            CawError: if it is not a model, is damaged, is from a newer version of the format, or needs a plugin.
            CawUsageError: if the file or the device does not exist.
        """
        target = pick_device(device)
        model = cls.from_content(model_file.load(path), source=str(path)).to(target)
        model.file = str(path)
        return_freed_memory()
        warn_if_rough(model.training, str(path))
        return model

    @classmethod
    def from_content(cls, content: Mapping[str, Any], *, source: str = "model") -> PyramidModel:
        """The inverse of `content`. Whether `upsampling` is known shows when it is first used.

        Args:
            content: as `content` returns it: plain types and CPU tensors.
            source: what messages call it.

        Returns:
            The model, on the CPU.

        Raises:
            CawError: if something is missing, weights do not fit their architecture, or a generator needs a plugin.
        """
        try:
            model = cls(
                scales=[Scale.from_content(entry) for entry in content["scales"]],
                channels=content["channels"],
                peak=content["peak"],
                gain=content["gain"],
                upsampling=content["upsampling"],
                reconstruction_noise=content["reconstruction_noise"],
                inverted_noise=content.get("inverted_noise", 0.0),
                training=content["training"],
            )
            model._read_findings(content)
            return model
        except CawError:
            raise
        except Exception as error:  # a plugin's generator may raise anything
            if reason := reason_of_system(error):
                raise CawError(f"cannot read {source}: {reason}; the file may well be whole") from error
            raise CawError(f"{source}: the model file is incomplete or inconsistent ({error})") from error

    def _read_findings(self, content: Mapping[str, Any]) -> None:
        """What is known of the recording: as the file says, or found, where an earlier version wrote it."""
        if {"pulse", "is_texture"} <= content.keys():
            self.findings = Findings.from_content(content)
        elif (recording := self.recording()) is not None:
            material = Material(content["training"].get("material", Material.MUSIC))
            found = Findings.of(recording, self.sample_rate, material)
            self.findings = Findings.from_content({**found.content(), **content}) if "pulse" in content else found
            # Grains have the recording's level; the gain was measured on other takes.
            self.gain = 1.0 if self.findings.is_texture else self.gain


def _with_gain(signal: Tensor, gain: float) -> Array:
    return np.asarray(signal.cpu().numpy() * np.float32(gain))
