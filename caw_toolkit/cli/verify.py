"""`caw verify`: whether files are still what a log says of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from caw_toolkit.cli.options import examples, json_option, quiet_option
from caw_toolkit.cli.run_log import read_records, sha256_of
from caw_toolkit.errors import CawError


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
    bad = [finding for finding in findings if finding["problems"]]
    if as_json:
        click.echo(json.dumps(findings))
    else:
        for finding in bad:
            for problem in finding["problems"]:
                click.echo(f"{finding['log']}, line {finding['line']}: {problem}")
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
    from caw_toolkit.audio.formats import BIT_DEPTHS
    from caw_toolkit.audio.reading import read_audio
    from caw_toolkit.audio.writing import as_stored

    name = record["output"]["path"]
    try:
        before, after = read_audio(source), read_audio(folder / name)
    except CawError as error:
        yield f"{name} cannot be compared with its input: {error}"
        return
    if before.samples.shape != after.samples.shape:
        yield f"{name} has {after.samples.shape} channels and samples, its input {before.samples.shape}"
        return
    one, other = (clip.samples if clip.exact is None else clip.exact for clip in (before, after))
    depth = record["output"].get("bit_depth")
    changed: Any = (other != as_stored(one, depth if depth in BIT_DEPTHS else "float")).any(axis=0)
    for start, stop in record["generated"]:
        changed[start:stop] = False
    if changed.any():
        samples, first = int(changed.sum()), int(changed.argmax())
        yield f"{name} differs from its input in {samples} samples that were not generated, the first {first}"
