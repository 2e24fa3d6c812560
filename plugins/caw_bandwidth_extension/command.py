"""`caw bwe`: bandwidth extension."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit.cli.file_jobs import FileJob
from caw_toolkit.cli.files import Files, file_options
from caw_toolkit.cli.json_results import print_result, refuse_json_beside_audio
from caw_toolkit.cli.options import (
    FILE,
    device_option,
    examples,
    json_option,
    model_option,
    quiet_option,
    seed_option,
)
from caw_toolkit.cli.progress import ProgressDisplay, progress_option
from caw_toolkit.cli.results import Results, result_options, stored_sample_rate

if TYPE_CHECKING:
    from caw_bandwidth_extension.roll_off import RollOff
    from caw_toolkit import PyramidModel


@click.command(epilog=examples("caw bwe call.wav -m speaker.pt", "caw bwe calls/ -m speaker.pt -o wide/"))
@file_options(metavar="LOWRES", label="bwe")
@model_option(help_text="Model trained on a full-bandwidth recording of the same source.")
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
@json_option
@quiet_option
@progress_option
def bwe(
    files: Files,
    model_path: Path,
    filter_path: Path | None,
    seed: int,
    device: str,
    results: Results,
    as_json: bool,
    quiet: bool,
) -> None:
    """Add the highs that each LOWRES has lost, from a model of the same speaker or instrument.

    The recording's own band is kept, and an anti-alias filter's roll-off at its end undone where it is mild; what it
    lacks is found from its spectrum, whatever its rate.

    LOWRES may be a file, a folder, or - for standard input.
    """
    refuse_json_beside_audio(as_json, files.destination)
    rate = stored_sample_rate(model_path)
    batch = files.plan(results, reads=[model_path, filter_path], sample_rate=rate)

    from caw_bandwidth_extension.roll_off import of_filter
    from caw_toolkit import PyramidModel

    roll_off = of_filter(filter_path) if filter_path else None
    request = _Request(PyramidModel.load(model_path, device), model_path, roll_off, seed, as_json, results)
    batch.run(lambda job, display: _extend_file(job, request, display))


@dataclass(frozen=True)
class _Request:
    """What was asked for, as the options say it."""

    model: PyramidModel
    model_path: Path
    roll_off: RollOff | None
    seed: int
    as_json: bool
    results: Results


def _extend_file(job: FileJob, request: _Request, display: ProgressDisplay) -> None:
    """Extend a file and write the result."""
    from caw_bandwidth_extension.long_files import extend_blocks, survey
    from caw_toolkit.audio.blocks import open_audio

    model = request.model
    with open_audio(job.source) as audio:
        known = survey(model, lambda: audio, audio.sample_rate, roll_off=request.roll_off)
        extended = extend_blocks(
            model,
            audio,
            audio.sample_rate,
            known,
            channels=audio.channels,
            seed=request.seed,
            on_progress=display.update,
        )
        found = {"bandwidth_hz": known.cutoff_hz}
        written = request.results.write_blocks(
            job.target,
            extended,
            model.sample_rate,
            channels=audio.channels,
            source=audio.source,
            source_rate=audio.sample_rate,
            read=[job.source],
            model=request.model_path,
            note=f" ({model.sample_rate} Hz)",
            found=found,
        )
    if request.as_json:
        print_result(job.source, [written.path], model=request.model_path, found=found)
