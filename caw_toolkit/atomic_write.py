"""Writing a file completely or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from caw_toolkit.errors import CawError


def write_atomically(path: Path, data: bytes | memoryview) -> None:
    """Write a file under a temporary name beside its place, then move it there. Missing folders are made.

    Args:
        path: the file; if it is a link, the file that it names is replaced.
        data: all of it.

    Raises:
        CawError: if the disk is full, the folder is not writable, and so on; an old file is whole and nothing is left
            behind.
    """
    with atomic_file(path) as stream:
        stream.write(data)


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes its place when the block ends without an error; else as `write_atomically`."""
    path_written = path.resolve()  # a link keeps pointing to the file that it names
    partial = path_written.with_name(f".caw-{secrets.token_hex(4)}.part")
    try:
        path_written.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(partial, "x+b") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(partial, path_written)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None))
        raise CawError(f"cannot write {path}: {'the disk is full' if full else error.strerror or error}") from error
