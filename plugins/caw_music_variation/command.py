"""`caw vary`: variations of a song."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit import CawUsageError
from caw_toolkit.cli.file_jobs import FileJob
from caw_toolkit.cli.files import Files, file_options
from caw_toolkit.cli.json_results import print_result, refuse_json_beside_audio
from caw_toolkit.cli.lines import say
from caw_toolkit.cli.options import (
    Amount,
    device_option,
    examples,
    json_option,
    minutes_option,
    model_option,
    quiet_option,
    seed_option,
    takes_option,
)
from caw_toolkit.cli.progress import ProgressDisplay, progress_option
from caw_toolkit.cli.results import Results, result_options, stored_sample_rate
from caw_toolkit.cli.training import load_or_train

if TYPE_CHECKING:
    from caw_music_variation.long_files import Settings, Take
    from caw_toolkit import AudioClip, PyramidModel
    from caw_toolkit.audio.blocks import AudioBlocks


_USUAL_STRENGTH = 0.5


@click.command(
    epilog=examples("caw vary song.wav -m song.pt -n 3", "caw vary album/ -m song.pt --strength 0.7 -o varied/")
)
@file_options(metavar="SONG", label="varied")
@model_option(required=False, help_text="Finished model; without it one is trained on each SONG first.")
@takes_option("Takes of each SONG.", former_names=["--count"])
@click.option(
    "--strength",
    type=Amount(0, 1),
    default=_USUAL_STRENGTH,
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
@json_option
@quiet_option
@progress_option
def vary(
    files: Files,
    model_path: Path | None,
    takes: int,
    strength: float,
    keep_below: float | None,
    start: float | None,
    stop: float | None,
    scale: int | None,
    minutes: float | None,
    seed: int,
    device: str,
    results: Results,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make variations of each SONG, which may be the recording that the model was trained on or any other.

    What is low is kept, and with it harmony and beat. What is above comes from other places of the model's recording
    than the song's own, so that words and melody are new. With --start or --stop only that passage is varied.

    Models of the paper's preset work otherwise: the song enters the pyramid at --scale, by default the
    second-coarsest, and --strength has no effect.

    Takes are numbered, and go on from those that exist: SONG.varied1, SONG.varied2; with another strength than usual
    SONG.varied-0.7-1. SONG may be a file, a folder, or - for standard input.
    """
    refuse_json_beside_audio(as_json, files.destination)
    is_whole = start is None and stop is None
    rate = stored_sample_rate(model_path) if model_path is not None and is_whole else None
    label = "varied" if strength == _USUAL_STRENGTH else f"varied-{strength:g}-"
    batch = files.plan(results, label=label, takes=takes, reads=[model_path], sample_rate=rate)

    from caw_music_variation.long_files import Settings
    from caw_toolkit import PyramidModel

    model = None if model_path is None else PyramidModel.load(model_path, device)

    settings = Settings(strength, scale, keep_below)
    request = _Request(model, model_path, minutes, device, start, stop, settings, seed, as_json, results)
    batch.run(lambda job, display: _vary_file(job, request, display))


@dataclass(frozen=True)
class _Request:
    """What was asked for, as the options say it."""

    model: PyramidModel | None
    model_path: Path | None
    minutes: float | None
    device: str
    start: float | None
    stop: float | None
    settings: Settings
    seed: int
    as_json: bool
    results: Results

    def model_for(self, audio: AudioBlocks) -> PyramidModel:
        """The model that is there, or one that is trained on the song."""
        if self.model is not None:
            return self.model
        clips, quiet = [_clip(audio)], self.results.quiet
        return load_or_train(clips, None, minutes=self.minutes, seed=self.seed, device=self.device, quiet=quiet)


def _vary_file(job: FileJob, request: _Request, display: ProgressDisplay) -> None:
    """Make takes of a song, with a model that is there or that is trained on it."""
    from caw_music_variation.long_files import Take
    from caw_toolkit import derived_seed
    from caw_toolkit.audio.blocks import open_audio

    results, settings = request.results, request.settings
    with open_audio(job.source) as audio:
        samples = sum(block.shape[1] for block in audio)
        seconds = samples / audio.sample_rate
        passage = _passage(seconds, request.start, request.stop)
        if not results.quiet and request.stop is not None and request.stop > seconds:
            ends = f"{audio.name} ends at {seconds:.3f} s, before --stop {request.stop:g}"
            say(f"{ends}, and is varied to its end")
        model = request.model_for(audio)
        if not results.quiet:
            _tell_of_the_model(audio, model, settings, is_whole=passage is None)
        written, found = [], []
        for done, (number, target) in enumerate(job.takes):
            take = Take(
                model,
                settings,
                sample_rate=audio.sample_rate,
                channels=audio.channels,
                samples=samples,
                seed=derived_seed(request.seed, "take", number),
                listens=not results.quiet or results.log is not None or request.as_json,
                on_progress=lambda share, done=done: display.update((done + share) / len(job.takes)),  # type: ignore[misc]
            )
            result = results.write_blocks(
                target,
                take.whole(audio) if passage is None else take.passage(audio.exact_blocks(), *passage),
                model.sample_rate if passage is None else audio.sample_rate,
                channels=audio.channels,
                source=audio.source,
                source_rate=audio.sample_rate,
                read=[job.source],
                model=request.model_path,
                note=partial(_note, take),
                found=partial(_found, take),
            )
            written.append(result.path)
            found.append(_found(take))
    if request.as_json:
        of_takes = {name: [each[name] for each in found] for name in found[0]}
        print_result(job.source, written, model=request.model_path, found=of_takes)


def _note(take: Take) -> str:
    from caw_music_variation.novelty import what_is_new

    return "" if take.new_shares is None else f", {what_is_new(*take.new_shares)}"


def _found(take: Take) -> dict[str, float | None]:
    above, whole = take.new_shares or (None, None)
    return {"new_share": above, "new_share_as_a_whole": whole}


def _clip(audio: AudioBlocks) -> AudioClip:
    """All of a song, to train on."""
    import numpy as np

    from caw_toolkit import AudioClip

    return AudioClip(np.concatenate(list(audio), axis=1), audio.sample_rate, audio.source)


def _passage(seconds: float, start: float | None, stop: float | None) -> tuple[float, float] | None:
    """The passage of a song of so many seconds to vary, in seconds; None is the whole."""
    if start is None and stop is None:
        return None
    begin, end = start or 0.0, seconds if stop is None else min(stop, seconds)
    if begin >= end:
        raise CawUsageError(f"nothing to vary: --start {begin:g} is not before the end at {end:g} s")
    return begin, end


def _ignored(model: PyramidModel, settings: Settings) -> list[str]:
    """Options that were given and say nothing to a model."""
    if "recompose" in model.capabilities:
        return []
    can_revise = settings.scale is None and "revise" in model.capabilities
    is_given = {"--keep": settings.keep_below is not None, "--strength": settings.strength != _USUAL_STRENGTH}
    return [option for option, given in is_given.items() if given and not (option == "--strength" and can_revise)]


def _tell_of_the_model(audio: AudioBlocks, model: PyramidModel, settings: Settings, *, is_whole: bool) -> None:
    """Say what the model changes beside the detail, and where it is not at home."""
    from caw_music_variation.novelty import is_other_source
    from caw_toolkit.dsp.queues import rechunked
    from caw_toolkit.processors.blocks import FILE_BLOCK_SECONDS

    song, rate = audio.name, audio.sample_rate
    if ignored := _ignored(model, settings):
        why = "this model does not hold its recording, and makes a song as in the paper"
        click.echo(f"{why}: no {' and no '.join(ignored)}", err=True)
    if rate != model.sample_rate:
        kept = "so is what is written" if is_whole else "the passage holds no more than that"
        say(f"{song} is at {rate} Hz, the model is at {model.sample_rate} Hz, and {kept}")
    recording = model.recording()
    if recording is None:
        return
    beginning = next(rechunked(audio, FILE_BLOCK_SECONDS * rate))
    if is_other_source(beginning, rate, recording, model.sample_rate):
        say(f"{song} sounds like another source than the model's: expect its lows with foreign detail")
