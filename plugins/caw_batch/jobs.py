"""Jobs: one run of a command for one output, planned from inputs and a template."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from caw_batch.signature import Value, read_files, signature, texts_of
from caw_toolkit import CawUsageError
from caw_toolkit.audio.formats import AUDIO_SUFFIXES
from caw_toolkit.cli.results import Results

_FIELD = re.compile(r"\{(\w+)\}")
#: What is looked for in folders; a file that is named may be called anything.
_MODEL = frozenset([".pt"])


@dataclass(frozen=True)
class Job:
    """One run of a command.

    Attributes:
        command: its name.
        arguments: of the command line; paths are absolute.
        output: what it writes.
        reads: files whose contents decide the output.
    """

    command: str
    arguments: tuple[str, ...]
    output: Path
    reads: tuple[Path, ...]


@dataclass(frozen=True)
class Input:
    """What a job is made of.

    Attributes:
        path: of the file.
        below: its folder, seen from the folder that was named in its stead.
    """

    path: Path
    below: Path = Path()


def fill(template: str, fields: Mapping[str, str]) -> str:
    """A template with its fields filled in.

    Args:
        template: text with `{field}`.
        fields: values by name.

    Raises:
        CawUsageError: it has a field that there is not.

    Example:
        >>> fill("models/{stem}.pt", {"stem": "ann", "folder": "clips"})
        'models/ann.pt'
        >>> fill("models/{speaker}.pt", {"stem": "ann", "folder": "clips"})
        Traceback (most recent call last):
        caw_toolkit.errors.CawUsageError: 'models/{speaker}.pt': there is no field {speaker}; fields: {folder}, {stem}
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in fields:
            known = ", ".join(f"{{{name}}}" for name in sorted(fields))
            raise CawUsageError(f"{template!r}: there is no field {match[0]}; fields: {known}")
        return fields[match[1]]

    return _FIELD.sub(value, template)


def fields_of(template: Value) -> set[str]:
    """Names of the fields in an option's value."""
    return {name for text in texts_of(template) for name in _FIELD.findall(text)}


def make_job(
    command: str,
    sources: Sequence[Path],
    output: str,
    options: Mapping[str, Value],
    *,
    below: Path = Path(),
    more_fields: Mapping[str, str] | None = None,
) -> Job:
    """Plan a job.

    Args:
        command: its name.
        sources: its inputs, of which the first gives the fields.
        output: template; one that ends with `/`, or is a folder, keeps the name.
        options: values by name, which may be templates.
        below: folder below the output's, where that is a folder.
        more_fields: beside those of the input.

    Raises:
        CawUsageError: there is no such command, option or field, or an option does not take its value.
    """
    source = sources[0]
    fields = {
        "task": command,
        "parent": str(source.parent),
        "folder": Path(os.path.abspath(source)).parent.name,
        "stem": source.stem,
        "ext": _suffix(command, source, options),
        **(more_fields or {}),
    }
    filled = {name: _filled(value, fields) for name, value in options.items()}
    text = fill(output, fields)
    if text == "-":
        raise CawUsageError("a batch cannot write to standard output: name a folder, or files, with -o")
    is_folder = text.endswith(("/", os.sep)) or Path(text).is_dir()
    target = Path(text, below, fields["stem"] + fields["ext"]) if is_folder else Path(text)
    here = Path(os.path.abspath(target))
    inputs = [Path(os.path.abspath(path)) for path in sources]
    arguments = tuple(signature(command).tokens(inputs, here, filled))
    return Job(command, arguments, here, (*inputs, *read_files(command, filled)))


def find_inputs(command: str, named: Sequence[Path]) -> tuple[list[Input], list[Path]]:
    """The files that are named, and those below folders that are.

    Args:
        command: that they are for.
        named: files and folders.

    Returns:
        The inputs, and files in folders that are left out because of their suffixes.

    Raises:
        CawUsageError: there is none.
    """
    wanted = _MODEL if signature(command).source.name == "model_path" else AUDIO_SUFFIXES
    inputs, others = [], []
    for path in named:
        if not path.is_dir():
            inputs.append(Input(path))
            continue
        for file in _files_below(path):
            if file.suffix.lower() in wanted:
                inputs.append(Input(file, file.parent.relative_to(path)))
            else:
                others.append(file)
    if not inputs:
        raise CawUsageError(f"no files to work on in {', '.join(map(str, named))}")
    return inputs, others


def check_jobs(jobs: Sequence[Job]) -> None:
    """Find out now what would go wrong later.

    Raises:
        CawUsageError: two jobs write one file, or write what they read, or read what neither is there nor made.
    """
    outputs: set[Path] = set()
    for job in jobs:
        if job.output in outputs:
            raise CawUsageError(f"two jobs write {job.output}: put {{stem}} or {{folder}} into the output's name")
        outputs.add(job.output)
    for job in jobs:
        if job.output in job.reads:
            raise CawUsageError(f"{job.output} would be written over what it is made of")
        for path in job.reads:
            if path not in outputs and not path.is_file():
                raise CawUsageError(f"{path} does not exist, and no job makes it (for {job.output})")


def _files_below(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(files) if not name.startswith("."))


def _filled(value: Value, fields: Mapping[str, str]) -> Value:
    return value if isinstance(value, bool) else [fill(text, fields) for text in texts_of(value)]


def _suffix(command: str, source: Path, options: Mapping[str, Value]) -> str:
    """Of the result: a model's, that of --format, or the input's, of audio if it can be written."""
    if command == "train":
        return ".pt"
    if not signature(command).has("file_format"):
        return source.suffix
    file_format: object = options.get("format", options.get("file_format"))
    results = Results(
        bit_depth=None,
        clipping="clip",
        keep_metadata=True,
        log=None,
        force=True,
        quiet=True,
        file_format=file_format,  # type: ignore[arg-type]  # checked with the other options
    )
    return results.beside(source, command).suffix
