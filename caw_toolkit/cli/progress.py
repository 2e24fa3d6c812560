"""Training with a progress bar on standard error; shared by every command that trains."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caw_toolkit.cli.errors import signals_as_interrupts

if TYPE_CHECKING:
    from caw_toolkit.audio.clip import AudioClip
    from caw_toolkit.pyramid.model import PyramidModel
    from caw_toolkit.training.plan import Plan
    from caw_toolkit.training.trainer import Progress

__all__ = ["ProgressDisplay", "load_or_train", "run_training", "shown_progress"]


def run_training(
    plan: Plan,
    *,
    device: str = "auto",
    checkpoint: Path | None = None,
    resume: bool = False,
    quiet: bool = False,
    sources: Sequence[Mapping[str, Any]] = (),
    on_preview: Callable[[PyramidModel], None] | None = None,
    start: PyramidModel | None = None,
) -> PyramidModel:
    """Carry out a plan and show how it goes: a bar on a terminal, nothing elsewhere or when `quiet`.

    SIGTERM and SIGHUP are taken as Ctrl-C, so that a stopped training can be resumed.

    Args:
        plan: from `caw_toolkit.make_plan`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        checkpoint: file to keep the state in.
        resume: go on from it.
        quiet: show nothing.
        sources: what the recording was read from, kept in the model.
        on_preview: called now and then with the model as it stands.
        start: a finished model of the same source to go on from.
    """
    from caw_toolkit.plugins import get_host
    from caw_toolkit.pyramid.maturity import warn_if_rough
    from caw_toolkit.training.trainer import Trainer

    with _progress_bar(show=sys.stderr.isatty() and not quiet) as show, signals_as_interrupts():
        trainer = Trainer(
            plan,
            device=device,
            checkpoint=checkpoint,
            resume=resume,
            on_progress=show,
            on_scale_trained=get_host().notify_scale_trained,
            on_preview=on_preview,
            start=start,
            sources=sources,
        )
        model = trainer.run()
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
    """
    from caw_toolkit.pyramid.model import PyramidModel
    from caw_toolkit.training.plan import make_plan

    if model_path is not None:
        return PyramidModel.load(model_path, device)
    return run_training(
        make_plan(clips, sample_rate=sample_rate, minutes=minutes, seed=seed), device=device, quiet=quiet
    )


class ProgressDisplay:
    """How far the work on files is.

    .. versionadded:: 0.1
    """

    def begin_file(self, name: str, number: int, count: int) -> None:
        """A file begins, `number` (from 1) of `count`."""

    def update(
        self, fraction: float, stage: str = "", *, details: str = "", remaining_seconds: float | None = None
    ) -> None:
        """A share of it is done, from 0 to 1."""


@contextmanager
def shown_progress(*, quiet: bool = False) -> Iterator[ProgressDisplay]:
    """Show how far the work is."""
    yield ProgressDisplay()


@contextmanager
def _progress_bar(show: bool) -> Iterator[Callable[[Progress], None]]:
    if not show:
        yield lambda progress: None
        return
    from rich import progress as bars
    from rich.console import Console

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TextColumn("{task.percentage:>3.0f} %"),
        bars.TextColumn("{task.fields[times]}"),
        bars.TextColumn("[dim]{task.fields[losses]}"),
    )
    with bars.Progress(*columns, console=Console(stderr=True), refresh_per_second=4) as bar:
        task = bar.add_task("preparing", total=1.0, times="", losses="")

        def update(progress: Progress) -> None:
            spec = progress.spec
            bar.update(
                task,
                completed=progress.fraction,
                description=f"scale {spec.index + 1} of {spec.count} ({spec.rate} Hz)",
                times=f"{_clock(progress.elapsed_seconds)} elapsed, {_clock(progress.remaining_seconds)} left",
                losses="  ".join(f"{name} {value:.3g}" for name, value in progress.losses.items()),
            )

        yield update


def _clock(seconds: float) -> str:
    """Seconds as `m:ss` or `h:mm:ss`."""
    if seconds > 1e7:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
