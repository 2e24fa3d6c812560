"""The state of an unfinished training, beside the model file that it will become.

Torch is imported where it is used: whether there is a checkpoint is asked without it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caw_toolkit.atomic_write import write_atomically
from caw_toolkit.errors import CawError
from caw_toolkit.pyramid import archive
from caw_toolkit.pyramid.format_history import upgrade
from caw_toolkit.pyramid.model_schema import MOST_SCALES, check_model, check_values
from caw_toolkit.pyramid.plain_pickle import UnreadableError
from caw_toolkit.pyramid.schema import (
    SchemaError,
    list_of,
    number,
    optional,
    schema_errors,
    shown,
    string,
    table,
    whole,
)

__all__ = ["checkpoint_path"]

FORMAT = "caw_toolkit.checkpoint"
VERSION = 2

_ANEW = "train again with --force in place of --resume"

#: Those of the model are checked as a model file's, those of the trainer by the trainer.
_SCHEMA = table(
    {
        "fingerprint": string,
        "seed": whole(-(2**64), 2**64),
        "model": optional(table({})),
        "scale": whole(0, MOST_SCALES),
        "trainer": table({}),
        "steps": whole(0, 2**53),
        "seconds": list_of(number(0, 1e9), 0, MOST_SCALES),
        "losses": list_of(table({}, others=number(-1e300, 1e300)), 0, MOST_SCALES),
        "previous": table({}),
    },
    {"latest": table({}, others=number(-1e300, 1e300)), "settings": table({}, others=string)},
    others=None,
)


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
        latest: losses of the last step of the scale in training.
        previous: what the finished scale below left for warm starts.
        settings: the main ones behind the fingerprint, by name; none of earlier versions.
    """

    fingerprint: str
    seed: int
    model: dict[str, Any] | None = None
    scale: int = 0
    trainer: dict[str, Any] = field(default_factory=dict)
    steps: int = 0
    seconds: list[float] = field(default_factory=list)
    losses: list[dict[str, float]] = field(default_factory=list)
    latest: dict[str, float] = field(default_factory=dict)
    previous: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write atomically: a crash at any moment leaves the last whole checkpoint."""
        import torch

        buffer = io.BytesIO()
        torch.save({"format": FORMAT, "version": VERSION, **_shallow(self)}, buffer)
        write_atomically(path, buffer.getbuffer(), part_name=f".{path.resolve().name}.part")

    @classmethod
    def load(cls, path: Path, fingerprint: str, settings: Mapping[str, str] | None = None) -> Checkpoint:
        """Read a checkpoint of the same training.

        Args:
            path: of the checkpoint.
            fingerprint: of the training that is to go on.
            settings: of that training, for the message if they are others.

        Raises:
            CawError: if it is not a checkpoint, is damaged, belongs to another recording or other settings, or holds
                what a checkpoint does not.
        """
        content = _read(path)
        if content["fingerprint"] != fingerprint:
            raise CawError(
                f"{path} belongs to a training with {_differences(content.get('settings', {}), settings or {})}: "
                f"resume with the same options, or {_ANEW}"
            )
        return cls(**content)

    def require_scales(self, rates: Sequence[int], path: Path) -> None:
        """Refuse a state that is not of the scales of a plan.

        Args:
            rates: of the plan, Hz.
            path: of the checkpoint, for messages.

        Raises:
            CawError: if others are finished, or times and losses are not of those that are.
        """
        finished = [] if self.model is None else [scale["rate"] for scale in self.model["scales"]]
        with _named(path):
            if self.scale > len(rates) or finished != list(rates[: self.scale]):
                raise SchemaError(f"scale is {self.scale}, which does not fit the {len(finished)} scales of its model")
            if len(self.losses) != self.scale or not self.scale <= len(self.seconds) <= self.scale + 1:
                raise SchemaError(f"losses or seconds are not of {self.scale} finished scales")


def _differences(stored: Mapping[str, str], given: Mapping[str, str]) -> str:
    """What a stored training has that the one at hand has not, as far as it is known."""
    others = [
        "another recording" if name == "recording" else f"{name} {shown(stored[name])}, not {shown(given[name])}"
        for name in given.keys() & stored.keys()
        if stored[name] != given[name]
    ]
    return " and ".join(sorted(others)) or "another recording or other settings"


def stored_seed(path: Path) -> int:
    """The seed of the training that a checkpoint belongs to.

    Raises:
        CawError: if it is not a checkpoint or is damaged.
    """
    seed: int = _read(path)["seed"]
    return seed


def _read(path: Path) -> dict[str, Any]:
    import torch

    with archive.opened(path, "checkpoint") as stream:
        try:
            # Torch alone knows all that trainers of plugins may keep: what is not plain is left to it.
            archive.read_content(stream, lenient=True)
            archive.require_whole(stream)
            content: Any = torch.load(stream, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged file can fail in any way
            if archive.reason_of_system(error) is not None:
                raise
            reason = f" ({error})" if isinstance(error, UnreadableError) and str(error) else ""
            raise CawError(f"{path}: the checkpoint is damaged{reason}; {_ANEW}") from error
        known = isinstance(content, dict) and content.pop("format", None) == FORMAT
        version = content.pop("version", None) if known else None
        if type(version) is not int or version not in (1, VERSION):
            raise CawError(f"{path} is not a checkpoint of this version; {_ANEW}")
        fields: dict[str, Any] = dict(content)
        with _named(path):
            _SCHEMA(fields, "")
            if fields["model"] is not None:
                fields["model"] = upgrade(fields["model"], version)
                check_model(fields["model"], "model")
                check_values(fields["model"], "model")
        return fields


def _named(path: Path) -> AbstractContextManager[None]:
    """Name the file in what is said of its values."""
    return schema_errors(lambda reason: unusable(path, reason))


def unusable(path: Path, reason: str) -> CawError:
    """The error for a checkpoint that cannot be gone on from; it is left where it is."""
    return CawError(f"{path} is no usable checkpoint: {reason}; restore a copy of it, or {_ANEW}")


def checkpoint_path(model_path: Path) -> Path:
    """Where the state of an unfinished training is kept: beside the model that it will become.

    Args:
        model_path: file of the model.

    Example:
        >>> checkpoint_path(Path("clip.pt")).name
        'clip.pt.checkpoint'

    .. versionadded:: 0.2
    """
    return model_path.with_name(model_path.name + ".checkpoint")


def _shallow(checkpoint: Checkpoint) -> dict[str, Any]:
    return {name: getattr(checkpoint, name) for name in Checkpoint.__dataclass_fields__}
