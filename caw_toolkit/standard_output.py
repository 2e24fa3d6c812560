"""Standard output, kept for what a command was asked for: code of plugins may print, and audio or JSON must stay clean.

    with reserved_output():       # a command that writes audio to standard output
        with kept_clean():        # code of a plugin
            ...
        binary_output().write(wav)

What others print goes to standard error. Within `caw` that holds for the file descriptor as well, which extension
modules and child processes write to; a program that only imports the toolkit keeps its own.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO, cast

_STANDARD_OUTPUT, _STANDARD_ERROR = 1, 2

_ESCAPED = "backslashreplace"

_owned = False
_closed = False
_reserved: BinaryIO | None = None


@contextlib.contextmanager
def owned_standard_output() -> Iterator[None]:
    """Say that the process is `caw` within the block, and that its file descriptors may be moved.

    If it was started without standard output or error (`>&-`), what goes there is dropped: not into the next file that
    is opened, which would get the free descriptor. What standard error does not take, as on a full disk, is dropped,
    too: the work goes on. Names that are not UTF-8 are shown with escapes.
    """
    global _owned
    before, _owned = _owned, True
    for name, descriptor in (("stdout", _STANDARD_OUTPUT), ("stderr", _STANDARD_ERROR)):
        if getattr(sys, name) is None:
            setattr(sys, name, _nowhere(descriptor))
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors=_ESCAPED)
    stderr, sys.stderr = sys.stderr, cast(TextIO, _Lenient(sys.stderr))
    try:
        yield
    finally:
        _owned, sys.stderr = before, stderr


class _Lenient:
    """A stream that drops what cannot be written; the interpreter's own flush at exit succeeds then, too."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with self._dropping():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._dropping():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _dropping(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


def binary_output() -> BinaryIO:
    """Where bytes for standard output go, reserved or not.

    Raises:
        OSError: standard output is closed.
    """
    if _closed:
        raise OSError(errno.EBADF, "standard output is closed")
    return sys.stdout.buffer if _reserved is None else _reserved


def _nowhere(descriptor: int) -> TextIO:
    """A stream for what is dropped, on a descriptor that was closed."""
    global _closed
    opened = os.open(os.devnull, os.O_WRONLY)
    if opened != descriptor:
        os.dup2(opened, descriptor)
        os.close(opened)
    _closed = _closed or descriptor == _STANDARD_OUTPUT
    return os.fdopen(descriptor, "w", closefd=False)


@contextlib.contextmanager
def kept_clean() -> Iterator[None]:
    """Send to standard error what the block prints."""
    with _moved_descriptor(), contextlib.redirect_stdout(sys.stderr):
        yield


@contextlib.contextmanager
def reserved_output(*, for_text: bool = False) -> Iterator[None]:
    """Keep standard output for `binary_output` within the block; all that is printed goes to standard error.

    Args:
        for_text: keep it for what Python prints in this process as well, as a command that shows JSON does.
    """
    global _reserved
    if _reserved is not None:
        with contextlib.redirect_stdout(sys.stdout if for_text else sys.stderr):
            yield
        return
    with _moved_descriptor() as descriptor:
        stream = sys.stdout.buffer if descriptor is None else os.fdopen(descriptor, "wb", closefd=False)
        text = io.TextIOWrapper(stream, "utf-8", _ESCAPED, write_through=True) if for_text else None
        _reserved = stream
        try:
            with contextlib.redirect_stdout(text or sys.stderr):
                yield
            stream.flush()
        finally:
            _reserved = None
            if text is not None:
                text.detach()


@contextlib.contextmanager
def _moved_descriptor() -> Iterator[int | None]:
    """Let the descriptor of standard output lead to standard error; yields the one that leads where it led, if any."""
    if not _owned or not _leads_to_standard_output(sys.stdout):
        yield None
        return
    sys.stdout.flush()
    saved = os.dup(_STANDARD_OUTPUT)
    try:
        os.dup2(_STANDARD_ERROR, _STANDARD_OUTPUT)
        try:
            yield saved
        finally:
            os.dup2(saved, _STANDARD_OUTPUT)
    finally:
        os.close(saved)


def _leads_to_standard_output(stream: TextIO) -> bool:
    """Whether a stream writes to the descriptor of standard output, and there is one of standard error."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.fstat(_STANDARD_ERROR)
        return stream.fileno() == _STANDARD_OUTPUT
    return False
