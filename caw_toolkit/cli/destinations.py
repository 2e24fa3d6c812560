"""Where results go: a file, a folder, or a template of names."""

from __future__ import annotations

import os
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from caw_toolkit.cli.input_files import InputFile
from caw_toolkit.cli.options import NamedPath
from caw_toolkit.standard_output import reserved_output

__all__ = ["DESTINATION", "FIELDS", "TEMPLATE_EXAMPLE", "Destination"]

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

    def path_for(
        self, file: InputFile, *, suffix: str, label: str, task: str, take: int | None, for_many: bool
    ) -> Path:
        """Where the result for a file goes.

        Args:
            file: the source.
            suffix: of the result.
            label: what was done, for names of several takes in a folder.
            task: the command, for templates.
            take: number of the take, if there are several.
            for_many: as for `is_folder`.

        Example:
            >>> file = InputFile(Path("in/a/x.wav"), subfolder=Path("a"), is_named=False)
            >>> settings = dict(suffix=".flac", label="louder", task="shout", take=None, for_many=True)
            >>> Destination("out/").path_for(file, **settings).as_posix()
            'out/a/x.flac'
            >>> Destination("{parent}/new_{stem}{ext}").path_for(file, **settings).as_posix()
            'in/a/new_x.flac'
        """
        if self.is_folder(for_many=for_many):
            name = file.path.stem if take is None else f"{file.path.stem}.{label}{take}"
            return Path(self.text, file.subfolder, f"{name}{suffix}")
        if not self.is_template:
            return Path(self.text)
        path = Path(self.text.format(parent=file.path.parent, stem=file.path.stem, ext=suffix, task=task))
        return path if take is None else path.with_name(f"{path.stem}{take}{path.suffix}")


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
