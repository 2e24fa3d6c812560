"""`caw vary`: variations of a song."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from caw_toolkit import CawUsageError
from caw_toolkit.cli.options import (
    FILE,
    device_option,
    force_option,
    minutes_option,
    model_option,
    output_beside,
    output_option,
    quiet_option,
    seed_option,
)


@click.command()
@click.argument("songs", nargs=-1, required=True, type=FILE, metavar="SONG...")
@model_option(required=False, help_text="Finished model; without it one is trained on each SONG first.")
@output_option(help_text="File to write, for a single take of a single SONG. Default: SONG.varied1.wav and so on.")
@click.option("-n", "--count", type=click.IntRange(1, 1000), default=1, show_default=True, help="Takes of each SONG.")
@click.option(
    "--strength",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="0 keeps the structure of the song, 1 makes a new one.",
)
@click.option(
    "--scale",
    type=int,
    metavar="HZ",
    help="Enter the pyramid at this scale; what the scales below it hold is kept.",
)
@minutes_option
@seed_option
@device_option
@quiet_option
@force_option
def vary(
    songs: Sequence[Path],
    model_path: Path | None,
    output: Path | None,
    count: int,
    strength: float,
    scale: int | None,
    minutes: float | None,
    seed: int,
    device: str,
    quiet: bool,
    force: bool,
) -> None:
    """Make variations of each SONG, which may be the recording that the model was trained on or any other.

    The coarsest scale of the model leads the song partly back to noise and forth again, and the scales above it give
    the result detail. With --scale, the song enters the pyramid there instead, as in the paper; with a model of the
    paper's preset it always does, by default at the second-coarsest scale.
    """
    from caw_music_variation import task
    from caw_toolkit import check_output, derived_seed, read_audio, write_audio
    from caw_toolkit.cli.progress import load_or_train

    if output is not None and (len(songs) > 1 or count > 1):
        raise CawUsageError("-o names a single file: leave it out for several songs or takes")
    targets = {
        song: [output or output_beside(song, "varied", take=take + 1) for take in range(count)] for song in songs
    }
    every = [target for takes in targets.values() for target in takes]
    if len(set(every)) < len(every):
        raise CawUsageError("two of the songs have the same name but for its ending: vary them one by one with -o")
    for target in every:
        check_output(target, force)
    model = None
    for song, takes in targets.items():
        clip = read_audio(song)
        if model is None or model_path is None:
            model = load_or_train([clip], model_path, minutes=minutes, seed=seed, device=device, quiet=quiet)
        for take, target in enumerate(takes):
            take_seed = derived_seed(seed, "take", take)
            audio = task.vary(model, clip.samples, clip.sample_rate, strength=strength, scale=scale, seed=take_seed)
            write_audio(target, audio, model.sample_rate, overwrite=force)
            if not quiet and str(target) != "-":
                click.echo(f"wrote {target}", err=True)
