"""Texts and pictures that commands write beside audio: checked before the work, written completely or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from caw_toolkit.cli.lines import say
from caw_toolkit.errors import CawUsageError

__all__ = ["expect_text", "write_bytes", "write_text"]


def expect_text(target: Path, *, others: Iterable[Path | None], force: bool) -> None:
    """Check now what would fail after the work.

    Args:
        target: the file.
        others: all other files that the command reads or writes; None stands for nothing.
        force: whether it may be replaced if it exists.

    Raises:
        CawUsageError: it exists, or is one of the others, or is no place for a file.

    Example:
        >>> expect_text(Path("labels.txt"), others=[Path("labels.txt"), None], force=True)
        Traceback (most recent call last):
        caw_toolkit.errors.CawUsageError: labels.txt is read here, and would be destroyed: name another file to write

    .. versionadded:: 0.2
    """
    from caw_toolkit.audio.outputs import refuse_collisions, refuse_odd_place

    refuse_odd_place(target)
    refuse_collisions([target], [path for path in others if path is not None])
    if target.exists() and not force:
        raise CawUsageError(f"{target} exists; add --force to replace it")


def write_text(target: Path, text: str, *, force: bool, quiet: bool) -> None:
    """Write a text file, and say so.

    Args:
        target: the file.
        text: all of it.
        force: whether it may be replaced if it exists.
        quiet: say nothing.

    Raises:
        CawError: it could not be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "labels.txt")
        ...     write_text(path, "0.5 1.5 gap", force=False, quiet=True)
        ...     path.read_text(encoding="utf-8")
        '0.5 1.5 gap'

    .. versionadded:: 0.2
    """
    write_bytes(target, text.encode(), force=force, quiet=quiet)


def write_bytes(target: Path, data: bytes, *, force: bool, quiet: bool) -> None:
    """Write a file, say a picture, and say so.

    Args:
        target: the file, checked with `expect_text`.
        data: all of it.
        force: whether it may be replaced if it exists.
        quiet: say nothing.

    Raises:
        CawError: it could not be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "picture.png")
        ...     write_bytes(path, bytes(4), force=False, quiet=True)
        ...     path.stat().st_size
        4

    .. versionadded:: 0.2
    """
    from caw_toolkit.atomic_write import write_atomically

    written = write_atomically(target, data, replace=force)
    if not quiet:
        say(f"wrote {written}")
