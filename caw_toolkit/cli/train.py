"""`caw train`: make a model from one recording."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from caw_toolkit.cli.lines import say
from caw_toolkit.cli.options import (
    FILE,
    OUTPUT_FILE,
    Amount,
    device_option,
    draw_seed,
    examples,
    force_option,
    json_option,
    output_option,
    quiet_option,
)
from caw_toolkit.cli.plan_summary import announce, say_rates, show_estimate
from caw_toolkit.cli.progress import progress_option
from caw_toolkit.cli.training import run_training
from caw_toolkit.durations import in_words
from caw_toolkit.errors import CawUsageError
from caw_toolkit.seeds import LARGEST_SEED

if TYPE_CHECKING:
    from caw_toolkit.audio.clip import AudioClip
    from caw_toolkit.pyramid.model import PyramidModel
    from caw_toolkit.training.plan import Plan


def _rates(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Rates in Hz separated by commas."""
    if value is None:
        return None
    try:
        return tuple(int(rate) for rate in value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a list of whole numbers such as 500,1000,4000") from None


def _name(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A text that model files can hold."""
    if value is not None and not (1 <= len(value) <= 200 and value.isprintable()):
        raise click.BadParameter("it may have 1 to 200 characters that can be printed")
    return value


@click.command(
    epilog=examples("caw train clip.wav -o clip.pt", "caw train clip.wav -o clip.pt --minutes 5 --preview take.wav")
)
@click.argument("clips", nargs=-1, required=True, type=FILE, metavar="CLIP...")
@output_option(required=True, help_text="Model file to write.")
@click.option("--preset", default="fast", show_default=True, metavar="NAME|FILE.toml", help="How to train.")
@click.option(
    "--material",
    type=click.Choice(["auto", "speech", "music", "ambience"]),
    default="auto",
    show_default=True,
    help="What is heard in the clip.",
)
@click.option(
    "--minutes", type=Amount(min=0, min_open=True), help="Time to spend on training; the default is the preset's."
)
@click.option("--sample-rate", type=click.IntRange(4000, 192000), metavar="HZ", help="Rate of the model.")
@click.option("--start", type=Amount(min=0), default=0.0, metavar="S", help="Begin here, in seconds.")
@click.option("--duration", type=Amount(min=0, min_open=True), metavar="S", help="Use this many seconds.")
@click.option(
    "--scales",
    callback=_rates,
    metavar="HZ,HZ,..",
    help="Rates of the scales, coarsest first; chosen from the clip if left out.",
)
@click.option(
    "--blocks", type=click.IntRange(1, 14), help="Dilated blocks (preset paper): one more doubles the receptive field."
)
@click.option(
    "--from",
    "start_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="MODEL.pt",
    help="Go on from a finished model of the same source.",
)
@click.option(
    "--preview",
    "previews",
    type=OUTPUT_FILE,
    multiple=True,
    metavar="FILE",
    help="Write what there is, early, again and again, and when it is stopped: 10 s of audio, or with .pt a model that "
    "can be used.",
)
@click.option(
    "--license", "licence", callback=_name, metavar="TEXT", help="Of the recording and the model; kept in the model."
)
@click.option("--author", callback=_name, metavar="TEXT", help="Of the recording; kept in the model.")
@device_option
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), help="Seed of all random numbers; drawn if left out.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted training.")
@click.option("--dry-run", is_flag=True, help="Say what would be trained, and train nothing.")
@json_option
@quiet_option
@progress_option
@force_option
def train(**options: Any) -> None:
    """Train a model on CLIP, a recording of one source of 10 to 60 seconds.

    Several clips of the same source make one model. Interrupt with Ctrl-C at any time, and go on with --resume.
    """
    began = time.monotonic()  # what is imported from here on takes a part of --minutes
    request = _Request(**options)
    if not request.dry_run and not _check(request):
        return
    request = replace(request, seed=_seed(request))
    recordings = [_read(clip, request.start, request.duration) for clip in request.clips]
    plan = _plan(request, recordings)
    if not request.quiet:
        is_chosen = request.sample_rate is not None
        say_rates([clip.sample_rate for clip in recordings], plan.rates[-1], is_chosen=is_chosen)
    if request.dry_run:
        show_estimate(plan, as_json=request.as_json, quiet=request.quiet)
        return
    if not request.quiet:
        announce(plan)
    model = _run(request, plan, recordings, began)
    _report(request, model, time.monotonic() - began)


@dataclass(frozen=True)
class _Request:
    """What was asked for, as the options say it."""

    clips: Sequence[Path]
    output: Path
    preset: str
    material: str
    minutes: float | None
    sample_rate: int | None
    start: float
    duration: float | None
    scales: tuple[int, ...] | None
    blocks: int | None
    start_path: Path | None
    previews: Sequence[Path]
    licence: str | None
    author: str | None
    device: str
    seed: int | None
    resume: bool
    dry_run: bool
    as_json: bool
    quiet: bool
    force: bool

    @property
    def checkpoint(self) -> Path:
        """Where the state of the training is kept."""
        from caw_toolkit.training.checkpoints import checkpoint_path

        return checkpoint_path(self.output)

    @property
    def credits(self) -> dict[str, str]:
        """What the model says of its rights."""
        known = {"license": self.licence, "author": self.author}
        return {name: text for name, text in known.items() if text is not None}


def _check(request: _Request) -> bool:
    """Refuse now what would fail after the work; whether there is something to train."""
    from caw_toolkit.atomic_write import reserved_place
    from caw_toolkit.audio.outputs import refuse_collisions
    from caw_toolkit.cli.previews import check_previews

    output, checkpoint = request.output, request.checkpoint
    read = [*request.clips, *([request.start_path] if request.start_path else [])]
    refuse_collisions([output, *request.previews], read)
    check_previews(request.previews, force=request.force or request.resume)
    _refuse_overwriting(output, checkpoint, resume=request.resume, force=request.force)
    click.get_current_context().with_resource(reserved_place(output))
    if request.resume and not checkpoint.exists():
        if output.exists():
            say(f"{output} is finished, there is nothing to resume")
            return False
        if not request.quiet:
            say(f"{checkpoint} does not exist, so training begins anew")
    return True


def _seed(request: _Request) -> int:
    """The one that was given, or of the training that is gone on with, or a new one."""
    from caw_toolkit.training.checkpoints import stored_seed

    if request.seed is not None:
        return request.seed
    return stored_seed(request.checkpoint) if request.resume and request.checkpoint.exists() else draw_seed()


def _plan(request: _Request, recordings: Sequence[AudioClip]) -> Plan:
    from caw_toolkit.devices import pick_device
    from caw_toolkit.plugins import get_host
    from caw_toolkit.training.plan import make_plan

    pick_device(request.device)
    assert request.seed is not None
    return make_plan(
        recordings,
        preset=request.preset,
        material=request.material,
        minutes=request.minutes,
        sample_rate=request.sample_rate,
        rates=request.scales,
        objective_options={} if request.blocks is None else {"blocks": request.blocks},
        seed=request.seed,
        extra_presets=get_host().preset_paths,
    )


def _run(request: _Request, plan: Plan, recordings: Sequence[AudioClip], began: float) -> PyramidModel:
    """Train, and save the model; what it says of itself is taken from the clips and the options."""
    from caw_toolkit.cli.previews import writer_of_previews
    from caw_toolkit.training.run_settings import RunSettings
    from caw_toolkit.training.trainer import TrainingInterruptedError

    checkpoint = request.checkpoint
    on_preview = writer_of_previews(request.previews, seed=plan.seed, quiet=request.quiet)
    settings = RunSettings(
        device=request.device,
        checkpoint=checkpoint,
        resume=request.resume,
        start=None if request.start_path is None else _model_to_start_from(request.start_path, plan),
        sources=[_source(path, clip) for path, clip in zip(request.clips, recordings, strict=True)],
        credits=request.credits,
        spent_seconds=time.monotonic() - began,
    )
    try:
        model = run_training(plan, settings, quiet=request.quiet, on_preview=on_preview, save_to=request.output)
    except (TrainingInterruptedError, KeyboardInterrupt):
        if not checkpoint.exists():
            message = "interrupted before there was anything to keep: run the same command again"
            raise TrainingInterruptedError(message) from None
        raise TrainingInterruptedError(
            f"interrupted; the state is in {checkpoint}: run the same command with --resume to go on"
        ) from None
    checkpoint.unlink(missing_ok=True)
    if on_preview is not None:
        on_preview(model)
    return model


def _report(request: _Request, model: PyramidModel, seconds: float) -> None:
    if request.as_json:
        said = {"model": str(request.output), "rates": model.rates, "seconds": seconds}
        click.echo(json.dumps({**said, "training": dict(model.training)}))
    elif not request.quiet:
        say(f"wrote {request.output} after {in_words(seconds)}")


def _refuse_overwriting(output: Path, checkpoint: Path, *, resume: bool, force: bool) -> None:
    """Refuse what would lose a model, an unfinished training or a device, and what is no name of a model."""
    from caw_toolkit.audio.formats import AUDIO_SUFFIXES
    from caw_toolkit.audio.outputs import refuse_odd_place

    if str(output) == "-":
        raise CawUsageError("a model cannot be written to standard output: name a file with -o MODEL.pt")
    refuse_odd_place(output)
    if output.suffix.lower() in AUDIO_SUFFIXES:
        raise CawUsageError(f"{output} is the name of audio, and a model is none: write {output.with_suffix('.pt')}")
    if resume or force:
        return
    if output.exists():
        raise CawUsageError(f"{output} exists; add --force to replace it")
    if checkpoint.exists():
        raise CawUsageError(
            f"{checkpoint} holds an unfinished training: add --resume to go on, or --force to start anew"
        )


def _model_to_start_from(path: Path, plan: Plan) -> PyramidModel:
    from caw_toolkit.pyramid.model import PyramidModel

    model = PyramidModel.load(path)
    if model.channels != plan.recording.channels:
        kinds = ("mono", "stereo")
        raise CawUsageError(
            f"{path} is {kinds[model.channels - 1]}, the recording is {kinds[plan.recording.channels - 1]}: "
            "one cannot go on from the other"
        )
    if not set(model.rates) & set(plan.rates):
        given = ",".join(map(str, model.rates))
        raise CawUsageError(f"{path} has none of the scales that would be trained: add --scales {given}")
    return model


def _read(path: Path, start: float, duration: float | None) -> AudioClip:
    from caw_toolkit.audio.reading import read_audio
    from caw_toolkit.pyramid.recording import LONGEST_SECONDS

    return read_audio(path, start_seconds=start, duration_seconds=duration, longest_seconds=LONGEST_SECONDS)


def _source(path: Path, clip: AudioClip) -> dict[str, Any]:
    """What the model keeps of a clip."""
    digest = hashlib.sha256(clip.samples.tobytes()).hexdigest()
    return {"name": path.name, "seconds": clip.seconds, "sample_rate": clip.sample_rate, "samples_sha256": digest}
