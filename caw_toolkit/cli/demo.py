"""`caw demo`: from a built-in clip to a model, two takes, and a page to listen to them."""

from __future__ import annotations

import importlib.resources
import shlex
from pathlib import Path

import click

from caw_toolkit.cli.lines import say
from caw_toolkit.cli.options import Amount, NamedPath, device_option, examples, force_option, quiet_option
from caw_toolkit.cli.page_output import PageFile
from caw_toolkit.cli.progress import progress_option
from caw_toolkit.cli.training import run_training
from caw_toolkit.durations import in_words
from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.seeds import LARGEST_SEED

CLIP = "speech.flac"
TAKES = 2
TAKE_SECONDS = 20


@click.command(epilog=examples("caw demo --minutes 1"))
@click.option("--minutes", type=Amount(min=0, min_open=True), default=2.0, show_default=True)
@click.option(
    "-o",
    "--output",
    type=NamedPath(file_okay=False, path_type=Path),
    default=Path("caw-demo"),
    show_default=True,
    help="Folder for the clip, the model, the takes and the page.",
)
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=1, show_default=True)
@device_option
@quiet_option
@progress_option
@force_option
def demo(minutes: float, output: Path, seed: int, device: str, quiet: bool, force: bool) -> None:
    """Train on a short built-in clip, generate two takes, and write a page to listen to them."""
    from caw_toolkit.atomic_write import write_atomically
    from caw_toolkit.audio.outputs import check_output
    from caw_toolkit.audio.reading import read_audio
    from caw_toolkit.audio.writing import write_audio
    from caw_toolkit.pages.page import Page
    from caw_toolkit.pages.track import compared, track_of_file
    from caw_toolkit.seeds import derived_seed
    from caw_toolkit.training.plan import make_plan
    from caw_toolkit.training.run_settings import RunSettings

    original, model_path = output / CLIP, output / "model.pt"
    takes = [output / f"take{number}.wav" for number in range(1, TAKES + 1)]
    for target in (original, *takes):
        check_output(target, force)
    page = PageFile(output / "listen.html", force)
    page.expect([])
    if model_path.exists() and not force:
        raise CawUsageError(f"{model_path} exists; add --force to replace it")
    data = demo_clip()
    write_atomically(original, data, replace=force)
    if not quiet:
        say(f"training on {original} for {in_words(60 * minutes)}")
    plan = make_plan(read_audio(original), minutes=minutes, seed=seed)
    model = run_training(plan, RunSettings(device), quiet=quiet, save_to=model_path)
    for number, target in enumerate(takes):
        audio = model.generate(TAKE_SECONDS, seed=derived_seed(seed, "take", number))
        write_audio(target, audio, model.sample_rate, overwrite=force)
    command = f"caw generate --model {shlex.quote(str(model_path))} -n 3"
    clip = track_of_file(original, role="recording")
    tracks = [clip, *(compared(track_of_file(take), clip) for take in takes)]
    page.write(Page("caw demo", tracks, commands={"make more": command}), quiet=True)
    say(f"listen to the clip:      {original}", err=False)
    say(f"and to two new takes:    {', '.join(map(str, takes))}", err=False)
    click.echo(f"or open in a browser:    {page.path.resolve().as_uri()}")
    say(f"make more with:          {command}", err=False)


def demo_clip() -> bytes:
    """The built-in clip, a FLAC file.

    Raises:
        CawError: if the installation is incomplete.
    """
    try:
        return importlib.resources.files("caw_toolkit_examples").joinpath(CLIP).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise CawError("the demo clip is missing: install caw-toolkit again") from error
