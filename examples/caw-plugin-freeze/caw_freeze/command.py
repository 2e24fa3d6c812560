"""`caw freeze`."""

from __future__ import annotations

from pathlib import Path

import click
from caw_toolkit.cli.options import FILE, output_option, quiet_option, seed_option
from caw_toolkit.cli.results import Results, result_options


@click.command()
@click.argument("clip", type=FILE, metavar="CLIP")
@click.option("--at", "at_seconds", type=click.FloatRange(min=0), metavar="S", help="Moment; default: the loudest.")
@click.option(
    "--duration", type=click.FloatRange(0, 3600, min_open=True), default=30.0, show_default=True, help="Seconds."
)
@output_option(help_text="File to write. Default: CLIP.frozen beside it, in its format.")
@result_options(what="pad", clipping="scale")
@seed_option
@quiet_option
def freeze(
    clip: Path,
    at_seconds: float | None,
    duration: float,
    output: Path | None,
    results: Results,
    seed: int,
    quiet: bool,
) -> None:
    """Turn a moment of CLIP into a pad that can be looped without a seam."""
    from caw_toolkit import read_audio

    from caw_freeze.pad import hold, loudest_moment, moment

    target = output or results.beside(clip, "frozen")
    results.expect([target], inputs=[clip])
    audio = read_audio(clip)
    if at_seconds is None:
        at_seconds = loudest_moment(audio.samples, audio.sample_rate)
    held = moment(audio.samples, audio.sample_rate, at_seconds=at_seconds)
    pad = hold(held, max(1, round(duration * audio.sample_rate)), seed=seed)
    note = f" ({duration:g} s of the moment at {at_seconds:.2f} s)"
    # Not `of=audio`: the recording's markers are of moments that the pad does not have.
    results.write(target, pad, audio.sample_rate, read=[clip], note=note, found={"at_seconds": at_seconds})
