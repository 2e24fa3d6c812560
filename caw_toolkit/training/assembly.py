"""A model from the scales that a training has got to."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from importlib.metadata import version

import torch

from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.pyramid.scale import Scale
from caw_toolkit.training.checkpoints import Checkpoint
from caw_toolkit.training.objectives.base import TrainedScale
from caw_toolkit.training.plan import Plan
from caw_toolkit.training.run_settings import RunSettings


def with_scale(
    below: PyramidModel | None,
    plan: Plan,
    index: int,
    trained: TrainedScale,
    trained_share: float,
    *,
    state: Checkpoint,
    settings: RunSettings,
) -> PyramidModel:
    """A model with one scale more.

    Args:
        below: with the coarser scales; None at the coarsest.
        plan: that is carried out.
        index: of the new scale.
        trained: the new scale.
        trained_share: of its planned training that is done.
        state: of the training.
        settings: of its sources and credits.
    """
    generator = trained.generator.eval().requires_grad_(False)
    shares = below.training.get("trained_shares", [1.0] * len(below.scales)) if below else []
    return PyramidModel(
        scales=(*(below.scales if below else ()), Scale(plan.rates[index], generator, trained.noise_std)),
        channels=plan.recording.channels,
        peak=plan.recording.peak,
        upsampling=plan.preset.upsampling,
        reconstruction_noise=below.reconstruction_noise if below else trained.reconstruction_noise,
        inverted_noise=plan.preset.generation.get("inverted_noise", 0.0),
        findings=plan.findings,
        training={
            "toolkit_version": version("caw-toolkit"),
            "torch_version": str(torch.__version__),
            "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "preset": plan.preset.name,
            "objective": plan.preset.objective,
            "material": plan.material.value,
            "seed": plan.seed,
            "minutes": plan.minutes,
            "seconds_spent": list(state.seconds),
            "trained_shares": [*shares, trained_share],
            "losses": list(state.losses),
            "recording_seconds": plan.recording.seconds,
            "sources": [dict(source) for source in settings.sources],
            **settings.credits,
        },
    )


def weights_digest(model: PyramidModel) -> str:
    """SHA-256 of all that was learnt."""
    digest = hashlib.sha256()
    for scale in model.scales:
        for name, tensor in sorted(scale.generator.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()
