"""A record of what was done: a line of JSON for every result, from which `caw verify` can tell whether it holds.

| key | what |
|---|---|
| `time` | when it was written, UTC, ISO 8601 |
| `version` | of the toolkit |
| `command`, `options` | what was run; `seed` is among the options, drawn or given |
| `inputs`, `model` | files that were read: `path`, `sha256` |
| `output` | the result: `path`, `sha256`, `sample_rate`, `samples`, `bit_depth`, `gain`, `clipped_samples` |
| `found` | what the command found or decided: bandwidth, gaps, noise |
| `generated` | where only parts were made: ranges of samples, and the channel of those of one; all else is the input |

Paths are relative to the folder of the log, so that both can be moved together.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from caw_toolkit.errors import CawError, CawUsageError

if TYPE_CHECKING:
    from caw_toolkit.audio.formats import BitDepth
    from caw_toolkit.audio.writing import WrittenAudio

#: For plugins that keep records of their own.
__all__ = ["sha256_of_state"]

_LONGEST_RECORD = 1 << 24
_STANDARD = "-"  # standard input or output
_INPUTS = "sources"  # argument of commands that take any number of files; each record names its own


def append_record(
    log: Path,
    written: WrittenAudio,
    details: Mapping[str, Any],
    *,
    read: Sequence[Path],
    model: Path | None = None,
    found: Mapping[str, Any] | None = None,
    generated: Sequence[tuple[int, ...]] | None = None,
) -> None:
    """Add the record of a result of the present command to a log.

    Args:
        log: the file; made if there is none.
        written: the result.
        details: what is known of it.
        read: the files that it was made of.
        model: file of the model that made it.
        found: what the command found or decided.
        generated: ranges of samples outside of which the result is what was read; with the channel, where it is one.

    Raises:
        CawError: the log cannot be written.
    """
    context = click.get_current_context()
    options = sorted((name, value) for name, value in context.params.items() if name != _INPUTS)
    folder = Path(os.path.realpath(log)).parent
    record: dict[str, Any] = {
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "version": version("caw_toolkit"),
        "command": context.info_name,
        "options": {name: _plain(value) for name, value in options if value is not None},
        "inputs": [_file(path, folder) for path in read],
        "output": {
            **_file(written.path, folder),
            **details,
            "gain": written.gain,
            "clipped_samples": written.clipped_samples,
        },
    }
    if model is not None:
        record["model"] = _file(model, folder)
    if found:
        record["found"] = _plain(found)
    if generated is not None:
        record["generated"] = [[int(number) for number in part] for part in generated]
    try:
        line = json.dumps(record, ensure_ascii=False) + "\n"
        with open(log, "a", encoding="utf-8") as stream:
            stream.write(f"\n{line}" if _is_cut(log) else line)  # one write: runs side by side don't mix
    except OSError as error:
        raise CawError(f"{written.path} is written, but not its record in {log}: {error.strerror or error}") from error


def _is_cut(log: Path) -> bool:
    """Whether a log ends within a line, as a full disk leaves it."""
    if not log.is_file() or log.stat().st_size == 0:
        return False
    with open(log, "rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read() != b"\n"


def require_log(path: Path) -> None:
    """Refuse to add records to a file that is something else, such as a recording.

    Args:
        path: of the log; it need not exist.

    Raises:
        CawUsageError: it holds something, and does not begin with a record.
    """
    if not path.is_file():
        return
    with open(path, encoding="utf-8", errors="replace") as stream:
        first = stream.readline(_LONGEST_RECORD)
    if first.strip() and _record_in(first) is None:
        raise CawUsageError(f"{path} does not begin with a record of caw --log: name another file, or a new one")


def _record_in(line: str) -> dict[str, Any] | None:
    """The record that a line is; None if it is none."""
    try:
        record: dict[str, Any] = json.loads(line)
        _require_fields(record)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return record


def read_records(log: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The records of a log with their lines' numbers.

    Raises:
        CawError: a line is no record.
    """
    with open(log, encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            record = _record_in(line)
            if record is None:
                raise CawError(f"{log}, line {number}: not a record of caw --log")
            yield number, record


def _require_fields(record: Any) -> None:
    """Fail if a record lacks what every record has, or has it in another shape."""
    files = [record["output"], *record["inputs"], *([record["model"]] if "model" in record else [])]
    if not all(isinstance(file["path"], str) for file in files):
        raise TypeError
    for name in ("options", "found"):
        dict(record.get(name, {}))
    if any(channel not in ([], [0], [1]) for _start, _stop, *channel in record.get("generated", [])):
        raise ValueError


def sha256_of(path: Path) -> str:
    """Hash of a file's bytes."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _file(path: Path, folder: Path) -> dict[str, Any]:
    if str(path) == _STANDARD or not path.is_file():  # a pipe is read once
        return {"path": str(path)}
    try:
        named = os.path.relpath(os.path.realpath(path), folder)
    except ValueError:  # another drive
        named = os.path.realpath(path)
    return {"path": named, "sha256": sha256_of_state(path)}


def sha256_of_state(path: Path) -> str:
    """Hash of a file's bytes, computed once for as long as its size and its time stay.

    Args:
        path: of the file.

    Raises:
        OSError: it cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "empty")
        ...     path.touch()
        ...     sha256_of_state(path)[:16]
        'e3b0c44298fc1c14'

    .. versionadded:: 0.2
    """
    status = path.stat()
    return _sha256_of_state(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=100_000)
def _sha256_of_state(path: Path, _size: int, _modified: int) -> str:
    return sha256_of(path)


def _plain(value: Any) -> Any:
    """What JSON can hold of a value."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value if isinstance(value, (bool, int, float, str)) or value is None else str(value)


def coding_history(depth: BitDepth, channels: int) -> str:
    """The line that bext gains (EBU R 98): what was coded, and by whom."""
    bits = {"float": "32", "double": "64"}.get(depth, depth)
    command = click.get_current_context().info_name
    mode = "mono" if channels == 1 else "stereo"
    return f"A=PCM,W={bits},M={mode},T=caw_toolkit {version('caw_toolkit')} {command}"
