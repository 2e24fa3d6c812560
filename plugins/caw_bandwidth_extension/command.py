"""`caw bwe`: bandwidth extension."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from caw_toolkit import CawError, CawUsageError
from caw_toolkit.cli.options import (
    FILE,
    device_option,
    force_option,
    keep_for_audio,
    model_option,
    output_beside,
    output_option,
    quiet_option,
    seed_option,
)


@click.command()
@click.argument("recordings", nargs=-1, required=True, type=FILE, metavar="LOWRES...")
@model_option(help_text="Model trained on a full-bandwidth recording of the same source.")
@output_option(help_text="File to write, for a single LOWRES. Default: LOWRES.bwe.wav beside it.")
@click.option(
    "--filter",
    "filter_path",
    type=FILE,
    metavar="FILE",
    help="Impulse response, as a mono audio file, of the anti-alias filter that the recordings went through. Its level "
    "and delay do not count. Without it the roll-off is measured against the recording in the model.",
)
@seed_option
@device_option
@quiet_option
@force_option
def bwe(
    recordings: Sequence[Path],
    model_path: Path,
    output: Path | None,
    filter_path: Path | None,
    seed: int,
    device: str,
    quiet: bool,
    force: bool,
) -> None:
    """Add the highs that each LOWRES has lost, from a model of the same speaker or instrument.

    The recording's own band is kept, and an anti-alias filter's roll-off at its end undone where it is mild; what it
    lacks is found from its spectrum, whatever its rate.
    """
    from caw_bandwidth_extension.roll_off import of_filter
    from caw_bandwidth_extension.task import extend
    from caw_toolkit import PyramidModel, check_output, read_audio, write_audio

    if output is not None and len(recordings) > 1:
        raise CawUsageError("-o names a single file: leave it out for several recordings")
    targets = [output or output_beside(recording, "bwe") for recording in recordings]
    if len(set(targets)) < len(targets):
        raise CawUsageError("two recordings have the same name but for its ending: extend them one by one with -o")
    keep_for_audio(*targets)
    for target in targets:
        check_output(target, force)
    roll_off = of_filter(filter_path) if filter_path else None
    model = PyramidModel.load(model_path, device)
    for recording, target in zip(recordings, targets, strict=True):
        clip = read_audio(recording)
        if clip.channels != model.channels:
            raise CawError(f"{recording} has {clip.channels} channel(s), the model has {model.channels}")
        audio = extend(model, clip.samples, clip.sample_rate, seed=seed, roll_off=roll_off)
        written = write_audio(target, audio, model.sample_rate, clipping="clip", overwrite=force)  # the level stays
        if not quiet and str(target) != "-":
            click.echo(f"wrote {target} ({model.sample_rate} Hz{written.changes})", err=True)
