"""`caw verify`: whether files are still what a log says of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from caw_toolkit.cli.lines import say
from caw_toolkit.cli.options import examples, json_option, quiet_option
from caw_toolkit.cli.run_log import read_records, sha256_of
from caw_toolkit.errors import CawError

if TYPE_CHECKING:
    from caw_toolkit.audio.decoding import OpenFile
    from caw_toolkit.audio.formats import BitDepth


@click.command(epilog=examples("caw process takes/ louder/ -e Gain --log work.jsonl", "caw verify work.jsonl"))
@click.argument(
    "logs",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    metavar="LOG...",
)
@json_option
@quiet_option
def verify(logs: Sequence[Path], as_json: bool, quiet: bool) -> None:
    """Check that files are what LOG, written with --log, says of them.

    Inputs, models and results must have the bytes that they had. Where a record names the ranges that were generated,
    the result must be the input everywhere else, sample for sample.
    """
    findings = [
        {"log": str(log), "line": number, "output": record["output"]["path"], "problems": list(_problems(log, record))}
        for log in logs
        for number, record in read_records(log)
    ]
    if empty := [str(log) for log in logs if str(log) not in {finding["log"] for finding in findings}]:
        raise CawError(f"{empty[0]} holds no records: nothing can be checked with it")
    bad = [finding for finding in findings if finding["problems"]]
    if as_json:
        click.echo(json.dumps(findings))
    else:
        for finding in bad:
            for problem in finding["problems"]:
                say(f"{finding['log']}, line {finding['line']}: {problem}", err=False)
        if not quiet:
            click.echo(f"{len(findings) - len(bad)} of {len(findings)} records hold")
    if bad:
        click.get_current_context().exit(1)


def _problems(log: Path, record: Mapping[str, Any]) -> Iterator[str]:
    """What does not hold of a record."""
    folder = log.resolve().parent
    files = [*record["inputs"], record["output"], *([record["model"]] if "model" in record else [])]
    whole = True
    for file in files:
        path = folder / file["path"]
        if "sha256" not in file:
            continue
        if not path.is_file():
            whole = False
            yield f"{file['path']} is missing"
        elif sha256_of(path) != file["sha256"]:
            yield f"{file['path']} is not what it was: its bytes differ"
    if "generated" in record and whole and record["inputs"]:
        yield from _changes_outside(folder / record["inputs"][0]["path"], record, folder)


def _changes_outside(source: Path, record: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Where a result differs from its source outside the ranges that were generated."""
    from caw_toolkit.audio.decoding import opened

    name = record["output"]["path"]
    try:
        with opened(source) as before, opened(folder / name) as after:
            changed = _count_changes(before, after, record)
    except CawError as error:
        yield f"{name} cannot be compared with its input: {error}"
        return
    if changed is None:
        yield f"{name} has other channels than its input, or is not as long"
    elif changed[0]:
        yield f"{name} differs from its input in {changed[0]} samples that were not generated, the first {changed[1]}"


def _count_changes(before: OpenFile, after: OpenFile, record: Mapping[str, Any]) -> tuple[int, int] | None:
    """How many samples differ that were not generated, and the first of them; None if they cannot be compared.

    Block by block: memory does not grow with the length.
    """
    from caw_toolkit.audio.formats import BIT_DEPTHS
    from caw_toolkit.audio.writing import as_stored
    from caw_toolkit.dsp.queues import in_step

    stated = record["output"].get("bit_depth")
    depth: BitDepth = stated if stated in BIT_DEPTHS else "float"
    position, samples, first = 0, 0, 0
    for one, other in in_step(*(recording.blocks(is_deep=recording.source.is_deep) for recording in (before, after))):
        if one.shape != other.shape:
            return None
        differs: Any = other != as_stored(one, depth)
        for start, stop, *channel in record["generated"]:
            differs[channel or slice(None), max(0, start - position) : max(0, stop - position)] = False
        changed = differs.any(axis=0)
        if changed.any():
            first = first if samples else position + int(changed.argmax())
            samples += int(changed.sum())
        position += one.shape[1]
    return samples, first
