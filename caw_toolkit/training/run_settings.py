"""How a plan is carried out, and what is called meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from caw_toolkit.hookspecs import ScaleTrained
    from caw_toolkit.pyramid.model import PyramidModel
    from caw_toolkit.training.schedule import Progress


@dataclass(frozen=True)
class RunSettings:
    """How a plan is carried out.

    Attributes:
        device: `auto`, `cpu`, `cuda` or `mps`.
        checkpoint: file to keep the state in, to be removed by the caller when the model is saved; None keeps none.
        resume: go on from `checkpoint` if it exists.
        start: a finished model of the same source, whose weights are gone on from where they fit.
        sources: what the recording was read from, kept in the model.
        credits: `license` and `author` of the model, where they are known; kept in it.
        spent_seconds: of the plan's time budget, before the training.

    Example:
        >>> RunSettings(device="cpu").resume
        False
    """

    device: str = "auto"
    checkpoint: Path | None = None
    resume: bool = False
    start: PyramidModel | None = None
    sources: Sequence[Mapping[str, Any]] = ()
    credits: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    spent_seconds: float = 0.0


def _ignore(_event: object) -> None:
    """What is called by default."""


@dataclass(frozen=True)
class RunEvents:
    """What is called while a plan is carried out.

    Attributes:
        on_progress: after every step, and when another stage begins.
        on_scale_trained: when a scale is finished.
        on_preview: now and then, and when the training is stopped, with the model as it stands (`previews`): the scales
            above the one in training are there if they can be used untrained. None: there are no previews.

    Example:
        >>> stages = []
        >>> events = RunEvents(on_progress=lambda progress: stages.append(progress.stage))
    """

    on_progress: Callable[[Progress], None] = _ignore
    on_scale_trained: Callable[[ScaleTrained], None] = _ignore
    on_preview: Callable[[PyramidModel], None] | None = None
