"""`caw vary`: variations of a song."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit import CawUsageError
from caw_toolkit.cli.batch import Batch
from caw_toolkit.cli.options import (
    FILE,
    Amount,
    device_option,
    minutes_option,
    model_option,
    output_option,
    quiet_option,
    seed_option,
)
from caw_toolkit.cli.progress import load_or_train, progress_option, shown_progress
from caw_toolkit.cli.results import Results, result_options, stored_sample_rate

if TYPE_CHECKING:
    from caw_toolkit import Array, AudioClip, PyramidModel


@click.command()
@click.argument("songs", nargs=-1, required=True, type=FILE, metavar="SONG...")
@model_option(required=False, help_text="Finished model; without it one is trained on each SONG first.")
@output_option(
    help_text="File to write, for a single take of a single SONG. Default: SONG.varied1 and so on, in its format."
)
@click.option("-n", "--count", type=click.IntRange(1, 1000), default=1, show_default=True, help="Takes of each SONG.")
@click.option(
    "--strength",
    type=Amount(0, 1),
    default=0.5,
    show_default=True,
    help="0 is the song, 0.5 its harmony and beat with all detail new, 1 keeps nothing.",
)
@click.option("--keep", "keep_below", type=Amount(min=0), metavar="HZ", help="Keep the song below this frequency.")
@click.option("--start", type=Amount(min=0), metavar="S", help="Vary from here on, and leave the rest.")
@click.option("--stop", type=Amount(min=0, min_open=True), metavar="S", help="Vary up to here.")
@click.option(
    "--scale",
    type=int,
    metavar="HZ",
    help="Give the song to this scale as it is; what the scales below it hold is kept.",
)
@minutes_option
@seed_option
@device_option
@result_options(what="whole")
@quiet_option
@progress_option
def vary(
    songs: Sequence[Path],
    model_path: Path | None,
    output: Path | None,
    count: int,
    strength: float,
    keep_below: float | None,
    start: float | None,
    stop: float | None,
    scale: int | None,
    minutes: float | None,
    seed: int,
    device: str,
    results: Results,
    quiet: bool,
) -> None:
    """Make variations of each SONG, which may be the recording that the model was trained on or any other.

    What is low is kept, and with it harmony and beat. What is above comes from other places of the model's recording
    than the song's own, so that words and melody are new. With --start or --stop only that passage is varied.

    With a model of the paper's preset the song enters the pyramid at --scale, by default the second-coarsest, and
    comes out as that makes it.
    """
    from caw_music_variation import task
    from caw_toolkit import PyramidModel, derived_seed, read_audio

    if output is not None and (len(songs) > 1 or count > 1):
        raise CawUsageError("-o names a single file: leave it out for several songs or takes")
    is_whole = start is None and stop is None
    rate = stored_sample_rate(model_path) if model_path is not None and is_whole else None
    targets = {
        song: [output or results.beside(song, "varied", take=take + 1, sample_rate=rate) for take in range(count)]
        for song in songs
    }
    every = [target for takes in targets.values() for target in takes]
    if len(set(every)) < len(every):
        raise CawUsageError("two of the songs have the same name but for its ending: vary them one by one with -o")
    results.expect(every, inputs=[*songs, model_path], sample_rate=rate)
    model = None if model_path is None else PyramidModel.load(model_path, device)
    batch = Batch(len(songs))
    display = click.get_current_context().with_resource(shown_progress(quiet=quiet))
    for number, (song, takes) in enumerate(targets.items(), 1):
        with batch.file(song):
            display.begin_file(song.name, number, len(songs))
            clip = read_audio(song)
            passage = _passage(clip, start, stop)
            if model is None or model_path is None:
                model = load_or_train([clip], None, minutes=minutes, seed=seed, device=device, quiet=quiet)
            if not quiet:
                _tell_of_the_model(song, clip, model, keeps=keep_below is not None, is_whole=is_whole)
            make = partial(
                task.vary if passage is None else partial(task.vary_passage, start=passage[0], stop=passage[1]),
                model,
                clip.samples,
                clip.sample_rate,
                strength=strength,
                scale=scale,
                keep_below=keep_below,
            )
            novelty = None if quiet and results.log is None else _Novelty(clip, model.sample_rate, passage)
            for take, target in enumerate(takes):
                display.update(take / count, "varying")
                audio = make(seed=derived_seed(seed, "take", take))
                share = None if novelty is None else novelty.of(audio)
                results.write(
                    target,
                    audio,
                    model.sample_rate if passage is None else clip.sample_rate,
                    of=clip,
                    read=[song],
                    model=model_path,
                    note="" if share is None else f", {share:.0%} new",
                    found={"new_share": share},
                )
    batch.finish()


class _Novelty:
    """Measures what of a song is new in its variations.

    Args:
        clip: the song.
        model_rate: of variations of all of it, Hz.
        passage: that is varied, in seconds; None is the whole.
    """

    def __init__(self, clip: AudioClip, model_rate: int, passage: tuple[float, float] | None) -> None:
        from caw_toolkit.dsp.resampling import resample

        self._rate = model_rate if passage is None else clip.sample_rate
        self._varied = slice(None) if passage is None else slice(*(round(each * self._rate) for each in passage))
        self._song = resample(clip.samples, clip.sample_rate, self._rate)[:, self._varied]

    def of(self, audio: Array) -> float:
        """The share of what was varied that is new."""
        from caw_music_variation.novelty import new_share

        return new_share(self._song, audio[:, self._varied], self._rate)


def _passage(clip: AudioClip, start: float | None, stop: float | None) -> tuple[float, float] | None:
    """The passage to vary in seconds; None is the whole."""
    if start is None and stop is None:
        return None
    begin, end = start or 0.0, clip.seconds if stop is None else min(stop, clip.seconds)
    if begin >= end:
        raise CawUsageError(f"nothing to vary: --start {begin:g} is not before the end at {end:g} s")
    return begin, end


def _tell_of_the_model(song: Path, clip: AudioClip, model: PyramidModel, *, keeps: bool, is_whole: bool) -> None:
    """Say what the model changes beside the detail, and where it is not at home."""
    from caw_music_variation.novelty import is_other_source

    if keeps and "recompose" not in model.capabilities:
        click.echo("this model does not hold its recording, and makes a song as in the paper: no --keep", err=True)
    if clip.sample_rate != model.sample_rate:
        kept = "so is what is written" if is_whole else "the passage holds no more than that"
        click.echo(f"{song} is at {clip.sample_rate} Hz, the model is at {model.sample_rate} Hz, and {kept}", err=True)
    recording = model.recording()
    if recording is not None and is_other_source(clip.samples, clip.sample_rate, recording, model.sample_rate):
        click.echo(f"{song} sounds like another source than the model's: expect its lows with foreign detail", err=True)
