"""Jobs from a table: CSV with a row a job, or TOML with a `[[job]]` each."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from caw_batch.jobs import Job, fields_of, make_job
from caw_batch.signature import Value, signature
from caw_toolkit import CawUsageError
from caw_toolkit.toml_file import read_toml

#: Between several inputs of a job in a CSV.
SEPARATOR = ";"


def read_jobs(path: Path) -> list[Job]:
    """The jobs of a file. Relative paths in it hold in the present folder, as on a command line.

    Args:
        path: of a CSV, or of a TOML file.

    Raises:
        CawUsageError: it cannot be read, or a row is no job; the message names the row.
    """
    rows = _toml_rows(path) if path.suffix.lower() == ".toml" else _csv_rows(path)
    jobs = []
    for where, row in rows:
        try:
            jobs.append(_job(row))
        except CawUsageError as error:
            raise CawUsageError(f"{path}, {where}: {error}") from error
    if not jobs:
        raise CawUsageError(f"{path} has no jobs")
    return jobs


def _csv_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, restkey="", strict=True)
            for row in reader:
                where = f"line {reader.line_num}"
                if "" in row:
                    raise CawUsageError(f"{path}, {where}: more cells than columns")
                yield where, {name: value for name, value in row.items() if value}
    except UnicodeDecodeError as error:
        raise CawUsageError(f"{path} is not text in UTF-8") from error
    except (OSError, csv.Error) as error:
        raise CawUsageError(f"cannot read {path}: {error}") from error


def _toml_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    tables = read_toml(path, "jobs")
    rows = tables.pop("job", [])
    if tables or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CawUsageError(f"{path} may hold [[job]] tables only")
    yield from ((f"job {number}", row) for number, row in enumerate(rows, 1))


def _job(row: Mapping[str, Any]) -> Job:
    left = dict(row)
    command = str(_taken(left, "command"))
    known = signature(command)
    inputs = _value(_taken(left, "input", str(known.source.name)))
    output = str(_taken(left, "output"))
    sources = [Path(text) for text in (str(inputs).split(SEPARATOR) if isinstance(inputs, (str, bool)) else inputs)]
    options = {name: _value(left.pop(name)) for name in list(left) if known.option(name)}
    used = fields_of(output).union(*map(fields_of, options.values()))
    for name in left:
        if name not in used:
            names = ", ".join(option.opts[-1].lstrip("-") for option in known.options)
            raise CawUsageError(f"{name!r} is neither an option of caw {command} ({names}) nor a field of a template")
    return make_job(command, sources, output, options, more_fields={name: str(value) for name, value in left.items()})


def _taken(row: dict[str, Any], *names: str) -> Any:
    for name in names:
        if name in row:
            return row.pop(name)
    raise CawUsageError(f"it lacks {names[0]!r}")


def _value(value: Any) -> Value:
    """A cell, or a value of TOML, as it would be given on the command line."""
    if isinstance(value, bool):
        return value
    return [str(each) for each in value] if isinstance(value, list) else str(value)
