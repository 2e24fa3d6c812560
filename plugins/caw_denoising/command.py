"""`caw denoise`: clean a noisy recording."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit.cli.files import DESTINATION, Destination, Files, file_options
from caw_toolkit.cli.options import Amount, examples, json_option, model_option, quiet_option
from caw_toolkit.cli.progress import progress_option
from caw_toolkit.cli.results import Results, exactly, result_options

if TYPE_CHECKING:
    from caw_toolkit import Array


@click.command(epilog=examples("caw denoise old.wav", "caw denoise records/ -r -o cleaned/ --skip-existing"))
@file_options(metavar="NOISY", label="denoised")
@model_option(required=False, help_text="Model of a cleaner recording of the same source, such as another take.")
@click.option("--strength", type=Amount(0, 1), default=1.0, show_default=True, help="How much of the noise to remove.")
@click.option(
    "--residual",
    type=DESTINATION,
    metavar="OUT",
    help="Also write what was removed, there should be no music in it: file, FOLDER/ or template, as for -o.",
)
@click.option("--declick/--no-declick", default=True, show_default=True, help="Whether to remove clicks and crackle.")
@result_options(what="result")
@json_option
@quiet_option
@progress_option
def denoise(
    files: Files,
    model_path: Path | None,
    strength: float,
    residual: Destination | None,
    declick: bool,
    results: Results,
    as_json: bool,
    quiet: bool,
) -> None:
    """Clean NOISY with nothing but itself: no clean recording, no sample of the noise.

    Clicks and crackle go, hum of the mains, and steady noise: hiss, surface noise, rumble. Level, length and alignment
    stay. What was found is printed; clean and dense music comes back as it was.

    With --model, the recording in the model shows what the notes of NOISY sound like without noise. It has
    to be of the same voice or instrument: a model of NOISY itself adds nothing, and one of another source does harm,
    unless it is so different that it is not used.

    NOISY may be a file, a folder, or - for standard input.
    """
    from caw_toolkit import CawUsageError

    if as_json and "-" in (str(files.destination), str(residual)):
        raise CawUsageError("--json prints to standard output, where the audio goes: name a file with -o")
    batch = files.plan(results, reads=[model_path], also=residual)

    from caw_denoising.reference import reference_recording

    reference_at = None if model_path is None else cache(partial(reference_recording, model_path))
    batch.run(
        lambda job, display: _denoise_file(
            job.source,
            job.target,
            residual=job.also,
            model_path=model_path,
            reference_at=reference_at,
            strength=strength,
            declick=declick,
            results=results,
            as_json=as_json,
        )
    )


def _denoise_file(
    source: Path,
    target: Path,
    *,
    residual: Path | None,
    model_path: Path | None,
    reference_at: Callable[[int], Array] | None,
    strength: float,
    declick: bool,
    results: Results,
    as_json: bool,
) -> None:
    """Clean a file; the reference is that of the model, at a sample rate."""
    import json

    from caw_denoising.task import clean
    from caw_toolkit import read_audio
    from caw_toolkit.audio.writing import as_stored

    clip = read_audio(source)
    known = None if reference_at is None else reference_at(clip.sample_rate)
    cleaned = clean(clip.samples, clip.sample_rate, strength=strength, reference=known, declick=declick)
    if not results.quiet:
        for line in cleaned.findings.lines():
            click.echo(f"found {line}", err=True)
        if cleaned.findings.is_clean:
            click.echo(f"no noise to speak of in {source}, or none that could be told from its sound", err=True)
    found = cleaned.findings.as_json()
    write = partial(results.write, sample_rate=clip.sample_rate, of=clip, read=[source], model=model_path, found=found)
    write(target, cleaned.samples)
    if residual is not None:
        # The difference to what is stored, not to what was computed: the two add up to the input.
        stored = as_stored(exactly(clip, cleaned.samples), results.depth(target, clip.source))
        write(residual, (clip.samples if clip.exact is None else clip.exact) - stored)
    if as_json:
        click.echo(json.dumps({"input": str(source), "output": str(target), "found": found}))
