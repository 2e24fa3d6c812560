"""The model file: one `.pt` holding a dict of plain types and tensors (specified in `docs/model-file.md`).

Nothing in it is ever executed: tensors are read by `torch.load(weights_only=True)`, and `read_header` reads everything
else with an unpickler that knows no function at all, without importing torch.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from caw_toolkit.atomic_write import write_atomically
from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.pyramid.format_history import upgrade

FORMAT = "caw_toolkit.pyramid"
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
        CawError: if the file is missing, is not a model, is damaged, or is from a newer version of the format.
    """
    import torch

    read_header(path)
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can fail in any way
        raise CawError(f"{path}: the model file is damaged or truncated; make it anew or restore a copy") from error
    return upgrade(content, content["version"])


def read_header(path: str | Path) -> dict[str, Any]:
    """Read everything but the tensors, which are replaced by `TensorInfo`; does not import torch.

    Raises:
        CawError: as `load`.
    """
    path = Path(path)
    if not path.exists():
        raise CawUsageError(f"{path}: no such model file")
    if path.is_dir():
        raise CawUsageError(f"{path} is a folder, not a model file")
    try:
        with zipfile.ZipFile(path) as archive:
            name = next((n for n in archive.namelist() if n.endswith("data.pkl")), None)
            if name is None:
                raise CawError(f"{path} is not a caw_toolkit model")
            content = _HeaderUnpickler(io.BytesIO(archive.read(name))).load()
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise CawError(f"{path} is not a caw_toolkit model, or it is truncated") from error
    except pickle.UnpicklingError as error:
        raise CawError(f"{path} is not a caw_toolkit model: {error}; nothing in it was executed") from error
    except CawError:
        raise
    except Exception as error:  # a damaged pickle can fail in any way
        raise CawError(f"{path} is not a caw_toolkit model, or it is damaged") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CawError(f"{path} is not a caw_toolkit model (make one with: caw train CLIP -o MODEL.pt)")
    version = content.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise CawError(
            f"{path} has model format {version}, this caw_toolkit reads up to {VERSION}: upgrade it with "
            "pip install --upgrade caw-toolkit"
        )
    missing = [key for key in REQUIRED_KEYS if key not in content]
    if missing:
        raise CawError(f"{path} is not a whole caw_toolkit model: it lacks {', '.join(missing)}")
    return upgrade(content, version)


class TensorInfo:
    """Stands for a tensor in a header: its shape and element count."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    @property
    def elements(self) -> int:
        count = 1
        for size in self.shape:
            count *= size
        return count


def _rebuild_tensor(storage: Any, offset: int, size: tuple[int, ...], *_: Any) -> TensorInfo:
    return TensorInfo(tuple(size))


class _HeaderUnpickler(pickle.Unpickler):
    """Knows ordered dicts and tensors, and refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name.endswith("Storage"):
            return name
        known = {("collections", "OrderedDict"): OrderedDict, ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor}
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}")
        return known[module, name]

    def persistent_load(self, identifier: Any) -> Any:
        return identifier
