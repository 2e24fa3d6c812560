"""The state of an unfinished training, beside the model file that it will become.

Torch is imported where it is used: whether there is a checkpoint is asked without it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caw_toolkit.atomic_write import write_atomically
from caw_toolkit.errors import CawError
from caw_toolkit.pyramid.format_history import upgrade

FORMAT = "caw_toolkit.checkpoint"
VERSION = 2


@dataclass
class Checkpoint:
    """Everything needed to go on.

    Attributes:
        fingerprint: of the recording and of every setting that decides the result.
        seed: of the training.
        model: content of a model file with the scales that are finished; None before the first is.
        scale: index of the scale in training.
        trainer: its trainer's state; empty before its first step.
        steps: steps of it that are done.
        seconds: time spent on each scale so far.
        losses: last losses of each finished scale.
        previous: what the finished scale below left for warm starts.
    """

    fingerprint: str
    seed: int
    model: dict[str, Any] | None = None
    scale: int = 0
    trainer: dict[str, Any] = field(default_factory=dict)
    steps: int = 0
    seconds: list[float] = field(default_factory=list)
    losses: list[dict[str, float]] = field(default_factory=list)
    previous: Mapping[str, Any] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write atomically: a crash at any moment leaves the last whole checkpoint."""
        import torch

        buffer = io.BytesIO()
        torch.save({"format": FORMAT, "version": VERSION, **_shallow(self)}, buffer)
        write_atomically(path, buffer.getbuffer())

    @classmethod
    def load(cls, path: Path, fingerprint: str) -> Checkpoint:
        """Read a checkpoint of the same training.

        Raises:
            CawError: if it is not a checkpoint, is damaged, or belongs to another recording or other settings.
        """
        content = _read(path)
        if content["fingerprint"] != fingerprint:
            raise CawError(
                f"{path} belongs to a training with another recording or other settings: resume with the same options, "
                "or train again without --resume"
            )
        return cls(**content)


def stored_seed(path: Path) -> int:
    """The seed of the training that a checkpoint belongs to.

    Raises:
        CawError: if it is not a checkpoint or is damaged.
    """
    seed: int = _read(path)["seed"]
    return seed


def _read(path: Path) -> dict[str, Any]:
    import torch

    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can fail in any way
        raise CawError(f"{path}: the checkpoint is damaged; train again without --resume") from error
    known = isinstance(content, dict) and content.pop("format", None) == FORMAT
    version = content.pop("version", None) if known else None
    if version not in (1, VERSION):
        raise CawError(f"{path} is not a checkpoint of this version; train again without --resume")
    if content.get("model") is not None:
        content["model"] = upgrade(content["model"], version)
    return dict(content)


def checkpoint_path(model_path: Path) -> Path:
    """Where the checkpoint of a model is kept."""
    return model_path.with_name(model_path.name + ".checkpoint")


def _shallow(checkpoint: Checkpoint) -> dict[str, Any]:
    return {name: getattr(checkpoint, name) for name in Checkpoint.__dataclass_fields__}
