"""`caw bwe`: bandwidth extension."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from caw_toolkit import CawUsageError
from caw_toolkit.cli.batch import Batch
from caw_toolkit.cli.options import (
    FILE,
    device_option,
    model_option,
    output_option,
    quiet_option,
    seed_option,
)
from caw_toolkit.cli.progress import progress_option, shown_progress
from caw_toolkit.cli.results import Results, result_options, stored_sample_rate


@click.command()
@click.argument("recordings", nargs=-1, required=True, type=FILE, metavar="LOWRES...")
@model_option(help_text="Model trained on a full-bandwidth recording of the same source.")
@output_option(help_text="File to write, for a single LOWRES. Default: LOWRES.bwe beside it, in its format.")
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
@result_options(what="whole")
@quiet_option
@progress_option
def bwe(
    recordings: Sequence[Path],
    model_path: Path,
    output: Path | None,
    filter_path: Path | None,
    seed: int,
    device: str,
    results: Results,
    quiet: bool,
) -> None:
    """Add the highs that each LOWRES has lost, from a model of the same speaker or instrument.

    The recording's own band is kept, and an anti-alias filter's roll-off at its end undone where it is mild; what it
    lacks is found from its spectrum, whatever its rate.
    """
    from caw_bandwidth_extension.roll_off import of_filter
    from caw_bandwidth_extension.task import bandwidth, extend
    from caw_toolkit import PyramidModel, read_audio
    from caw_toolkit.processors.model_processor import on_model_channels

    if output is not None and len(recordings) > 1:
        raise CawUsageError("-o names a single file: leave it out for several recordings")
    rate = stored_sample_rate(model_path)
    targets = [output or results.beside(recording, "bwe", sample_rate=rate) for recording in recordings]
    if len(set(targets)) < len(targets):
        raise CawUsageError("two recordings have the same name but for its ending: extend them one by one with -o")
    results.expect(targets, inputs=[*recordings, model_path, filter_path], sample_rate=rate)
    roll_off = of_filter(filter_path) if filter_path else None
    model = PyramidModel.load(model_path, device)
    batch = Batch(len(recordings))
    display = click.get_current_context().with_resource(shown_progress(quiet=quiet))
    for number, (recording, target) in enumerate(zip(recordings, targets, strict=True), 1):
        with batch.file(recording):
            display.begin_file(recording.name, number, len(recordings))
            clip = read_audio(recording)
            own = bandwidth(clip.samples, clip.sample_rate)
            each = partial(extend, model, sample_rate=clip.sample_rate, seed=seed, roll_off=roll_off, cutoff_hz=own)
            audio = on_model_channels(model, clip.samples, each)
            results.write(
                target,
                audio,
                model.sample_rate,
                of=clip,
                read=[recording],
                model=model_path,
                note=f" ({model.sample_rate} Hz)",
                found={"bandwidth_hz": own},
            )
    batch.finish()
