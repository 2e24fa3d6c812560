"""Where the bytes of audio come from: files, pipes, standard input."""

from __future__ import annotations

import io
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO, cast

from caw_toolkit.errors import CawError, CawUsageError


def open_source(source: str | Path, name: str) -> BinaryIO:
    """A seekable stream of the source's bytes. Pipes are read to their end first.

    Raises:
        CawUsageError: there is no such file, or it is none.
        CawError: a pipe could not be kept.
        OSError: the file cannot be opened.
    """
    if str(source) == "-":
        if sys.stdin.isatty():
            raise CawUsageError("standard input is a terminal: give a file, or pipe audio in")
        return _spooled(sys.stdin.buffer, name)
    try:
        stream = io.BufferedReader(io.FileIO(source))
    except FileNotFoundError:
        raise CawUsageError(f"{name} does not exist") from None
    except IsADirectoryError:
        raise CawUsageError(f"{name} is a directory: give an audio file") from None
    kind = os.fstat(stream.fileno()).st_mode
    if stat.S_ISCHR(kind) or stat.S_ISBLK(kind):
        stream.close()
        raise CawUsageError(f"{name} is a device: give an audio file, or - for standard input")
    if stream.seekable():
        return stream
    with stream:
        return _spooled(stream, name)


def _spooled(pipe: BinaryIO, name: str) -> BinaryIO:
    """All that comes out of a pipe, in a file without a name: memory does not grow with it."""
    spool = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
    try:
        shutil.copyfileobj(pipe, spool)
    except OSError as error:
        spool.close()
        raise CawError(f"cannot keep {name}: no room in {tempfile.gettempdir()} ({error.strerror})") from error
    return spool
