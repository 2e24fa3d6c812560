"""Files and folders of a command that makes files from files: what there is to do, and where the results go.

    @click.command()
    @file_options(metavar="RECORDING", label="shouted")
    @result_options(what="result")
    @quiet_option
    def shout(files, results, quiet):
        files.plan(results).run(lambda job, display: _shout_file(job.source, job.target, results))

.. versionadded:: 0.2
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from caw_toolkit.cli.destinations import DESTINATION, TEMPLATE_EXAMPLE, Destination, Naming
from caw_toolkit.cli.file_jobs import FileJob, FileJobs
from caw_toolkit.cli.input_files import SourcesArgument, counted, find_files
from caw_toolkit.cli.options import Decorator, keep_for_audio
from caw_toolkit.errors import CawUsageError

if TYPE_CHECKING:
    from caw_toolkit.cli.results import Results

__all__ = ["DESTINATION", "Destination", "Files", "file_options"]

#: A file or a folder to read; `-` is standard input.
_SOURCE = click.Path(exists=True, readable=False, allow_dash=True, path_type=Path)


def file_options(*, metavar: str, label: str | None) -> Decorator:
    """Files and folders as arguments, `--output`, `--recursive` and `--skip-existing`, together as `files`.

    Args:
        metavar: what a file is called in the help: `SONG`.
        label: of results beside their sources, `varied` for `song.varied.wav`. None: where they go is not an option
            but has to be said, as the last argument.

    Example:
        >>> @click.command()
        ... @file_options(metavar="SONG", label="louder")
        ... def louder(files):
        ...     print(*files.sources, files.destination, files.recursive)
        >>> louder(["-", "-o", "louder/", "-r"], standalone_mode=False)
        - louder/ True

    .. versionadded:: 0.2
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(
            *,
            sources: Sequence[Path],
            destination: Destination | None,
            recursive: bool,
            skip_existing: bool,
            **rest: Any,
        ) -> Any:
            files = Files(tuple(sources), destination, label, recursive, skip_existing, bool(rest.get("quiet")))
            return function(files=files, **rest)

        for option in reversed(_options(metavar, label)):
            run = option(run)
        return run

    return decorate  # type: ignore[return-value]


def _options(metavar: str, label: str | None) -> list[Decorator]:
    settings = {"nargs": -1, "required": True, "type": _SOURCE, "cls": SourcesArgument}
    sources: Decorator = click.argument("sources", metavar=f"{metavar}...", label=label, **settings)  # type: ignore[arg-type]
    if label is None:
        destination: Decorator = click.argument("destination", metavar="OUT", type=DESTINATION)
    else:
        destination = click.option(
            "-o",
            "--output",
            "destination",
            type=DESTINATION,
            metavar="OUT",
            help=f"File, FOLDER/ or template such as '{TEMPLATE_EXAMPLE}'; - is standard output. Default: "
            f"{metavar}.{label} beside it, in its format.",
        )
    return [
        sources,
        destination,
        click.option("-r", "--recursive", is_flag=True, help="Take what is in the folders of a folder, too."),
        click.option("--skip-existing", is_flag=True, help="Leave out files whose results exist."),
    ]


@dataclass(frozen=True)
class Files:
    """The files that a command was given, and where their results are to go.

    Attributes:
        sources: files and folders, or `-`.
        destination: None: beside the sources.
        label: of results beside the sources.
        recursive: whether folders in folders count.
        skip_existing: whether files are left out whose results exist.
        quiet: whether only warnings are shown.

    Example:
        >>> import tempfile
        >>> from caw_toolkit.cli.results import Results
        >>> results = Results(None, "clip", keep_metadata=True, log=None, force=False, quiet=True)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("b.wav", "a.flac"):
        ...         Path(folder, name).touch()
        ...     files = Files((Path(folder),), None, "louder", recursive=False, skip_existing=False, quiet=True)
        ...     [job.target.name for job in files.plan(results).jobs]
        ['a.louder.flac', 'b.louder.wav']

    .. versionadded:: 0.2
    """

    sources: tuple[Path, ...]
    destination: Destination | None
    label: str | None
    recursive: bool
    skip_existing: bool
    quiet: bool

    def plan(
        self,
        results: Results,
        *,
        label: str | None = None,
        takes: int | None = None,
        sample_rate: int | None = None,
        reads: Iterable[Path | None] = (),
        also: Destination | None = None,
    ) -> FileJobs:
        """Find the files, name their results, and check now what would fail after the work.

        Folders give the files with the suffix of audio that are no results of a command. The command ends here if
        there is nothing to do.

        Args:
            results: how they are written.
            label: as for `file_options`, if it depends on other options.
            takes: how many of each file, whose names get numbers; None: one, without a number.
            sample_rate: of the results in Hz, where it is known.
            reads: what else is read; None stands for nothing.
            also: where something else goes that is written of each file.

        Raises:
            CawUsageError: the request is wrong as a whole. What is wrong with one file of several is shown, and said
                again at the end of `FileJobs.run`.
        """
        are_many = len(self.sources) > 1 or any(source.is_dir() for source in self.sources)
        naming = Naming(
            results,
            self.destination,
            also,
            label=label or self.label or "",
            takes=takes,
            sample_rate=sample_rate,
            are_many=are_many or (takes or 1) > 1,
            goes_on=not self.skip_existing,
        )
        found = find_files(self.sources, recursive=self.recursive, results=self._results_folder)
        planned = {file: naming.job(file) for file in found.files}
        found.leave_out_made((job.source, target) for job in planned.values() for target in job.targets)
        jobs = [planned[file] for file in found.files]
        found.tell_what_is_left_out(quiet=self.quiet)
        self._refuse_one_name_for_all(jobs)
        if not jobs and not found.failures:
            raise CawUsageError(f"no audio files in {', '.join(map(str, self.sources))}{self._advice}")
        batch = FileJobs(len(jobs) + len(found.failures), quiet=self.quiet)
        for folder, error in found.failures:
            batch.fail(folder, error)
        keep_for_audio(*(target for job in jobs for target in job.targets))
        jobs = self._left_to_do(_without_collisions(jobs, batch, results, reads))
        if batch.count > 1 and not results.force:
            _refuse_existing(jobs)
        batch.jobs = list(_that_can_be_written(jobs, batch, results, sample_rate))
        if not batch.jobs:
            batch.finish()
            click.get_current_context().exit()
        return batch

    @property
    def _advice(self) -> str:
        return "" if self.recursive else " (--recursive takes what is in the folders below, too)"

    @property
    def _results_folder(self) -> Path | None:
        if self.destination is None or not self.destination.is_folder(for_many=True):
            return None
        return Path(self.destination.text)

    def _refuse_one_name_for_all(self, jobs: Sequence[FileJob]) -> None:
        if self.destination and self.destination.is_template and len(jobs) > 1 and len({j.target for j in jobs}) == 1:
            raise CawUsageError(
                f"'{self.destination}' gives all files one name: use the fields {{stem}} and {{parent}}, "
                f"as in '{TEMPLATE_EXAMPLE}'"
            )

    def _left_to_do(self, jobs: Sequence[FileJob]) -> list[FileJob]:
        """The jobs without what --skip-existing leaves out."""
        if not self.skip_existing:
            return list(jobs)
        left = [missing for job in jobs if (missing := _missing(job))]
        if len(left) < len(jobs) and not self.quiet:
            click.echo(f"skipped {counted(len(jobs) - len(left), 'file')} whose results exist", err=True)
        return left


def _missing(job: FileJob) -> FileJob | None:
    if job.also and not os.path.exists(job.also):
        return job
    takes = tuple((take, target) for take, target in job.takes if not os.path.exists(target))
    return FileJob(job.source, takes, job.also) if takes else None


def _without_collisions(
    jobs: Sequence[FileJob], batch: FileJobs, results: Results, reads: Iterable[Path | None]
) -> list[FileJob]:
    """The jobs whose results are no other's and nothing that is read; the others fail now."""
    from caw_toolkit.audio.outputs import FileClaims

    claims = FileClaims([*(job.source for job in jobs), *(path for path in reads if path is not None)])
    if results.log is not None:
        claims.claim(results.log, "the log")
    free = []
    for job in jobs:
        with batch.attempt(job.source):
            for target in job.targets:
                claims.claim(target, f"that of {job.source}")
            free.append(job)
    return free


def _that_can_be_written(
    jobs: Sequence[FileJob], batch: FileJobs, results: Results, sample_rate: int | None
) -> Iterator[FileJob]:
    """The jobs whose results have a place and a format that holds them; the others fail now."""
    for job in jobs:
        with batch.attempt(job.source):
            for target in job.targets:
                results.check(target, sample_rate=sample_rate)
            yield job


def _refuse_existing(jobs: Sequence[FileJob]) -> None:
    existing = [target for job in jobs for target in job.targets if os.path.exists(target)]
    if existing:
        raise CawUsageError(
            f"{len(existing)} of {counted(sum(len(job.targets) for job in jobs), 'result')} exist, such as "
            f"{existing[0]}: add --skip-existing to leave them, or --force to replace them"
        )
