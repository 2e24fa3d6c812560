"""`--json` of commands that make audio: a line for each file that they were given, with the same keys in all.

| key | what |
|---|---|
| `input` | the file; null where a command takes none |
| `model` | the file of the model; null where none was given |
| `outputs` | the files that were written, in the order of their takes |
| `found` | what was found or decided, as `--log` says it; a list for what differs from take to take |

.. versionadded:: 0.2
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from caw_toolkit.errors import CawUsageError

__all__ = ["print_result", "refuse_json_beside_audio"]


def refuse_json_beside_audio(as_json: bool, *destinations: object) -> None:
    """Refuse `--json` where audio goes to standard output.

    Args:
        as_json: whether it was asked for.
        destinations: where results go, as the user gave them; `-` is standard output.

    Raises:
        CawUsageError: both were asked for.

    Example:
        >>> refuse_json_beside_audio(True, "take.wav")
        >>> refuse_json_beside_audio(True, "-")
        Traceback (most recent call last):
        caw_toolkit.errors.CawUsageError: --json prints to standard output, where the audio goes: name a file with -o

    .. versionadded:: 0.2
    """
    if as_json and "-" in map(str, destinations):
        raise CawUsageError("--json prints to standard output, where the audio goes: name a file with -o")


def print_result(
    source: Path | None, outputs: Sequence[Path], *, model: Path | None, found: Mapping[str, Any], **more: Any
) -> None:
    """Print what was made of a file.

    Args:
        source: the file; None where there is none.
        outputs: what was written.
        model: the file of the model that was used.
        found: what was found or decided; anything that JSON can hold.
        more: keys that one command has beside those of all.

    Example:
        >>> print_result(Path("a.wav"), [Path("a.loud.wav")], model=None, found={"gain_db": 6})
        {"input": "a.wav", "model": null, "outputs": ["a.loud.wav"], "found": {"gain_db": 6}}

    .. versionadded:: 0.2
    """
    places = {
        "input": source and str(source),
        "model": model and str(model),
        "outputs": [str(each) for each in outputs],
    }
    click.echo(json.dumps({**places, "found": found, **more}))
