"""Training that shows how it goes, for every command that trains.

    @click.command()
    @click.argument("clip", type=FILE)
    @model_option(required=False)
    @minutes_option
    @quiet_option
    @progress_option
    def shout(clip, model_path, minutes, quiet):
        model = load_or_train([read_audio(clip)], model_path, minutes=minutes, quiet=quiet)

.. versionadded:: 0.2
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from caw_toolkit.cli.errors import signals_as_interrupts
from caw_toolkit.cli.progress import shown_progress
from caw_toolkit.training.run_settings import RunEvents, RunSettings

if TYPE_CHECKING:
    from caw_toolkit.audio.clip import AudioClip
    from caw_toolkit.pyramid.model import PyramidModel
    from caw_toolkit.training.plan import Plan

__all__ = ["load_or_train", "run_training"]

#: Of a training whose model is saved then.
_SHARE_BEFORE_SAVING = 0.99


def run_training(
    plan: Plan,
    settings: RunSettings | None = None,
    *,
    quiet: bool = False,
    on_preview: Callable[[PyramidModel], None] | None = None,
    save_to: Path | None = None,
    warns: bool = True,
) -> PyramidModel:
    """Carry out a plan and show how it goes (`shown_progress`).

    SIGTERM and SIGHUP are taken as Ctrl-C, so that a stopped training can be resumed.

    Args:
        plan: from `caw_toolkit.make_plan`.
        settings: how; as for `caw_toolkit.Trainer`.
        quiet: show nothing.
        on_preview: as in `caw_toolkit.RunEvents`.
        save_to: where to write the model.
        warns: say so if the model is rough.

    Example:
        >>> from caw_toolkit import make_plan, read_audio  # doctest: +SKIP
        >>> plan = make_plan(read_audio("clip.wav"), minutes=5)  # doctest: +SKIP
        >>> model = run_training(plan, RunSettings("cpu"), save_to=Path("clip.pt"))  # doctest: +SKIP
    """
    from caw_toolkit.plugins import get_host
    from caw_toolkit.pyramid.maturity import warn_if_rough
    from caw_toolkit.training.display import shown_on
    from caw_toolkit.training.trainer import Trainer

    settings = settings or RunSettings()
    with shown_progress(quiet=quiet) as display, signals_as_interrupts():
        display.begin_file(", ".join(source["name"] for source in settings.sources), 1, 1)
        on_progress = shown_on(display, share=_SHARE_BEFORE_SAVING)
        model = Trainer(plan, settings, RunEvents(on_progress, get_host().notify_scale_trained, on_preview)).run()
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
    plan = make_plan(clips, sample_rate=sample_rate, minutes=minutes, seed=seed)
    return run_training(plan, RunSettings(device), quiet=quiet, warns=warns)
