"""Many files in one run: one that fails does not cost the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from caw_toolkit.errors import CawError, one_line

__all__ = ["Batch"]


class Batch:
    """Files that are worked on one after the other.

    Args:
        count: of files. The error of a single one is raised as it is.

    Example:
        >>> batch = Batch(2)
        >>> with batch.file(Path("a.wav")):
        ...     pass
        >>> with batch.file(Path("broken.wav")):
        ...     raise CawError("broken.wav is empty")
        >>> batch.finish()
        Traceback (most recent call last):
        caw_toolkit.errors.CawError: 1 of 2 files failed: broken.wav

    .. versionadded:: 0.1
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._failed: list[str] = []

    @contextmanager
    def file(self, path: Path) -> Iterator[None]:
        """Work on a file: an error is shown, and the next file comes.

        Args:
            path: of the file.
        """
        try:
            yield
        except CawError as error:
            if self._count == 1:
                raise
            self._failed.append(str(path))
            message = str(error) if str(path) in str(error) else f"{path}: {error}"
            click.echo(f"caw: error: {one_line(message)}", err=True)

    def finish(self) -> None:
        """Say at the end which files failed.

        Raises:
            CawError: some did.
        """
        if self._failed:
            raise CawError(f"{len(self._failed)} of {self._count} files failed: {', '.join(self._failed)}")
