"""`caw report`: a page to listen to files and to compare them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from caw_toolkit.cli.options import FILE, OUTPUT_FILE, examples, force_option, model_option, quiet_option
from caw_toolkit.cli.page_output import PageFile
from caw_toolkit.cli.progress import progress_option, shown_progress
from caw_toolkit.cli.recorded_settings import RecordedSettings
from caw_toolkit.errors import CawError, CawUsageError

if TYPE_CHECKING:
    from caw_toolkit.pages.track import Track


@click.command(
    epilog=examples(
        "caw report takes.html clip.wav clip_take*.wav --recording clip.wav", "caw report all.html results/*.wav"
    )
)
@click.argument("output", type=OUTPUT_FILE, metavar="OUT.html")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@click.option("--recording", type=FILE, metavar="FILE", help="The recording that the files were made from.")
@model_option(required=False, help_text="The model that made them, instead of --recording, if it holds its recording.")
@click.option(
    "--log",
    "logs",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="Record of how they were made, as --log of other commands writes it.",
)
@click.option("--title", default="Takes", show_default=True, help="Of the page.")
@click.option(
    "--audio",
    "audio_format",
    type=click.Choice(["flac", "opus"]),
    default="flac",
    show_default=True,
    help="How the page holds audio: in 16 bits exactly, or in less space, which older versions of Safari do not play.",
)
@quiet_option
@progress_option
@force_option
def report(
    output: Path,
    files: Sequence[Path],
    recording: Path | None,
    model_path: Path | None,
    logs: Sequence[Path],
    title: str,
    audio_format: Literal["flac", "opus"],
    quiet: bool,
    force: bool,
) -> None:
    """Write OUT.html, a page to listen to FILEs, switch between them, and see them.

    The page holds the audio and needs neither a server nor a network. With --recording or --model it also says how
    near each file is to the recording, how much is copied, and where in the recording each moment comes from.
    """
    if recording is not None and model_path is not None:
        raise CawUsageError("--recording and --model exclude each other")
    page = PageFile(output, force)
    page.expect([path for path in (*files, recording, model_path, *logs) if path is not None])

    from caw_toolkit.pages.page import Page
    from caw_toolkit.pages.track import compared, track_of_file

    settings = RecordedSettings(logs)
    steps = len(files) + 1
    with shown_progress(quiet=quiet) as display:
        original = _recording(recording, model_path)
        tracks = [] if original is None else [original]
        for number, path in enumerate(files, 1):
            display.begin_file(path.name, number, steps)
            take = track_of_file(path, settings.of(path))
            if original is not None:
                take = compared(take, original, lambda share: display.update(share, "comparing"))
            tracks.append(take)
        display.begin_file(output.name, steps, steps)
        page.write(Page(title, tracks), audio_format=audio_format, quiet=quiet)


def _recording(path: Path | None, model_path: Path | None) -> Track | None:
    """The recording of a page, from a file or from a model."""
    from caw_toolkit.pages.track import recording_of_model, track_of_file

    if path is not None:
        return track_of_file(path, role="recording")
    if model_path is None:
        return None

    from caw_toolkit.pyramid.model import PyramidModel

    held = recording_of_model(PyramidModel.load(model_path))
    if held is None:
        raise CawError(f"{model_path} does not hold its recording: name the file with --recording instead")
    return held
