"""`caw inpaint`: fill gaps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit import CawError, CawUsageError
from caw_toolkit.cli.file_jobs import FileJob
from caw_toolkit.cli.files import Files, file_options
from caw_toolkit.cli.json_results import print_result, refuse_json_beside_audio
from caw_toolkit.cli.lines import say
from caw_toolkit.cli.options import (
    Amount,
    NamedPath,
    device_option,
    examples,
    json_option,
    minutes_option,
    model_option,
    quiet_option,
    seed_option,
    takes_option,
)
from caw_toolkit.cli.progress import ProgressDisplay, progress_option
from caw_toolkit.cli.renamed_options import RenamedOption
from caw_toolkit.cli.results import Results, result_options, stored_sample_rate
from caw_toolkit.cli.texts import expect_text, write_text
from caw_toolkit.durations import in_words

if TYPE_CHECKING:
    from caw_inpainting.gaps import ListedGap
    from caw_inpainting.listing import Work
    from caw_inpainting.models import Models, ModelSource
    from caw_toolkit.audio.spool import SpooledAudio

#: Of the work on a file.
_SHARE_OF_FINDING = 0.05


@click.command(
    epilog=examples(
        "caw inpaint talk.wav --find --dry-run --write-labels gaps.txt",
        "caw inpaint talk.wav --labels gaps.txt",
        "caw inpaint tapes/ -r --find -o repaired/",
    )
)
@file_options(metavar="CLIP", label="inpainted")
@click.option(
    "--gap",
    "gaps",
    cls=RenamedOption,
    former_names=["--hole"],
    type=(Amount(), Amount()),
    multiple=True,
    metavar="START END",
    help="A gap, in seconds; repeatable.",
)
@click.option("--samples", "in_samples", is_flag=True, help="--gap is in samples.")
@click.option("--find", is_flag=True, help="Find gaps: digital silence, repeated buffers, drops of the level.")
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
@takes_option("Takes of each CLIP.")
@minutes_option
@seed_option
@device_option
@result_options(what="whole")
@json_option
@quiet_option
@progress_option
def inpaint(
    files: Files,
    gaps: Sequence[tuple[float, float]],
    in_samples: bool,
    find: bool,
    labels: Path | None,
    write_labels: Path | None,
    dry_run: bool,
    model_path: Path | None,
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

    CLIP may be a file, a folder, or - for standard input; gaps of several files are found, not named.
    """
    if not (gaps or find or labels):
        raise CawUsageError("nothing to fill: name a gap with --gap START END or --labels FILE, or use --find")
    if in_samples and (broken := [end for gap in gaps for end in gap if end != int(end)]):
        raise CawUsageError(f"--samples takes whole numbers, and {broken[0]:g} is none")
    refuse_json_beside_audio(as_json, files.destination)
    outputs = replace(results, force=True) if dry_run else results  # nothing will be replaced
    batch = files.plan(outputs, takes=takes if takes > 1 else None, reads=[model_path, labels])
    if batch.count > 1 and (gaps or labels or write_labels):
        raise CawUsageError("--gap and labels are of one recording: give one, or use --find")
    if write_labels is not None:
        others = [model_path, labels, results.log, *(path for job in batch.jobs for path in (job.source, *job.targets))]
        expect_text(write_labels, others=others, force=results.force)

    from caw_inpainting.models import ModelSource

    models_from = ModelSource(model_path=model_path, minutes=minutes, seed=seed, device=device, quiet=quiet)
    request = _Request(
        gaps,
        in_samples,
        find,
        labels,
        write_labels,
        dry_run,
        models_from,
        as_json,
        results,
        is_of_one_file=batch.count == 1,
    )
    batch.run(lambda job, display: _inpaint_file(job, request, display))


@dataclass(frozen=True)
class _Request:
    """What was asked for, as the options say it."""

    gaps: Sequence[tuple[float, float]]
    in_samples: bool
    find: bool
    labels: Path | None
    write_labels: Path | None
    dry_run: bool
    models_from: ModelSource
    as_json: bool
    results: Results
    is_of_one_file: bool


def _inpaint_file(job: FileJob, request: _Request, display: ProgressDisplay) -> None:
    """Find, list and fill the gaps of a file."""
    from caw_inpainting.filling import fill_all
    from caw_inpainting.labels import format_labels
    from caw_inpainting.listing import Work
    from caw_inpainting.models import Models
    from caw_toolkit.audio.spool import spooled_audio

    models_from, results, quiet = request.models_from, request.results, request.results.quiet
    with spooled_audio(job.source, beside=None if request.dry_run else job.target) as audio:
        _check_rate(audio, models_from.model_path)
        gaps = _all_gaps(audio, request, display)
        if not gaps:
            if request.dry_run and request.as_json:
                nothing = Work([], [], audio.sample_rate)
                click.echo(json.dumps({"input": audio.name, **nothing.as_json(), "training_minutes": 0.0}))
                return
            if request.is_of_one_file:
                raise CawError(f"no gaps found in {audio.name}: name one with --gap START END")
            _say([f"no gaps found in {audio.name}"] if not quiet else [])
            return
        if request.write_labels is not None:
            text = format_labels(gaps, audio.sample_rate)
            write_text(request.write_labels, text, force=results.force, quiet=quiet)
        work = _plan(audio, gaps, with_model=models_from.model_path is not None)
        models = Models(audio, work, models_from)
        if request.dry_run:
            _show_plan(audio.name, work, models, as_json=request.as_json)
            return
        if not quiet and (request.find or request.labels):
            _say(work.list_lines())
        repairs = fill_all(
            audio, work, models, takes=[take for take, _ in job.takes], display=display, begun=_SHARE_OF_FINDING
        )
        outputs = []
        for (_, target), repair in zip(job.takes, repairs, strict=True):
            written = results.write_blocks(
                target,
                repair.blocks(),
                audio.sample_rate,
                channels=audio.channels,
                source=audio.source,
                read=[job.source, *([request.labels] if request.labels else [])],
                model=models_from.model_path,
                found=work.as_json(),
                generated=work.filled,
            )
            outputs.append(written.path)
    if request.as_json:
        found = work.as_json()
        print_result(job.source, outputs, model=models_from.model_path, found=found, **found)
    if complaint := work.complaint():
        raise CawError(f"{complaint}; the others are")


def _check_rate(audio: SpooledAudio, model_path: Path | None) -> None:
    """Raise where a model is for another rate."""
    rate = audio.sample_rate if model_path is None else stored_sample_rate(model_path)
    if rate != audio.sample_rate:
        raise CawError(f"{audio.name} is at {audio.sample_rate} Hz, the model at {rate} Hz")


def _all_gaps(audio: SpooledAudio, request: _Request, display: ProgressDisplay) -> list[ListedGap]:
    """Gaps from all sources, in order; those that touch or overlap are one.

    Raises:
        CawUsageError: one does not lie within the recording, or is of a channel that it does not have.
    """
    from caw_inpainting.dropouts import find_dropouts
    from caw_inpainting.gaps import ListedGap, list_gaps
    from caw_inpainting.labels import read_labels

    unit = 1 if request.in_samples else audio.sample_rate
    given = [(round(start * unit), round(stop * unit)) for start, stop in request.gaps]
    separate = [ListedGap(start, stop, "given") for start, stop in dict.fromkeys(given)]
    if request.labels is not None:
        separate += read_labels(request.labels, audio.sample_rate)
        _check_channels(separate, audio, request.labels)
    if request.find:
        separate += find_dropouts(audio, lambda share: display.update(_SHARE_OF_FINDING * share, "looking for gaps"))
    gaps = list_gaps(separate, audio.samples, audio.sample_rate)
    if not request.results.quiet and len(gaps) < len(separate):
        click.echo("gaps that touch or overlap are filled as one", err=True)
    return gaps


def _check_channels(gaps: Sequence[ListedGap], audio: SpooledAudio, labels: Path) -> None:
    """Raise where a label is of one channel of a mono recording."""
    named = [gap.text for gap in gaps if gap.channel is not None]
    if named and audio.channels == 1:
        raise CawUsageError(
            f"{labels} names the channel of '{named[0]}', but {audio.name} is mono: take it off the label"
        )


def _plan(audio: SpooledAudio, gaps: Sequence[ListedGap], *, with_model: bool) -> Work:
    """Which gaps are filled together.

    Raises:
        CawError: nothing is left to learn from.
    """
    from caw_inpainting.gaps import SHORTEST_PART_SECONDS
    from caw_inpainting.groups import group_for_model, group_gaps
    from caw_inpainting.listing import Work

    places = [gap[:2] for gap in gaps]
    groups = [group_for_model(places, audio)] if with_model else group_gaps(places, audio)
    work = Work(gaps, groups, audio.sample_rate)
    if not work.fillable:
        raise CawError(f"the gaps leave no stretch of {SHORTEST_PART_SECONDS:g} s to learn from")
    return work


def _show_plan(name: str, work: Work, models: Models, *, as_json: bool) -> None:
    minutes = models.expected_minutes()
    if as_json:
        click.echo(json.dumps({"input": name, **work.as_json(), "training_minutes": minutes}))
        return
    for line in work.list_lines():
        say(line, err=False)
    if minutes:
        for line in work.group_lines():
            say(line, err=False)
        click.echo(f"training takes about {in_words(60 * minutes)} here; --minutes M takes no more than M minutes")
    if complaint := work.complaint():
        click.echo(complaint)


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)
