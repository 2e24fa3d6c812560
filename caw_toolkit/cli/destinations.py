"""Where results go: a file, a folder, or a template of names."""

from __future__ import annotations

import functools
import os
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from caw_toolkit.cli.file_jobs import FileJob
from caw_toolkit.cli.input_files import InputFile
from caw_toolkit.cli.options import NamedPath, next_take, output_beside
from caw_toolkit.errors import CawUsageError
from caw_toolkit.standard_output import reserved_output

if TYPE_CHECKING:
    from caw_toolkit.cli.results import Results

__all__ = ["DESTINATION", "FIELDS", "TEMPLATE_EXAMPLE", "Destination", "Naming"]

#: What a template can name.
FIELDS = ("parent", "stem", "ext", "task")
TEMPLATE_EXAMPLE = "{parent}/{stem}.{task}{ext}"


@dataclass(frozen=True)
class Destination:
    """Where the results of a command go.

    Attributes:
        text: as the user gave it.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def is_template(self) -> bool:
        """Whether each file's name is made from that of its source."""
        return "{" in self.text

    def is_folder(self, *, for_many: bool) -> bool:
        """Whether results go into a folder.

        Args:
            for_many: whether there are several, so that a name without an audio format's suffix can be nothing else.
        """
        from caw_toolkit.audio.formats import FORMATS

        if self.is_template or self.text == "-":
            return False
        could_be_a_file = Path(self.text).suffix.lower() in FORMATS or not for_many
        return self.text.endswith(("/", os.sep)) or os.path.isdir(self.text) or not could_be_a_file

    def path_for(self, file: InputFile, *, suffix: str, label: str, take: int | None, for_many: bool) -> Path:
        """Where the result for a file goes.

        Args:
            file: the source.
            suffix: of the result.
            label: what was done, for names of several takes in a folder.
            take: number of the take, if there are several.
            for_many: as for `is_folder`.

        Raises:
            CawUsageError: there is one place for several results, or no name to go by.

        Example:
            >>> file = InputFile(Path("in/a/x.wav"), subfolder=Path("a"), is_named=False)
            >>> settings = dict(suffix=".flac", label="louder", take=None, for_many=True)
            >>> Destination("out/").path_for(file, **settings).as_posix()
            'out/a/x.flac'
            >>> Destination("{parent}/new_{stem}{ext}").path_for(file, **settings).as_posix()
            'in/a/new_x.flac'
        """
        is_folder = self.is_folder(for_many=for_many)
        if not self.is_template and not is_folder:
            if for_many:
                raise CawUsageError(
                    f"{'standard output' if self.text == '-' else self.text} takes a single result: for several name "
                    f"a folder, such as results/, or a template, such as '{TEMPLATE_EXAMPLE}'"
                )
            return Path(self.text)
        if str(file.path) == "-":
            raise CawUsageError("standard input has no name to go by: name a file to write")
        if is_folder:
            name = file.path.stem if take is None else f"{file.path.stem}.{label}{take}"
            return Path(self.text, file.subfolder, f"{name}{suffix}")
        context = click.get_current_context(silent=True)
        fields = {"parent": file.path.parent, "stem": file.path.stem, "ext": suffix}
        path = Path(self.text.format(**fields, task=context.info_name if context else ""))
        return path if take is None else path.with_name(f"{path.stem}{take}{path.suffix}")


@dataclass(frozen=True)
class Naming:
    """Where the results of a command go, for each of its files.

    Attributes:
        results: how they are written.
        destination: None: beside the sources.
        also: where something else goes that is written of each file.
        label: of results beside the sources.
        takes: how many of each file, whose names get numbers; None: one, without a number.
        sample_rate: of the results in Hz, where it is known.
        are_many: whether there are several results.
        goes_on: whether numbers beside the sources go on from those that exist.
    """

    results: Results
    destination: Destination | None
    also: Destination | None
    label: str
    takes: int | None
    sample_rate: int | None
    are_many: bool
    goes_on: bool

    def job(self, file: InputFile) -> FileJob:
        """What there is to do for a file.

        Raises:
            CawUsageError: as `Destination.path_for`.
        """
        suffix = self.results.suffix_for(file.path, self.sample_rate)
        place = functools.partial(
            Destination.path_for, file=file, suffix=suffix, label=self.label, for_many=self.are_many
        )
        if self.destination is None:
            paths = [self._beside(file.path, number, suffix) for number in self._numbers(file.path, suffix)]
        elif self.takes is None or self.takes == 1:
            paths = [place(self.destination, take=None)]
        else:
            paths = [place(self.destination, take=number) for number in range(1, self.takes + 1)]
        return FileJob(file.path, tuple(enumerate(paths)), place(self.also, take=None) if self.also else None)

    def _beside(self, source: Path, number: int | None, suffix: str) -> Path:
        return output_beside(source, self.label, take=number, suffix=suffix)

    def _numbers(self, source: Path, suffix: str) -> Sequence[int | None]:
        """Of takes beside a source."""
        if self.takes is None:
            return [None]
        goes_on = self.goes_on and not self.results.force
        first = next_take(source.parent, f"{source.stem}.{self.label}", suffix) if goes_on else 1
        return range(first, first + self.takes)


class _DestinationType(NamedPath):
    """A place for results; `-` is standard output."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check the fields of a template."""
        if isinstance(value, Destination):
            return value
        destination = Destination(os.fsdecode(super().convert(value, param, ctx)))
        if destination.text == "-" and ctx is not None and not ctx.resilient_parsing:
            ctx.with_resource(reserved_output(for_text=True))
        if destination.is_template and not _has_known_fields(destination.text):
            fields = ", ".join(f"{{{name}}}" for name in FIELDS)
            self.fail(f"{destination.text!r} is no template: fields are {fields}; '{{{{' is a brace.", param, ctx)
        return destination


def _has_known_fields(template: str) -> bool:
    """Whether a template has plain fields that are known, and no others."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:  # a brace alone
        return False
    return all(name is None or (name in FIELDS and not form and not how) for _, name, form, how in parts)


#: A file, a folder or a template of files to write; `-` is standard output.
DESTINATION = _DestinationType()
