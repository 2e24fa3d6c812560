"""`caw inpaint`: fill gaps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit import CawError, CawUsageError
from caw_toolkit.cli.options import (
    FILE,
    Amount,
    device_option,
    minutes_option,
    model_option,
    output_option,
    quiet_option,
    seed_option,
)
from caw_toolkit.cli.progress import progress_option
from caw_toolkit.cli.results import Results, result_options

if TYPE_CHECKING:
    from caw_toolkit import Gap


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
@click.option("--find", is_flag=True, help="Take every run of digital silence as a gap.")
@model_option(required=False, help_text="Finished model; without it one is trained on what is left of CLIP.")
@output_option(
    help_text="File to write, for a single take. Default: CLIP.inpainted, or .inpainted1 and so on, in its format."
)
@click.option("-n", "--takes", type=click.IntRange(1, 1000), default=1, show_default=True, help="Number of takes.")
@minutes_option
@seed_option
@device_option
@result_options(what="whole")
@quiet_option
@progress_option
def inpaint(
    recording: Path,
    holes: Sequence[tuple[float, float]],
    in_samples: bool,
    find: bool,
    model_path: Path | None,
    output: Path | None,
    takes: int,
    minutes: float | None,
    seed: int,
    device: str,
    results: Results,
    quiet: bool,
) -> None:
    """Fill gaps in CLIP with new material of its own kind.

    Training never sees the gaps. Everything outside them stays as it is, bit for bit.
    """
    from caw_inpainting import gaps as gap_tools
    from caw_inpainting import task
    from caw_toolkit import derived_seed, read_audio
    from caw_toolkit.cli.progress import load_or_train

    if output is not None and takes > 1:
        raise CawUsageError("-o names a single file: leave it out for several takes")
    numbers = [None] if takes == 1 else list(range(1, takes + 1))
    targets = [output or results.beside(recording, "inpainted", take=number) for number in numbers]
    results.expect(targets, inputs=[recording, model_path])
    clip = read_audio(recording)
    unit = 1 if in_samples else clip.sample_rate
    given = [(round(start * unit), round(stop * unit)) for start, stop in holes]
    found = gap_tools.find_silences(clip) if find else []
    gaps = gap_tools.check_gaps([*given, *found], clip)
    if not gaps:
        raise CawUsageError("nothing to fill: name a gap with --hole START END, or use --find")
    model = load_or_train(
        gap_tools.remaining_parts(clip, gaps),
        model_path,
        sample_rate=clip.sample_rate,
        minutes=minutes,
        seed=seed,
        device=device,
        quiet=quiet,
    )
    if model.sample_rate != clip.sample_rate:
        raise CawError(f"{recording} is at {clip.sample_rate} Hz, the model at {model.sample_rate} Hz")
    if not quiet:
        if len(gaps) < len(set(given).union(found)):
            click.echo("holes that touch or overlap are filled as one", err=True)
        _tell_of_long_holes(gaps, clip.sample_rate, model.receptive_field_seconds)
    for take, target in enumerate(targets):
        audio = task.fill(model, clip.samples, gaps, seed=derived_seed(seed, "take", take), varied=take > 0)
        results.write(target, audio, clip.sample_rate, of=clip, read=[recording], model=model_path, generated=gaps)


def _tell_of_long_holes(gaps: Sequence[Gap], sample_rate: int, heard: float) -> None:
    """Say so if a hole is longer than the `heard` seconds that the model looks at."""
    longest = max(stop - start for start, stop in gaps) / sample_rate
    if longest > heard:
        click.echo(
            f"a hole of {longest:.1f} s is longer than the {heard:.1f} s that the model hears at once: "
            "what it holds is invented freely, at the levels to be expected",
            err=True,
        )
