"""The zip archive that torch writes, and what is asked of it before torch reads it.

Torch stores and never compresses, so a file can hold no more than its own size: an archive that says otherwise is
refused. Reasons of the system (permissions, memory, descriptors) are told from damage.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from caw_toolkit.errors import CawError, CawUsageError, is_out_of_memory
from caw_toolkit.pyramid import plain_pickle
from caw_toolkit.pyramid.plain_pickle import TensorInfo, UnreadableError

#: Limits (docs/model-file.md), bytes: of what `data.pkl` holds, and of the archive's list of parts.
MOST_PICKLE = 2**24
MOST_DIRECTORY = 2**23
#: Tensors may share elements, but all together have no more than so many times what the archive holds.
MOST_SHARING = 4

_LOCAL_HEADER = b"PK\x03\x04"
_END, _END_SIZE = b"PK\x05\x06", 22
_END64, _END64_SIZE = b"PK\x06\x06", 56
_LOCATOR64_SIZE = 20


@dataclass(frozen=True)
class Archive:
    """What an archive holds.

    Attributes:
        pickle: bytes of `data.pkl`.
        sizes: bytes of each storage, by its key.
    """

    pickle: bytes
    sizes: dict[str, int]


@contextmanager
def opened(path: Path, what: str) -> Iterator[BinaryIO]:
    """A regular file, open for reading; what the system denies meanwhile is an error of ours that says so.

    Args:
        path: of the file.
        what: it should be, for messages.

    Raises:
        CawUsageError: if there is none.
        CawError: if it cannot be read.
    """
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise CawUsageError(f"{path} is a folder, not a {what} file")
        if not stat.S_ISREG(mode):
            raise CawUsageError(f"{path} is a device or a pipe, not a {what} file")
        with open(path, "rb") as stream:
            yield stream
    except CawError:
        raise
    except FileNotFoundError:
        raise CawUsageError(f"{path}: no such {what} file") from None
    except Exception as error:
        reason = reason_of_system(error)
        if reason is None:
            raise
        raise CawError(f"cannot read {path}: {reason}; the file may well be whole") from error


def reason_of_system(error: BaseException) -> str | None:
    """What the system lacks or forbids, if that is why something failed; None where the file itself is at fault."""
    if is_out_of_memory(error):
        return "out of memory"
    # A nonsensical place in a damaged file is an invalid argument.
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        return (error.strerror or str(error)).lower()
    return None


def read(stream: BinaryIO) -> Archive:
    """Look through an archive and read its pickle.

    Raises:
        UnreadableError: if it is not as torch writes it, or exceeds a limit.
        OSError, MemoryError: what the system is the reason of.
    """
    try:
        return _read(stream)
    except UnreadableError:
        raise
    except Exception as error:  # a damaged archive can fail in any way
        if reason_of_system(error) is not None:
            raise
        raise UnreadableError from error


def _read(stream: BinaryIO) -> Archive:
    total = _limit_directory(stream)
    with zipfile.ZipFile(stream) as archive:
        parts = archive.infolist()
        names = {part.filename for part in parts}
        name = next((name for name in names if name.count("/") == 1 and name.endswith("/data.pkl")), None)
        if name is None or len(names) < len(parts):
            raise UnreadableError
        folder = name.removesuffix("data.pkl")
        for part in parts:
            if part.compress_type != zipfile.ZIP_STORED or part.flag_bits & 1:
                raise UnreadableError("its parts are compressed, which those of a model never are")
            if part.file_size != part.compress_size or not part.filename.startswith(folder):
                raise UnreadableError("its list of parts is wrong")
        if sum(part.file_size for part in parts) > total:
            raise UnreadableError("its parts are said to be larger than it is")
        if archive.getinfo(name).file_size > MOST_PICKLE:
            raise UnreadableError(f"its data.pkl has more than {MOST_PICKLE >> 20} MB")
        data = f"{folder}data/"
        sizes = {part.filename.removeprefix(data): part.file_size for part in parts if part.filename.startswith(data)}
        return Archive(archive.read(name), sizes)


def _limit_directory(stream: BinaryIO) -> int:
    """Refuse what is no archive, and lists of parts that would take much memory; returns the file's size in bytes."""
    total = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if stream.read(4) != _LOCAL_HEADER:  # torch takes other files for bare pickles
        raise UnreadableError
    stream.seek(-min(total, _END_SIZE + _LOCATOR64_SIZE + _END64_SIZE), os.SEEK_END)
    tail = stream.read()
    if tail[-_END_SIZE:][:4] != _END:
        raise UnreadableError
    (size,) = struct.unpack("<L", tail[-_END_SIZE:][12:16])
    if tail.startswith(_END64):
        size = max(size if size < 2**32 - 1 else 0, struct.unpack("<Q", tail[40:48])[0])
    if size > MOST_DIRECTORY:
        raise UnreadableError(f"its list of parts has more than {MOST_DIRECTORY >> 20} MB")
    stream.seek(0)
    return total


def read_content(stream: BinaryIO, *, lenient: bool = False) -> Any:
    """What an archive's pickle holds (`plain_pickle.read`), its tensors compared with what is there.

    A part that is missing is left for torch to complain of.

    Raises:
        UnreadableError: as `read`, and if tensors have other sizes than their parts of the archive.
        PlainPickleError: as `plain_pickle.read`.
    """
    archive = read(stream)
    content = plain_pickle.read(archive.pickle, lenient=lenient)
    storages, total = {}, 0
    for tensor in tensors_of(content):
        storage = tensor.storage
        if archive.sizes.get(storage.key, storage.size) != storage.size:
            raise UnreadableError(f"a tensor's part of it has {archive.sizes[storage.key]} bytes, not {storage.size}")
        storages[storage.key] = storage.size
        total += tensor.elements * storage.size // max(1, storage.elements)
    if total > MOST_SHARING * sum(storages.values()):
        raise UnreadableError("its tensors are larger than it is")
    return content


def require_whole(stream: BinaryIO) -> None:
    """Compare every part of an archive that `read` let pass with its checksum, and go back to its beginning.

    Raises:
        UnreadableError: if one has changed.
    """
    with zipfile.ZipFile(stream) as archive:
        changed = archive.testzip()
    if changed is not None:
        raise UnreadableError
    stream.seek(0)


def tensors_of(content: Any) -> Iterator[TensorInfo]:
    """Every tensor of a content of limited size."""
    if isinstance(content, TensorInfo):
        yield content
    elif isinstance(content, (dict, list, tuple)):
        for item in content.values() if isinstance(content, dict) else content:
            yield from tensors_of(item)
