"""`caw freeze`."""

from __future__ import annotations

from pathlib import Path

import click
from caw_toolkit.cli.options import FILE, force_option, output_beside, output_option, quiet_option, seed_option


@click.command()
@click.argument("clip", type=FILE, metavar="CLIP")
@click.option("--at", "at_seconds", type=click.FloatRange(min=0), metavar="S", help="Moment; default: the loudest.")
@click.option(
    "--duration", type=click.FloatRange(0, 3600, min_open=True), default=30.0, show_default=True, help="Seconds."
)
@output_option(help_text="File to write. Default: CLIP.frozen.wav beside it.")
@seed_option
@quiet_option
@force_option
def freeze(
    clip: Path, at_seconds: float | None, duration: float, output: Path | None, seed: int, quiet: bool, force: bool
) -> None:
    """Turn a moment of CLIP into a pad that can be looped without a seam."""
    from caw_toolkit import check_output, read_audio, write_audio

    from caw_freeze.pad import hold, loudest_moment, moment

    target = output or output_beside(clip, "frozen")
    check_output(target, force)
    audio = read_audio(clip)
    if at_seconds is None:
        at_seconds = loudest_moment(audio.samples, audio.sample_rate)
    held = moment(audio.samples, audio.sample_rate, at_seconds=at_seconds)
    pad = hold(held, max(1, round(duration * audio.sample_rate)), seed=seed)
    write_audio(target, pad, audio.sample_rate, overwrite=force)
    if not quiet and str(target) != "-":
        click.echo(f"wrote {target} ({duration:g} s of the moment at {at_seconds:.2f} s)", err=True)
