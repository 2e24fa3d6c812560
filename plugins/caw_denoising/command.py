"""`caw denoise`: clean a noisy recording."""

from __future__ import annotations

from pathlib import Path

import click

from caw_toolkit.cli.options import (
    FILE,
    OUTPUT_FILE,
    force_option,
    model_option,
    output_beside,
    output_option,
    quiet_option,
)

#: What is removed counts as noise from this share of the recording's amplitude on: 40 dB below it.
_LEAST_NOISE = 0.01


@click.command()
@click.argument("noisy", type=FILE, metavar="NOISY")
@model_option(required=False, help_text="Model of a cleaner recording of the same source, such as another take.")
@output_option(help_text="File to write. Default: NOISY.denoised.wav beside it.")
@click.option(
    "--strength", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="How much of the noise to remove."
)
@click.option(
    "--residual", type=OUTPUT_FILE, metavar="FILE", help="Also write what was removed: no music should be in it."
)
@quiet_option
@force_option
def denoise(
    noisy: Path,
    model_path: Path | None,
    output: Path | None,
    strength: float,
    residual: Path | None,
    quiet: bool,
    force: bool,
) -> None:
    """Clean NOISY with nothing but itself: no clean recording, no sample of the noise.

    Steady noise goes: hiss, hum, surface noise. Level, length and alignment stay.

    With --model, the recording in the model shows what the notes of NOISY sound like without noise. It has
    to be of the same voice or instrument: a model of NOISY itself adds nothing, and one of another source does harm,
    unless it is so different that it is not used.
    """
    import numpy as np

    from caw_denoising.reference import reference_recording
    from caw_denoising.task import denoise as clean
    from caw_toolkit import check_output, read_audio, write_audio

    target = output or output_beside(noisy, "denoised")
    for path in (target, residual):
        if path is not None:
            check_output(path, force)
    clip = read_audio(noisy)
    known = reference_recording(model_path, clip.sample_rate) if model_path is not None else None
    cleaned = clean(clip.samples, clip.sample_rate, strength=strength, reference=known)
    write_audio(target, cleaned, clip.sample_rate, overwrite=force)
    removed = clip.samples - cleaned
    if residual is not None:
        write_audio(residual, removed, clip.sample_rate, overwrite=force)
    if strength and not quiet and np.linalg.norm(removed) <= _LEAST_NOISE * strength * np.linalg.norm(clip.samples):
        click.echo(f"hardly any steady noise found in {noisy}: the output is practically the input", err=True)
    if not quiet and str(target) != "-":
        click.echo(f"wrote {target}", err=True)
