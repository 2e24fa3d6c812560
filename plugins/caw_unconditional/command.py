"""`caw generate`: takes of any length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit import CawUsageError
from caw_toolkit.cli.json_results import print_result, refuse_json_beside_audio
from caw_toolkit.cli.options import (
    Amount,
    NamedPath,
    device_option,
    examples,
    json_option,
    model_option,
    next_take,
    quiet_option,
    seed_option,
    takes_option,
)
from caw_toolkit.cli.progress import progress_option, shown_progress
from caw_toolkit.cli.results import Results, result_options
from caw_toolkit.pyramid.coherence import LEAST_COHERENCE_SECONDS, MOST_COHERENCE_SECONDS

if TYPE_CHECKING:
    from caw_toolkit import PyramidModel


@click.command(
    epilog=examples(
        "caw generate -m clip.pt -n 3",
        "caw generate -m clip.pt --duration 600 --seed 1 -o long.flac",
        "caw generate -m clip.pt --coherence 8 -o phrases.wav",
    )
)
@model_option()
@click.option(
    "-o",
    "--output",
    type=NamedPath(path_type=Path),
    metavar="OUT",
    help="File or folder to write; - is standard output. Default: MODEL_take1.wav and so on, in this folder, going on "
    "from the takes that exist.",
)
@click.option("--duration", type=Amount(min=0, min_open=True), metavar="S", help="Length in seconds; default: 30.")
@click.option("--like-length", type=click.Path(exists=True, dir_okay=False), metavar="FILE", help="As long as FILE.")
@takes_option(former_names=["--count"])
@click.option("--all-scales", is_flag=True, help="Write what every scale of the pyramid makes, too.")
@click.option("--keep-edges", is_flag=True, help="Begin and end like the training clip, if the model has memorised it.")
@click.option(
    "--beat/--no-beat", default=True, show_default=True, help="Keep to the beat of the recording, if it has one."
)
@click.option(
    "--coherence",
    type=Amount(min=LEAST_COHERENCE_SECONDS, max=MOST_COHERENCE_SECONDS),
    metavar="S",
    help="How long what is made holds together, in seconds: 2 mumbles, 8 keeps sequences of words and whole phrases of "
    "the recording, more keeps longer ones. Default: as the preset has it, between 2 and 4.",
)
@result_options(what="take", clipping="scale")
@seed_option
@device_option
@json_option
@quiet_option
@progress_option
def generate(
    model_path: Path,
    output: Path | None,
    duration: float | None,
    like_length: str | None,
    takes: int,
    all_scales: bool,
    keep_edges: bool,
    beat: bool,
    coherence: float | None,
    results: Results,
    seed: int,
    device: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Generate new audio from a trained model.

    Takes of one seed differ from each other, and the same seed gives the same takes.
    """
    if duration is not None and like_length is not None:
        raise CawUsageError("--duration and --like-length exclude each other")
    refuse_json_beside_audio(as_json, output)
    seconds = _length_of(like_length) if like_length else (30.0 if duration is None else duration)
    targets = list(_targets(model_path, output, takes, results.suffix or ".wav", goes_on=not results.force))
    if all_scales and str(targets[0]) == "-":
        raise CawUsageError("--all-scales writes several files: name a file or a folder with -o")
    inputs = [model_path, *([Path(like_length)] if like_length else [])]
    results.expect(targets, inputs=inputs)

    from caw_toolkit import PyramidModel
    from caw_unconditional import task

    model = PyramidModel.load(model_path, device)
    rates = model.rates if all_scales else (model.sample_rate,)
    files = {
        (take, rate): _at_rate(target, rate) if rate != model.sample_rate else target
        for take, target in enumerate(targets)
        for rate in rates
    }
    for rate in rates:
        results.expect([files[take, rate] for take in range(takes)], inputs=inputs, sample_rate=rate)
        results.require_room(files[0, rate], samples=seconds * rate * takes, channels=model.channels)
    if not quiet:
        _tell_of_the_model(model, keep_edges=keep_edges, coherence=coherence)
    written = []
    with shown_progress(quiet=quiet) as display:
        made = task.takes(
            model,
            seconds,
            count=takes,
            seed=seed,
            rates=rates,
            keep_edges=keep_edges,
            keep_beat=beat,
            coherence=coherence,
        )
        for number, (take, rate, blocks) in enumerate(made, 1):
            target = files[take, rate]
            display.begin_file(target.name, number, len(files))
            shown = display.tracked(blocks, seconds * rate)
            note = f" ({seconds:g} s, {rate} Hz)"
            result = results.write_blocks(target, shown, rate, channels=model.channels, model=model_path, note=note)
            written.append(result.path)
    if as_json:
        print_result(None, written, model=model_path, found={})


def _tell_of_the_model(model: PyramidModel, *, keep_edges: bool, coherence: float | None) -> None:
    """Say what takes of a model do not have, whatever is asked for."""
    if keep_edges and not any(scale.generator.memorises_edges for scale in model.scales):
        click.echo("this model knows nothing of the ends of its recording: --keep-edges changes little", err=True)
    if model.findings.is_texture and model.scales[-1].generator.can_scatter and coherence is None:
        click.echo(
            "a texture: takes are made of grains of the recording in another order, and keep no sequence of events; "
            "--coherence S keeps those of about S seconds",
            err=True,
        )


def _length_of(path: str) -> float:
    from caw_toolkit.audio.blocks import open_audio

    with open_audio(path) as audio:
        return float(sum(block.shape[1] for block in audio) / audio.sample_rate)


def _targets(
    model_path: Path, output: Path | None, takes: int, default_suffix: str, *, goes_on: bool
) -> Iterator[Path]:
    """The file of each take: OUT itself for a single one, OUT_take1 and so on for several, or files in a folder OUT.

    Takes that are named here go on from those that exist.
    """
    if output is not None and str(output) == "-":
        if takes > 1:
            raise CawUsageError("standard output takes a single take: leave -n out, or name a folder with -o")
        yield output
    elif output is not None and not output.is_dir() and output.suffix:
        names = (f"{output.stem}_take{take}{output.suffix}" for take in range(1, takes + 1))
        yield from [output] if takes == 1 else map(output.with_name, names)
    else:
        folder = output or Path()
        first = next_take(folder, f"{model_path.stem}_take", default_suffix) if goes_on else 1
        for take in range(first, first + takes):
            yield folder / f"{model_path.stem}_take{take}{default_suffix}"


def _at_rate(target: Path, rate: int) -> Path:
    return target.with_name(f"{target.stem}_{rate}hz{target.suffix}")
