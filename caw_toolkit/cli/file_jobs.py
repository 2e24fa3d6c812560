"""Many files in one run: one that fails does not cost the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit.cli.errors import explain
from caw_toolkit.errors import CawError, harmless_line, one_line, printable, was_interrupted

if TYPE_CHECKING:
    from caw_toolkit.cli.progress import ProgressDisplay

__all__ = ["FileJob", "FileJobs"]

logger = logging.getLogger(__name__)

#: Names that are longer push the reasons of the others out of their column.
_WIDEST_NAME = 40


@dataclass(frozen=True)
class FileJob:
    """What there is to do for a file.

    Attributes:
        source: the file.
        takes: number, from 0, and place of each take that is to be made.
        also: place of what else is written of the file.

    Example:
        >>> job = FileJob(Path("song.wav"), ((0, Path("song.louder.wav")),), also=Path("song.txt"))
        >>> [path.name for path in job.targets]
        ['song.louder.wav', 'song.txt']

    .. versionadded:: 0.2
    """

    source: Path
    takes: tuple[tuple[int, Path], ...]
    also: Path | None = None

    @property
    def target(self) -> Path:
        """Place of the result, for commands that make one of a file."""
        return self.takes[0][1]

    @property
    def targets(self) -> tuple[Path, ...]:
        """Everything that is written."""
        return (*(path for _, path in self.takes), *([self.also] if self.also else []))


class _InterruptedJobsError(CawError):
    exit_code = 130


class FileJobs:
    """Files that are worked on one after the other, in one process.

    Args:
        count: of files, those included that fail beforehand. The error of a single one is raised as it is.
        quiet: whether no progress is shown.

    Attributes:
        jobs: what there is to do.
        count: of files.

    Example:
        >>> jobs = FileJobs(2)
        >>> with jobs.attempt(Path("a.wav")):
        ...     pass
        >>> with jobs.attempt(Path("broken.wav")):
        ...     raise CawError("broken.wav is empty")
        >>> jobs.finish()
        Traceback (most recent call last):
        caw_toolkit.errors.CawError: 1 of 2 files failed

    .. versionadded:: 0.2
    """

    def __init__(self, count: int, *, quiet: bool = False) -> None:
        self.jobs: Sequence[FileJob] = ()
        self.count = count
        self._quiet = quiet
        self._failed: list[tuple[Path, str]] = []

    def run(self, work: Callable[[FileJob, ProgressDisplay], None]) -> None:
        """Do the work for each file; whatever one raises is shown, and the next comes.

        Args:
            work: does what there is to do for a file, and tells the display how far it is.

        Raises:
            CawError: some files failed, or the user gave up; what is written stays.
        """
        from caw_toolkit.cli.progress import shown_progress

        with shown_progress(quiet=self._quiet) as display:
            for number, job in enumerate(self.jobs, 1):
                display.begin_file(job.source.name, number, len(self.jobs))
                with self._counted_interrupt(number), self.attempt(job.source):
                    work(job, display)
        self.finish()

    @contextmanager
    def attempt(self, source: Path) -> Iterator[None]:
        """Keep an error of a file from ending the run, unless it is the only file.

        Args:
            source: the file.
        """
        try:
            yield
        except (BrokenPipeError, click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if not isinstance(error, CawError) and was_interrupted(error):
                raise KeyboardInterrupt from error
            if self.count == 1:
                raise
            self.fail(source, error)

    def fail(self, source: Path, error: Exception) -> None:
        """Show why there is no result for a file, and keep it for the end.

        Args:
            source: the file.
            error: why.
        """
        name, reason = str(source), one_line(explain(error))
        logger.debug("%s failed", name, exc_info=error)
        click.echo(f"caw: error: {harmless_line(reason if name in reason else f'{name}: {reason}')}", err=True)
        self._failed.append((source, reason.removeprefix(name).lstrip(": ")))

    def finish(self) -> None:
        """Say at the end which files failed, and why.

        Raises:
            CawError: some did.
        """
        if not self._failed:
            return
        names = [printable(str(source)) for source, _ in self._failed]
        width = min(_WIDEST_NAME, max(map(len, names)))
        click.echo("failed:", err=True)
        for name, (_, reason) in zip(names, self._failed, strict=True):
            click.echo(f"  {name:<{width}}  {harmless_line(reason)}", err=True)
        raise CawError(f"{len(self._failed)} of {self.count} files failed")

    @contextmanager
    def _counted_interrupt(self, number: int) -> Iterator[None]:
        """Say how far the run was when the user gave up."""
        try:
            yield
        except KeyboardInterrupt as error:
            if self.count == 1:
                raise
            done = f"{number - 1} of {len(self.jobs)} files"
            raise _InterruptedJobsError(f"interrupted after {done}; --skip-existing goes on from there") from error
