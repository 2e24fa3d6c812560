"""What `caw train` says of a plan: before it is carried out, or instead."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from caw_toolkit.cli.progress import shown_progress
from caw_toolkit.durations import in_words

if TYPE_CHECKING:
    from caw_toolkit.training.plan import Plan


def say_rates(given: Sequence[int], rate: int, *, is_chosen: bool) -> None:
    """Say at which rate a model will be, where that is not what the recording has, or was asked for in vain."""
    rates = ", ".join(f"{each}" for each in sorted(set(given)))
    if max(given) < rate:
        lacking = f"and will know nothing above {max(given) / 2:g} Hz"
        click.echo(f"the recording is at {rates} Hz, the model will be at {rate} Hz, {lacking}", err=True)
    elif not is_chosen and set(given) != {rate}:
        click.echo(f"the recording is at {rates} Hz, the model will be at {rate} Hz", err=True)


def announce(plan: Plan) -> None:
    """Say what is going to be trained."""
    budget = "no time limit" if plan.minutes is None else in_words(60 * plan.minutes)
    rates = ", ".join(map(str, plan.rates))
    click.echo(
        f"{plan.recording.seconds:.1f} s of {plan.material.value}, scales {rates} Hz, {budget}, seed {plan.seed}",
        err=True,
    )
    _say_findings(plan, err=True)


def _say_findings(plan: Plan, *, err: bool = False) -> None:
    """What was found in the recording that takes depend on."""
    if plan.findings.pulse is not None:
        click.echo(f"{plan.findings.pulse}, which takes keep to", err=err)
    if plan.findings.is_texture:
        click.echo("a texture: takes are made of grains of it, and repeat nothing", err=err)


def show_estimate(plan: Plan, *, as_json: bool, quiet: bool) -> None:
    """Print what a plan would train, and about what it takes: a few steps are timed."""
    from caw_toolkit.training.estimates import GPU_NAME, estimate

    with shown_progress(quiet=quiet) as display:
        display.update(0.0, "timing a few steps")
        figures = estimate(plan)
    if as_json:
        click.echo(json.dumps(figures))
        return
    click.echo(f"{plan.recording.seconds:.1f} s of {plan.material.value}, preset {plan.preset.name}, seed {plan.seed}")
    _say_findings(plan)
    click.echo(f"{'scale':>9}  {'receptive field':>15}  {'parameters':>10}")
    for scale in figures["scales"]:
        field = f"{scale['receptive_field_seconds']:.2f} s"
        learnt = f"{scale['parameters']:,}" if scale["parameters"] else "recording"  # which is held, not learnt
        click.echo(f"{scale['rate']:>6} Hz  {field:>15}  {learnt:>10}")
    needed = in_words(60 * figures["minutes"])
    times = f"about {needed} on this CPU" if plan.minutes is None else f"{needed} at the most"
    if figures["gpu_minutes"] is not None:
        times += f", about {in_words(60 * figures['gpu_minutes'])} on an {GPU_NAME}"
    click.echo(f"{times}; {figures['memory_gigabytes']:.1f} GB of memory")
