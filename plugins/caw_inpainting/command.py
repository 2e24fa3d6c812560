"""`caw inpaint`: fill gaps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit import CawError, CawUsageError
from caw_toolkit.cli.options import (
    FILE,
    Amount,
    NamedPath,
    device_option,
    json_option,
    minutes_option,
    model_option,
    output_option,
    quiet_option,
    seed_option,
)
from caw_toolkit.cli.progress import progress_option, shown_progress
from caw_toolkit.cli.results import Results, result_options, stored_sample_rate
from caw_toolkit.cli.texts import expect_text, write_text

if TYPE_CHECKING:
    from caw_inpainting.gaps import ListedGap
    from caw_inpainting.listing import Work
    from caw_inpainting.task import Repair
    from caw_inpainting.training import Models
    from caw_toolkit import Gap, PyramidModel
    from caw_toolkit.audio.spool import SpooledAudio


@click.command()
@click.argument("recording", type=FILE, metavar="CLIP")
@click.option(
    "--hole",
    "holes",
    type=(Amount(), Amount()),
    multiple=True,
    metavar="START END",
    help="A gap, in seconds; repeatable.",
)
@click.option("--samples", "in_samples", is_flag=True, help="--hole is in samples.")
@click.option("--find", is_flag=True, help="Find gaps: digital silence, repeated buffers, holes in the level.")
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    metavar="FILE",
    help="Take the labels of a file that Audacity has exported as gaps.",
)
@click.option(
    "--write-labels",
    type=NamedPath(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Write all gaps as labels, to be checked in Audacity.",
)
@click.option("--dry-run", is_flag=True, help="List gaps, models and the time that training takes; fill nothing.")
@model_option(required=False, help_text="Finished model; without it, models are trained on what is left around gaps.")
@output_option(
    help_text="File to write, for a single take. Default: CLIP.inpainted, or .inpainted1 and so on, in its format."
)
@click.option("-n", "--takes", type=click.IntRange(1, 1000), default=1, show_default=True, help="Number of takes.")
@minutes_option
@seed_option
@device_option
@result_options(what="whole")
@json_option
@quiet_option
@progress_option
def inpaint(
    recording: Path,
    holes: Sequence[tuple[float, float]],
    in_samples: bool,
    find: bool,
    labels: Path | None,
    write_labels: Path | None,
    dry_run: bool,
    model_path: Path | None,
    output: Path | None,
    takes: int,
    minutes: float | None,
    seed: int,
    device: str,
    results: Results,
    as_json: bool,
    quiet: bool,
) -> None:
    """Fill gaps in CLIP, of any length, with new material of its own kind.

    Training never sees the gaps. Everything outside them stays as it is, bit for bit. In what is longer than a minute,
    gaps near each other share a model, which learns from what is around them; --minutes is for all models together.
    """
    from caw_inpainting.labels import format_labels
    from caw_inpainting.training import Models
    from caw_toolkit.audio.spool import spooled_audio

    if output is not None and takes > 1:
        raise CawUsageError("-o names a single file: leave it out for several takes")
    if not (holes or find or labels):
        raise CawUsageError("nothing to fill: name a gap with --hole START END or --labels FILE, or use --find")
    targets = [] if dry_run else _targets(recording, output, takes, results)
    if as_json and "-" in map(str, targets):
        raise CawUsageError("--json prints to standard output, where the audio goes: name a file with -o")
    inputs = [recording, model_path, labels]
    results.expect(targets, inputs=inputs)
    if write_labels is not None:
        expect_text(write_labels, others=[*inputs, *targets, results.log], force=results.force)
    with spooled_audio(recording, beside=targets[0] if targets else None) as audio:
        _check_rate(audio, model_path)
        unit = 1 if in_samples else audio.sample_rate
        given = [(round(start * unit), round(stop * unit)) for start, stop in holes]
        gaps = _all_gaps(audio, given, labels, find=find, quiet=quiet)
        if write_labels is not None:
            text = format_labels(gaps, audio.sample_rate)
            write_text(write_labels, text, force=results.force, quiet=quiet)
        work = _plan(audio, gaps, with_model=model_path is not None)
        models = Models(audio, work, model_path, minutes=minutes, seed=seed, device=device, quiet=quiet)
        if dry_run:
            _show_plan(work, models, as_json=as_json)
            return
        if not quiet and (find or labels):
            _say(work.list_lines())
        repairs = _repair(audio, work, models, takes, seed=seed, quiet=quiet)
        for target, repair in zip(targets, repairs, strict=True):
            results.write_blocks(
                target,
                repair.blocks(),
                audio.sample_rate,
                channels=audio.channels,
                source=audio.source,
                read=[recording],
                model=model_path,
                found=work.as_json(),
                generated=work.filled,
            )
    if as_json:
        click.echo(json.dumps({"input": str(recording), **work.as_json(), "outputs": [str(path) for path in targets]}))
    if complaint := work.complaint():
        raise CawError(f"{complaint}; the others are")


def _targets(recording: Path, output: Path | None, takes: int, results: Results) -> list[Path]:
    numbers = [None] if takes == 1 else list(range(1, takes + 1))
    return [output or results.beside(recording, "inpainted", take=number) for number in numbers]


def _check_rate(audio: SpooledAudio, model_path: Path | None) -> None:
    """Raise where a model is for another rate."""
    rate = audio.sample_rate if model_path is None else stored_sample_rate(model_path)
    if rate != audio.sample_rate:
        raise CawError(f"{audio.name} is at {audio.sample_rate} Hz, the model at {rate} Hz")


def _all_gaps(
    audio: SpooledAudio, given: Sequence[Gap], labels: Path | None, *, find: bool, quiet: bool
) -> list[ListedGap]:
    """Gaps from all sources, in order; those that touch or overlap are one.

    Raises:
        CawUsageError: one does not lie within the recording.
        CawError: there are none.
    """
    from caw_inpainting.dropouts import find_dropouts
    from caw_inpainting.gaps import ListedGap, list_gaps
    from caw_inpainting.labels import read_labels

    separate = [ListedGap(start, stop, "given") for start, stop in dict.fromkeys(given)]
    if labels is not None:
        separate += read_labels(labels, audio.sample_rate)
    if find:
        with shown_progress(quiet=quiet) as display:
            separate += find_dropouts(audio, lambda share: display.update(share, "looking for gaps"))
    if not separate:
        raise CawError(f"no gaps found in {audio.name}: name one with --hole START END")
    gaps = list_gaps(separate, audio.samples, audio.sample_rate)
    if not quiet and len(gaps) < len(separate):
        click.echo("holes that touch or overlap are filled as one", err=True)
    return gaps


def _plan(audio: SpooledAudio, gaps: Sequence[ListedGap], *, with_model: bool) -> Work:
    """Which gaps are filled together.

    Raises:
        CawError: nothing is left to learn from.
    """
    from caw_inpainting.gaps import SHORTEST_PART_SECONDS
    from caw_inpainting.groups import group_gaps, one_group
    from caw_inpainting.listing import Work

    places = [gap[:2] for gap in gaps]
    groups = [one_group(places, audio)] if with_model else group_gaps(places, audio)
    work = Work(gaps, groups, audio.sample_rate)
    if not work.fillable:
        raise CawError(f"the holes leave no stretch of {SHORTEST_PART_SECONDS:g} s to learn from")
    return work


def _show_plan(work: Work, models: Models, *, as_json: bool) -> None:
    minutes = models.expected_minutes()
    if as_json:
        click.echo(json.dumps({**work.as_json(), "training_minutes": minutes}))
        return
    for line in work.list_lines():
        click.echo(line)
    if minutes:
        for line in work.group_lines():
            click.echo(line)
        click.echo(f"training takes about {minutes:.2g} minutes here; --minutes M takes no more than M")
    if complaint := work.complaint():
        click.echo(complaint)


def _repair(audio: SpooledAudio, work: Work, models: Models, takes: int, *, seed: int, quiet: bool) -> list[Repair]:
    """Fill all gaps that can be filled, for each take."""
    from caw_inpainting.task import Repair
    from caw_toolkit import derived_seed

    places = [gap[:2] for gap in work.gaps]
    repairs = [
        Repair(audio.read, audio.samples, places, seed=derived_seed(seed, "take", take), varied=take > 0)
        for take in range(takes)
    ]
    announcements = [""] if len(work.fillable) == 1 else list(work.group_lines())
    with shown_progress(quiet=quiet) as display:
        for index, (group, announcement) in enumerate(zip(work.fillable, announcements, strict=True)):
            if announcement and not quiet:
                click.echo(announcement, err=True)
            display.begin_file(group.names, index + 1, len(work.fillable))
            model = models.of(group)
            if not quiet:
                _tell_of_long_holes([places[number] for number in group.numbers], audio.sample_rate, model)
            steps = [(repair, number) for repair in repairs for number in group.numbers]
            for done, (repair, number) in enumerate(steps):
                display.update(1 - models.share_of_filling * (1 - done / len(steps)), "filling")
                repair.fill(number, model)
    return repairs


def _tell_of_long_holes(gaps: Sequence[Gap], sample_rate: int, model: PyramidModel) -> None:
    """Say so if a hole is longer than what the model looks at."""
    longest = max(stop - start for start, stop in gaps) / sample_rate
    heard = model.receptive_field_seconds
    if longest > heard:
        click.echo(
            f"a hole of {longest:.1f} s is longer than the {heard:.1f} s that the model hears at once: "
            "what it holds is invented freely, at the levels to be expected",
            err=True,
        )


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line, err=True)
