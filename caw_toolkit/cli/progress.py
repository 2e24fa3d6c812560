"""How far the work has come, on standard error; and training that says so, for every command that trains.

    @click.command()
    @click.argument("clips", nargs=-1, type=FILE)
    @quiet_option
    @progress_option
    def shout(clips, quiet):
        with shown_progress(quiet=quiet) as display:
            for number, clip in enumerate(clips, 1):
                display.begin_file(clip.name, number, len(clips))
                ...
                display.update(0.5, "shouting")

.. versionadded:: 0.1
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from caw_toolkit.cli.errors import signals_as_interrupts
from caw_toolkit.cli.options import Decorator
from caw_toolkit.progress.display import PartOfDisplay, ProgressDisplay
from caw_toolkit.progress.views import Show, json_lines, log_lines

if TYPE_CHECKING:
    from caw_toolkit.audio.clip import AudioClip
    from caw_toolkit.pyramid.model import PyramidModel
    from caw_toolkit.training.plan import Plan

__all__ = ["ProgressDisplay", "load_or_train", "part_of_progress", "progress_option", "run_training", "shown_progress"]

# Of what click keeps for a command and its subcommands.
_MODE, _DISPLAY, _PART = f"{__name__}.mode", f"{__name__}.display", f"{__name__}.part"

#: Of the work on a file for which a model is trained first.
_SHARE_OF_TRAINING = 0.9
#: Of a training whose model is saved then.
_SHARE_BEFORE_SAVING = 0.99


def _keep_mode(context: click.Context, _parameter: click.Parameter, mode: str) -> None:
    context.meta[_MODE] = mode


#: `--progress MODE`, for `shown_progress`, which finds it by itself.
progress_option: Decorator = click.option(
    "--progress",
    type=click.Choice(["auto", "json", "none"]),
    default="auto",
    show_default=True,
    expose_value=False,
    callback=_keep_mode,
    help="How to show progress on standard error: a bar on a terminal, lines of JSON, or not at all.",
)


@contextmanager
def shown_progress(*, quiet: bool = False) -> Iterator[ProgressDisplay]:
    """Show how far the work in the block has come, as `--progress` says; on a terminal only if it takes over 2 s.

    Elsewhere nothing is shown, but for a line a minute with `--debug`. Within another such block it is a part of the
    work on the file that has been begun there.

    Args:
        quiet: show nothing.

    Example:
        >>> with shown_progress(quiet=True) as display:
        ...     display.begin_file("clip.wav", 1, 1)
        ...     display.update(0.5, "shouting")
    """
    context = click.get_current_context(silent=True)
    meta = {} if context is None else context.meta
    if _DISPLAY in meta:
        yield PartOfDisplay(meta[_DISPLAY], *meta.get(_PART, (0.0, _SHARE_OF_TRAINING)))
        return
    with _view("none" if quiet else meta.get(_MODE, "auto")) as show:
        meta[_DISPLAY] = display = ProgressDisplay(show)
        try:
            yield display
        finally:
            del meta[_DISPLAY]


@contextmanager
def part_of_progress(first: float, last: float) -> Iterator[None]:
    """Let what is shown by `shown_progress` within the block be a part of the work on the file.

    Args:
        first: share of the work on the file that is done before the part.
        last: and after it.

    Example:
        >>> from click.testing import CliRunner
        >>> @click.command()
        ... @progress_option
        ... def shout():
        ...     with shown_progress() as whole:
        ...         whole.begin_file("clip.wav", 1, 1)
        ...         with part_of_progress(0.5, 0.9), shown_progress() as part:
        ...             part.update(0.5, "training")
        >>> '"fraction": 0.7,' in CliRunner().invoke(shout, ["--progress", "json"]).stderr
        True

    .. versionadded:: 0.2
    """
    context = click.get_current_context(silent=True)
    meta = {} if context is None else context.meta
    meta[_PART] = first, last
    try:
        yield
    finally:
        del meta[_PART]


def _view(mode: str) -> contextlib.AbstractContextManager[Show]:
    if mode == "json":
        return json_lines(sys.stderr)
    if mode == "none":
        return contextlib.nullcontext(lambda state: None)
    from caw_toolkit.progress.terminal import can_show_line, terminal_line

    return terminal_line(sys.stderr) if can_show_line(sys.stderr) else contextlib.nullcontext(log_lines())


def run_training(
    plan: Plan,
    *,
    device: str = "auto",
    checkpoint: Path | None = None,
    resume: bool = False,
    quiet: bool = False,
    sources: Sequence[Mapping[str, Any]] = (),
    credits: Mapping[str, str] = MappingProxyType({}),
    on_preview: Callable[[PyramidModel], None] | None = None,
    start: PyramidModel | None = None,
    spent_seconds: float = 0.0,
    save_to: Path | None = None,
    warns: bool = True,
) -> PyramidModel:
    """Carry out a plan and show how it goes (`shown_progress`).

    SIGTERM and SIGHUP are taken as Ctrl-C, so that a stopped training can be resumed.

    Args:
        plan: from `caw_toolkit.make_plan`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        checkpoint: file to keep the state in.
        resume: go on from it.
        quiet: show nothing.
        sources: what the recording was read from, kept in the model.
        credits: `license` and `author` of the model, where they are known; kept in it.
        on_preview: called now and then with the model as it stands.
        start: a finished model of the same source to go on from.
        spent_seconds: of the plan's time budget, before the training.
        save_to: where to write the model.
        warns: say so if the model is rough.

    Example:
        >>> from caw_toolkit import make_plan, read_audio                          # doctest: +SKIP
        >>> model = run_training(make_plan(read_audio("clip.wav"), minutes=5))      # doctest: +SKIP
    """
    from caw_toolkit.plugins import get_host
    from caw_toolkit.pyramid.maturity import warn_if_rough
    from caw_toolkit.training.display import shown_on
    from caw_toolkit.training.trainer import Trainer

    with shown_progress(quiet=quiet) as display, signals_as_interrupts():
        display.begin_file(", ".join(source["name"] for source in sources), 1, 1)
        trainer = Trainer(
            plan,
            device=device,
            checkpoint=checkpoint,
            resume=resume,
            on_progress=shown_on(display, share=_SHARE_BEFORE_SAVING),
            on_scale_trained=get_host().notify_scale_trained,
            on_preview=on_preview,
            start=start,
            sources=sources,
            credits=credits,
            spent_seconds=spent_seconds,
        )
        model = trainer.run()
        if save_to is not None:
            display.update(_SHARE_BEFORE_SAVING, "writing the model")
            model.save(save_to)
    if warns:
        warn_if_rough(model.training, "the model")
    return model


def load_or_train(
    clips: Sequence[AudioClip],
    model_path: Path | None,
    *,
    sample_rate: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
    device: str = "auto",
    quiet: bool = False,
    warns: bool = True,
) -> PyramidModel:
    """The model of a file, or one trained on the clips now, for commands that work with or without `--model`.

    Args:
        clips: one recording in one or several parts.
        model_path: of a finished model; None trains.
        sample_rate: of a model that is trained; default: that of the clips, 48 kHz at the most.
        minutes: time budget of the training; default: the preset's.
        seed: of the training.
        device: where to compute.
        quiet: show no progress.
        warns: say so if a model that is trained is rough.

    Example:
        >>> import tempfile
        >>> from caw_toolkit import PyramidModel
        >>> from caw_toolkit.generators.dilated import DilatedGenerator
        >>> from caw_toolkit.pyramid.scale import Scale
        >>> untrained = Scale(500, DilatedGenerator(hidden_channels=4, blocks=3).eval(), noise_std=1.0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "model.pt")
        ...     PyramidModel([untrained], channels=1, peak=0.5, upsampling="keys").save(path)
        ...     load_or_train([], path, device="cpu").sample_rate
        500
    """
    from caw_toolkit.pyramid.model import PyramidModel
    from caw_toolkit.training.plan import make_plan

    if model_path is not None:
        return PyramidModel.load(model_path, device)
    return run_training(
        make_plan(clips, sample_rate=sample_rate, minutes=minutes, seed=seed), device=device, quiet=quiet, warns=warns
    )
