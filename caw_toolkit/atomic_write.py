"""Writing a file completely or not at all, and never over one that should stay."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from caw_toolkit.errors import CawError

logger = logging.getLogger(__name__)

_PART_PREFIX, _PART_SUFFIX = ".caw-", ".part"
#: Parts that nobody has written to for so long belong to a process that was killed.
_ABANDONED_SECONDS = 3600.0


def write_atomically(
    path: Path, data: bytes | memoryview, *, replace: bool = True, part_name: str | None = None
) -> Path:
    """Write a file under a temporary name beside its place, then move it there. Missing folders are made.

    Args:
        path: the file; if it is a link, the file that it names is replaced.
        data: all of it.
        replace: whether it may take the place of another file, whose mode it then has.
        part_name: the temporary name; by default another one each time. One that is always the same is written over by
            the next process, if one is killed meanwhile.

    Returns:
        Where it is: if another file has come to be there meanwhile that is not to be replaced, beside it.

    Raises:
        CawError: if the disk is full, the folder is not writable, and so on; an old file is whole and nothing is left
            behind.
    """
    with atomic_file(path, replace=replace, part_name=part_name) as file:
        file.stream.write(data)
    return file.path


@dataclass
class AtomicFile:
    """A file that is being written.

    Attributes:
        stream: what is written to.
        path: where it is, once it is written.
    """

    stream: BinaryIO
    path: Path


@contextmanager
def atomic_file(path: Path, *, replace: bool = True, part_name: str | None = None) -> Iterator[AtomicFile]:
    """A file to write to, which takes its place when the block ends without an error; else as `write_atomically`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with atomic_file(Path(folder, "take.txt")) as file:
        ...         written = file.stream.write(b"la")
        ...     file.path.read_bytes()
        b'la'
    """
    place = _resolved(path)
    if place.exists() and not place.is_file():
        raise CawError(f"cannot write {path}: it is a device, a pipe or a folder, and would be lost")
    partial = place.with_name(part_name or f"{_PART_PREFIX}{secrets.token_hex(4)}{_PART_SUFFIX}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned_parts(place.parent)
        partial.unlink(missing_ok=True)
        try:
            with open(partial, "x+b") as stream:
                file = AtomicFile(stream, path)
                yield file
                stream.flush()
                _take_mode(stream, place)
                os.fsync(stream.fileno())
            if replace:
                os.replace(partial, place)
            else:
                file.path = _move_beside(partial, path, place)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None))
        raise CawError(f"cannot write {path}: {'the disk is full' if full else error.strerror or error}") from error


@contextmanager
def reserved_place(path: Path) -> Iterator[None]:
    """Keep other runs from writing a file within the block; for work of minutes, which two would do for nothing.

    Missing folders are made.

    Args:
        path: the file.

    Raises:
        CawError: another run has it, or the folder cannot be written to.
    """
    from filelock import FileLock, Timeout  # slow to import, and needed for trainings only

    place = _resolved(path)
    name = hashlib.sha256(os.fsencode(place.name)).hexdigest()[:16]
    lock = FileLock(place.with_name(f"{_PART_PREFIX}{name}.lock"), timeout=0)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise CawError(f"{path} is being written by another run: wait for it, or name another file") from None
    except OSError as error:
        raise CawError(f"cannot write {path}: {error.strerror or error}") from error
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _resolved(path: Path) -> Path:
    """Where a file is: a link keeps pointing to the one that it names."""
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:  # Python below 3.13 raises the second
        raise CawError(f"cannot write {path}: its links lead in a circle") from error


def _move_beside(partial: Path, path: Path, place: Path) -> Path:
    """Move a file to its place, or to the first free name like it; returns where it is."""
    for number in range(1000):
        free = place if number == 0 else place.with_name(f"{place.stem}.{number}{place.suffix}")
        try:
            _move_without_replacing(partial, free)
        except FileExistsError:
            continue
        if number == 0:
            return path
        moved = path.with_name(free.name)
        logger.warning("%s has come to be there meanwhile, and stays: this result is in %s", path, moved)
        return moved
    raise CawError(f"cannot write {path}: it exists")


def _move_without_replacing(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.close(os.open(target, os.O_CREAT | os.O_EXCL))
        os.replace(source, target)


def _take_mode(stream: BinaryIO, place: Path) -> None:
    """Give a file the mode of the one whose place it takes."""
    with suppress(FileNotFoundError):
        mode = stat.S_IMODE(place.stat().st_mode)
        if hasattr(os, "fchmod"):
            os.fchmod(stream.fileno(), mode)


def _remove_abandoned_parts(folder: Path) -> None:
    """Delete what killed processes have left in a folder."""
    for part in folder.glob(f"{_PART_PREFIX}*{_PART_SUFFIX}"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                part.unlink()
