"""How files were made, as logs written with `--log` say it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from caw_toolkit.cli.run_log import read_records, sha256_of

logger = logging.getLogger(__name__)

#: Options that say nothing of the sound, or what a record says elsewhere.
_HOUSEKEEPING = frozenset(
    {"as_json", "device", "force", "keep_metadata", "log", "model_path", "output", "progress", "quiet"}
)


class RecordedSettings:
    """What logs say of files.

    Args:
        logs: written with `--log`.

    Raises:
        CawError: a line is no record.
    """

    def __init__(self, logs: Iterable[Path]) -> None:
        self._records = [(log.resolve().parent, record) for log in logs for _, record in read_records(log)]

    def of(self, path: Path) -> dict[str, object]:
        """How a file was made; a warning if the logs do not know it, or knew it before it was changed.

        Args:
            path: of the file.
        """
        if not self._records:
            return {}
        digest = sha256_of(path)
        for _, record in reversed(self._records):
            if record["output"].get("sha256") == digest:
                return _settings(record)
        for folder, record in reversed(self._records):
            if (folder / str(record["output"]["path"])).resolve() == path.resolve():
                logger.warning("%s has changed since the log was written", path)
                return {**_settings(record), "note": "the file has changed since it was made like this"}
        logger.warning("the log does not know %s", path)
        return {}


def _settings(record: Mapping[str, Any]) -> dict[str, object]:
    """A record in words."""
    options = record.get("options", {})
    settings = {name: value for name, value in options.items() if name not in _HOUSEKEEPING and value is not False}
    facts: dict[str, object] = {"command": f"caw {record.get('command')}"}
    facts |= {name.replace("_", " "): _plain(value) for name, value in (settings | record.get("found", {})).items()}
    if "model" in record:
        facts["model"] = record["model"].get("path")
    if record["inputs"]:
        facts["made of"] = ", ".join(str(file.get("path")) for file in record["inputs"])
    facts["made"] = f"{record.get('time')}, caw_toolkit {record.get('version')}"
    return facts


def _plain(value: object) -> object:
    """Lists and tables as words, without the marks of a programming language."""
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_plain(part)}" for name, part in value.items())
    return "; ".join(str(_plain(part)) for part in value) if isinstance(value, list) else value
