"""All gaps of a recording, filled group by group, each by the model of its group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from caw_inpainting.listing import Work
from caw_inpainting.models import Models
from caw_inpainting.task import Repair
from caw_toolkit import CawError, Gap, PyramidModel, derived_seed
from caw_toolkit.cli.progress import ProgressDisplay, part_of_progress
from caw_toolkit.pyramid.maturity import trained_share, warn_if_rough

if TYPE_CHECKING:
    from caw_toolkit.audio.spool import SpooledAudio


def fill_all(
    audio: SpooledAudio,
    work: Work,
    models: Models,
    *,
    takes: Sequence[int],
    display: ProgressDisplay,
    begun: float = 0.0,
) -> list[Repair]:
    """Fill all gaps that can be filled, for each take; a model is forgotten before the next one is trained.

    Args:
        audio: the recording.
        work: its gaps, in groups that share a model.
        models: one for each group.
        takes: their numbers, from 0.
        display: told how far the work is.
        begun: share of the work on the file that is done before.

    Raises:
        CawError: a finished model has other channels than the recording, or a training fails.
    """
    source, groups = models.source, work.fillable
    places = [gap[:2] for gap in work.gaps]
    repairs = [
        Repair(audio.read, audio.samples, work.gaps, seed=derived_seed(source.seed, "take", take), take=take)
        for take in takes
    ]
    announcements = [""] if len(groups) == 1 else list(work.group_lines())
    share = (1 - begun) / len(groups)
    trainings = []
    for index, (group, announcement) in enumerate(zip(groups, announcements, strict=True)):
        if announcement and not source.quiet:
            click.echo(announcement, err=True)
        first = begun + index * share
        filling = first + share * (1 - models.share_of_filling)
        with part_of_progress(first, filling):
            model = models.of(group)
        _check_channels_of(model, audio)
        trainings.append(model.training)
        if not source.quiet:
            _tell_of_long_gaps([places[number] for number in group.numbers], audio.sample_rate, model)
        steps = [(repair, number) for repair in repairs for number in group.numbers]
        for done, (repair, number) in enumerate(steps):
            display.update(filling + (first + share - filling) * done / len(steps), "filling")
            repair.fill(number, model)
        del model  # before the next one is trained
    if source.model_path is None and len(groups) > 1:
        warn_if_rough(min(trainings, key=trained_share), "the least trained model")
    return repairs


def _check_channels_of(model: PyramidModel, audio: SpooledAudio) -> None:
    """Raise where a model is of other channels."""
    if model.channels != audio.channels:
        stereo, mono = (audio.name, "the model") if audio.channels == 2 else ("the model", audio.name)
        raise CawError(f"{stereo} is stereo, and {mono} mono: fill the gaps without --model, or with one that is alike")


def _tell_of_long_gaps(gaps: Sequence[Gap], sample_rate: int, model: PyramidModel) -> None:
    """Say so if a gap is longer than what the model looks at."""
    longest = max(stop - start for start, stop in gaps) / sample_rate
    heard = model.receptive_field_seconds
    if longest > heard:
        click.echo(
            f"a gap of {longest:.1f} s is longer than the {heard:.1f} s that the model hears at once: "
            "what it holds is invented freely, at the levels to be expected",
            err=True,
        )
