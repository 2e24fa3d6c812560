"""`caw denoise`: clean a noisy recording."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from caw_toolkit.cli.options import (
    FILE,
    OUTPUT_FILE,
    Amount,
    json_option,
    model_option,
    output_option,
    quiet_option,
)
from caw_toolkit.cli.progress import progress_option, shown_progress
from caw_toolkit.cli.results import Results, exactly, result_options


@click.command()
@click.argument("noisy", type=FILE, metavar="NOISY")
@model_option(required=False, help_text="Model of a cleaner recording of the same source, such as another take.")
@output_option(help_text="File to write. Default: NOISY.denoised beside it, in its format.")
@click.option("--strength", type=Amount(0, 1), default=1.0, show_default=True, help="How much of the noise to remove.")
@click.option(
    "--residual", type=OUTPUT_FILE, metavar="FILE", help="Also write what was removed: no music should be in it."
)
@click.option("--declick/--no-declick", default=True, show_default=True, help="Whether to remove clicks and crackle.")
@result_options(what="result")
@json_option
@quiet_option
@progress_option
def denoise(
    noisy: Path,
    model_path: Path | None,
    output: Path | None,
    strength: float,
    residual: Path | None,
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
    """
    import json

    from caw_denoising.reference import reference_recording
    from caw_denoising.task import clean
    from caw_toolkit import CawUsageError, read_audio
    from caw_toolkit.audio.writing import as_stored

    target = output or results.beside(noisy, "denoised")
    if as_json and "-" in (str(target), str(residual)):
        raise CawUsageError("--json prints to standard output, where the audio goes: name a file with -o")
    results.expect([target] if residual is None else [target, residual], inputs=[noisy, model_path])
    display = click.get_current_context().with_resource(shown_progress(quiet=quiet))
    display.begin_file(noisy.name, 1, 1)
    clip = read_audio(noisy)
    known = reference_recording(model_path, clip.sample_rate) if model_path is not None else None
    cleaned = clean(clip.samples, clip.sample_rate, strength=strength, reference=known, declick=declick)
    if not quiet:
        for line in cleaned.findings.lines():
            click.echo(f"found {line}", err=True)
        if cleaned.findings.is_clean:
            click.echo(f"no noise to speak of in {noisy}, or none that could be told from its sound", err=True)
    found = cleaned.findings.as_json()
    write = partial(results.write, sample_rate=clip.sample_rate, of=clip, read=[noisy], model=model_path, found=found)
    write(target, cleaned.samples)
    if residual is not None:
        # The difference to what is stored, not to what was computed: the two add up to the input.
        stored = as_stored(exactly(clip, cleaned.samples), results.depth(target, clip.source))
        write(residual, (clip.samples if clip.exact is None else clip.exact) - stored)
    if as_json:
        click.echo(json.dumps({"input": str(noisy), "output": str(target), "found": found}))
