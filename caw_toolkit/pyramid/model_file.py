"""The model file: one `.pt` holding a dict of plain types and tensors (specified in `docs/model-file.md`).

Nothing in it is ever executed: everything but the tensors is read by an interpreter that calls nothing
(`plain_pickle`), and checked (`model_schema`), before `torch.load(weights_only=True)` reads the tensors.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

from caw_toolkit.atomic_write import write_atomically
from caw_toolkit.errors import CawError
from caw_toolkit.pyramid import archive
from caw_toolkit.pyramid.format_history import upgrade
from caw_toolkit.pyramid.model_schema import check_model, check_values
from caw_toolkit.pyramid.plain_pickle import TensorInfo, UnreadableError
from caw_toolkit.pyramid.schema import schema_errors, shown

__all__ = ["FORMAT", "VERSION", "TensorInfo", "load", "read_header", "save"]

FORMAT = "caw_toolkit.pyramid"
#: That of checkpoints, which stand beside models and are taken for them.
_UNFINISHED = "caw_toolkit.checkpoint"
VERSION = 2

#: What every model file has.
REQUIRED_KEYS = ("sample_rate", "channels", "peak", "gain", "upsampling", "capabilities", "scales", "training")


def save(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a model file; an existing file stays whole until the new one is complete.

    Args:
        path: where to write.
        content: plain types and CPU tensors; format and version are added.

    Raises:
        CawError: if the file cannot be written.
    """
    import torch

    buffer = io.BytesIO()
    torch.save({"format": FORMAT, "version": VERSION, **content}, buffer)
    write_atomically(Path(path), buffer.getbuffer())


def load(path: str | Path) -> dict[str, Any]:
    """Read a model file with its tensors.

    Raises:
        CawError: if the file is missing, is not a model, is damaged, is from a newer version of the format, or holds
            something that a model does not.
    """
    import torch

    path = Path(path)
    with archive.opened(path, "model") as stream:
        _read_header(path, stream)
        try:
            archive.require_whole(stream)
            stored: dict[str, Any] = torch.load(stream, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged file can fail in any way
            if archive.reason_of_system(error) is not None:
                raise
            raise CawError(f"{path}: the model file is damaged or truncated; make it anew or restore a copy") from error
        content = upgrade(stored, stored["version"])
        with _named(path):
            check_values(content)
    return content


def read_header(path: str | Path) -> dict[str, Any]:
    """Read everything but the tensors, which are replaced by `TensorInfo`; does not import torch.

    Raises:
        CawError: as `load`.
    """
    path = Path(path)
    with archive.opened(path, "model") as stream:
        return _read_header(path, stream)


def _read_header(path: Path, stream: BinaryIO) -> dict[str, Any]:
    try:
        content = archive.read_content(stream)
    except UnreadableError as error:
        reason = f": {error}; nothing in it was executed" if str(error) else ", or it is truncated or damaged"
        raise CawError(f"{path} is not a caw_toolkit model{reason}") from error
    if isinstance(content, dict) and content.get("format") == _UNFINISHED:
        raise CawError(f"{path} is the state of an unfinished training, not a model: add --resume to its caw train")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CawError(f"{path} is not a caw_toolkit model (make one with: caw train CLIP -o MODEL.pt)")
    version = content.get("version")
    if type(version) is not int or not 1 <= version <= VERSION:
        given = version if isinstance(version, str) and version.isalnum() else shown(version)
        raise CawError(
            f"{path} has model format {given}, this caw_toolkit reads up to {VERSION}: upgrade it with "
            "pip install --upgrade caw-toolkit"
        )
    missing = [key for key in REQUIRED_KEYS if key not in content]
    if missing:
        raise CawError(f"{path} is not a whole caw_toolkit model: it lacks {', '.join(missing)}")
    with _named(path):
        header = upgrade(content, version)
        check_model(header)
    return header


def _named(path: Path) -> AbstractContextManager[None]:
    """Name the file in what is said of its values."""
    return schema_errors(lambda reason: CawError(f"{path} is no usable model: {reason}"))
