"""Jobs: one run of a command for one output, planned from inputs and a template."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from caw_batch.signature import Value, read_files, signature, texts_of
from caw_toolkit import CawUsageError
from caw_toolkit.cli.input_files import find_files
from caw_toolkit.cli.results import Results

_FIELD = re.compile(r"\{(\w+)\}")


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
    target = Path(text, below, fields["stem"] + fields["ext"]) if _is_folder(text) else Path(text)
    here = Path(os.path.abspath(target))
    inputs = [Path(os.path.abspath(path)) for path in sources]
    arguments = tuple(signature(command).tokens(inputs, here, filled))
    return Job(command, arguments, here, (*inputs, *read_files(command, filled)))


def plan_jobs(
    command: str, named: Sequence[Path], output: str, options: Mapping[str, Value], *, quiet: bool
) -> list[Job]:
    """Plan a job for each file that is named, and for those below folders that are.

    Args:
        command: its name.
        named: files and folders; what earlier runs made in these is left out.
        output: as for `make_job`.
        options: as for `make_job`.
        quiet: whether only warnings are shown.

    Raises:
        CawUsageError: there is no file, or a folder cannot be listed; or as for `make_job`.
    """
    takes_models = signature(command).source.name == "model_path"
    results = Path(output) if _is_folder(output) else None
    found = find_files(named, recursive=True, results=results, suffixes=[".pt"] if takes_models else None)
    for folder, error in found.failures:
        raise CawUsageError(f"cannot list {folder}: {error.strerror}")
    jobs = {file: make_job(command, [file.path], output, options, below=file.subfolder) for file in found.files}
    found.leave_out_made((file.path, job.output) for file, job in jobs.items())
    found.tell_what_is_left_out(quiet=quiet)
    if not found.files:
        raise CawUsageError(f"no files to work on in {', '.join(map(str, named))}")
    return [jobs[file] for file in found.files]


def check_jobs(jobs: Sequence[Job]) -> None:
    """Find out now what would go wrong later.

    Raises:
        CawUsageError: two jobs write one file, or write what they read, or read what neither is there nor made.
    """
    outputs: dict[Path, Job] = {}
    for job in jobs:
        if job.output in outputs:
            sources = [", ".join(map(str, each.reads)) for each in (outputs[job.output], job)]
            of_which = f" (of {' and of '.join(sources)})" if all(sources) else ""
            raise CawUsageError(
                f"two jobs write {job.output}{of_which}: put {{stem}} or {{folder}} into the output's name"
            )
        outputs[job.output] = job
    for job in jobs:
        if job.output in job.reads:
            raise CawUsageError(f"{job.output} would be written over what it is made of")
        for path in job.reads:
            if path not in outputs and not path.is_file():
                raise CawUsageError(f"{path} does not exist, and no job makes it (for {job.output})")


def _is_folder(output: str) -> bool:
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


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
