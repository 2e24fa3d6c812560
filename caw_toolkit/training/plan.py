"""What is going to be trained: recording, preset and rates of the scales, checked before the first step."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caw_toolkit.audio.clip import AudioClip, require_trainable
from caw_toolkit.errors import CawError, CawUsageError, did_you_mean
from caw_toolkit.former_names import GENERATION, former, former_options
from caw_toolkit.pyramid.findings import Findings
from caw_toolkit.pyramid.material import Material, detect_material
from caw_toolkit.pyramid.rates import ScaleRules, check_rates, choose_rates
from caw_toolkit.pyramid.recording import LONGEST_SECONDS, SHORTEST_SECONDS, Recording, join
from caw_toolkit.pyramid.upsampling import require_upsampler
from caw_toolkit.training.objectives import build_objective
from caw_toolkit.training.objectives.base import Objective, ScaleSpec
from caw_toolkit.training.presets import Preset, load_preset

#: Highest rate in Hz that is trained at unless a higher one is asked for.
HIGHEST_RATE = 48000


@dataclass(frozen=True)
class Plan:
    """What is going to be trained; made by `make_plan`."""

    recording: Recording
    preset: Preset
    material: Material
    findings: Findings
    rates: tuple[int, ...]
    objective: Objective
    minutes: float | None
    seed: int

    def spec(self, index: int) -> ScaleSpec:
        coarser = self.rates[index - 1] if index else None
        return ScaleSpec(index, len(self.rates), self.rates[index], coarser, self.recording.channels)

    def shares(self) -> list[float]:
        """The share of a time budget that each scale gets; they sum to 1."""
        weights = [self.objective.time_weight(index) for index in range(len(self.rates))]
        others = sum(weights[1:])
        if "coarsest_share" in self.preset.training and others:
            first = self.preset.training["coarsest_share"]
            weights[0] = others * first / (1 - first)
        return [weight / sum(weights) for weight in weights]

    def fingerprint(self) -> str:
        """A digest of the recording and of every setting that decides the result."""
        preset = dataclasses.asdict(self.preset)
        # By the first names of options, so that checkpoints of earlier versions go on.
        preset["objective_options"] = former_options(self.preset.objective, preset["objective_options"])
        preset["generation"] = former(preset["generation"], GENERATION)
        settings = {
            "preset": preset,
            "material": self.material.value,
            "rates": self.rates,
            "minutes": self.minutes,
            "seed": self.seed,
            "segments": self.recording.segments,
        }
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
        digest.update(self.recording.samples.tobytes())
        return digest.hexdigest()

    def settings(self) -> dict[str, str]:
        """What decides the result, as users know it: for the message to whoever resumes with something else."""
        return {
            "recording": hashlib.sha256(self.recording.samples.tobytes()).hexdigest(),
            "preset": self.preset.name,
            "material": self.material.value,
            "scales": ",".join(map(str, self.rates)),
            "minutes": "unlimited" if self.minutes is None else f"{self.minutes:g}",
            "seed": str(self.seed),
        }


def make_plan(
    clips: AudioClip | Sequence[AudioClip],
    *,
    preset: str | Path | Preset = "fast",
    material: Material | str = "auto",
    minutes: float | None = None,
    sample_rate: int | None = None,
    rates: Sequence[int] | None = None,
    objective_options: Mapping[str, Any] | None = None,
    seed: int = 0,
    extra_presets: Mapping[str, Path] | None = None,
) -> Plan:
    """Check the recording and the settings, and lay out the pyramid.

    Args:
        clips: one recording, or several of the same source.
        preset: name of a preset, path of a TOML file, or a loaded preset.
        material: `speech`, `music`, `ambience`, or `auto` to detect it.
        minutes: time budget; default: the preset's, or as many steps as the preset says.
        sample_rate: of the finest scale, Hz; default: that of the first clip, 48 kHz at the most.
        rates: of the scales, Hz; default: chosen by the preset's rules.
        objective_options: changes to the objective's options.
        seed: of everything random.
        extra_presets: presets that plugins registered.

    Raises:
        CawError: if the recording cannot be trained on.
        CawUsageError: if a setting is wrong.

    Example:
        >>> import numpy as np
        >>> noise = np.random.default_rng(0).uniform(-1, 1, (1, 48000)).astype(np.float32)
        >>> make_plan(AudioClip(noise, 16000), material="speech", minutes=1).rates
        (1000, 4000, 8000, 16000)
    """
    clips = [clips] if isinstance(clips, AudioClip) else list(clips)
    _require_trainable(clips)
    if minutes is not None and not (math.isfinite(minutes) and minutes > 0):
        raise CawUsageError(f"minutes must be positive, not {minutes}")
    recording = _joined(clips, sample_rate)
    kind = _material(material, recording)
    chosen = preset if isinstance(preset, Preset) else load_preset(preset, material=kind, extra=extra_presets)
    layout = _layout(rates, chosen, recording, kind)
    chosen = dataclasses.replace(chosen, objective_options={**chosen.objective_options, **(objective_options or {})})
    objective = build_objective(chosen.objective, chosen.objective_options)
    for index, rate in enumerate(layout):
        objective.check_rate(index, rate)
    budget = minutes if minutes is not None else chosen.training.get("minutes")
    aligned = recording.align(layout)
    findings = Findings.of(aligned.samples, aligned.sample_rate, kind)
    plan = Plan(aligned, chosen, kind, findings, layout, objective, budget, seed)
    if not findings.is_texture or objective.untrained_generator(plan.spec(len(layout) - 1)).can_scatter:
        return plan
    return dataclasses.replace(plan, findings=dataclasses.replace(findings, is_texture=False))


def _joined(clips: Sequence[AudioClip], sample_rate: int | None) -> Recording:
    """All clips as one recording, at a rate in Hz or that of the first clip."""
    recording = join(clips, sample_rate or min(clips[0].sample_rate, HIGHEST_RATE))
    if recording.seconds > LONGEST_SECONDS:
        raise CawError(
            f"the recording is {recording.seconds / 60:.1f} minutes long, the limit is {LONGEST_SECONDS / 60:.0f}: "
            "choose a part with --start and --duration"
        )
    return recording


def _material(material: Material | str, recording: Recording) -> Material:
    """The material that was named, or that of the recording."""
    if material == "auto":
        return detect_material(recording.samples, recording.sample_rate)
    if material not in tuple(Material):
        raise CawUsageError(f"unknown material {material!r}: {did_you_mean(str(material), ['auto', *Material])}")
    return Material(material)


def _layout(rates: Sequence[int] | None, preset: Preset, recording: Recording, material: Material) -> tuple[int, ...]:
    """The rates of the scales in Hz: those that were named, or by the rules of the preset."""
    if rates:
        layout = check_rates(rates, recording.sample_rate)
    else:
        rules, is_speech = ScaleRules(**preset.scales), material is Material.SPEECH
        layout = choose_rates(recording.samples, recording.sample_rate, rules, is_speech=is_speech)
    if len(layout) > 1:
        require_upsampler(preset.upsampling)
    return layout


def _require_trainable(clips: Sequence[AudioClip]) -> None:
    seconds = sum(clip.seconds for clip in clips)
    if seconds < SHORTEST_SECONDS:
        what = "the recording is" if len(clips) == 1 else "the clips together are"
        raise CawError(f"{what} {seconds:.3f} s long: at least {SHORTEST_SECONDS:g} s are needed")
    for number, clip in enumerate(clips, start=1):
        try:
            require_trainable(clip)
        except CawError as error:
            raise error if len(clips) == 1 else CawError(f"clip {number} of {len(clips)}: {error}") from None
