"""`caw info`: what a model file holds and can do, read without importing torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from caw_toolkit.cli.group import commands_of_plugins
from caw_toolkit.cli.options import MODEL_PARAMETER, examples, json_option
from caw_toolkit.cli.page_output import PageFile, page_option
from caw_toolkit.durations import in_words
from caw_toolkit.errors import printable
from caw_toolkit.pyramid.maturity import ROUGH_SHARE, trained_share
from caw_toolkit.pyramid.model_file import TensorInfo, read_header


@click.command(epilog=examples("caw info clip.pt"))
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.pt")
@json_option
@page_option("Write a page about the model, with takes to listen to.", reads=("model",))
def info(model: Path, as_json: bool, page: PageFile | None) -> None:
    """Show what MODEL.pt was trained on, how, and what it can do."""
    from caw_toolkit.plugins import get_host

    header = read_header(model)
    summary = {"file": model.name, **summarise(header)}
    summary["plugins"] = get_host().describe_model(summary)
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    else:
        _show(model, summary)
    if page is not None:
        _write_card(page, model, summary["plugins"])


def _show(model: Path, summary: Mapping[str, Any]) -> None:
    training = summary["training"]
    click.echo(f"{_harmless(model)}: {summary['sample_rate']} Hz, {'stereo' if summary['channels'] == 2 else 'mono'}")
    for scale in summary["scales"]:
        click.echo(f"  scale {scale['rate']:>6} Hz  {scale['type']}, {scale['parameters']:,} values")
    click.echo(f"  used by     caw {', '.join(_commands_that_use_models())}")
    for source in training.get("sources", []):
        click.echo(
            f"  trained on  {_harmless(source['name'])} ({source['seconds']:.1f} s at {source['sample_rate']} Hz)"
        )
    for label in ("license", "author"):
        if label in training:
            click.echo(f"  {label:<11} {_harmless(training[label])}")
    spent = in_words(sum(training.get("seconds_spent", [])))
    click.echo(
        f"  trained by  preset {_harmless(training.get('preset'))}, as {_harmless(training.get('material'))}, "
        f"seed {_harmless(training.get('seed'))}, {spent}, "
        f"caw_toolkit {_harmless(training.get('toolkit_version'))}"
    )
    if (share := trained_share(training)) < 1:
        rough = ", and so its results are rough" if share < ROUGH_SHARE else ""
        click.echo(f"  training    {share:.0%} of what was planned{rough}")
    if summary.get("pulse"):
        from caw_toolkit.pyramid.pulse import Pulse

        click.echo(f"  beat        {Pulse.from_content(summary['pulse'])}")
    if summary.get("is_texture"):
        click.echo("  texture     takes are made of grains of the recording")
    for name, lines in summary["plugins"].items():
        for label, text in lines.items():
            click.echo(f"  {_harmless(label):<11} {_harmless(text)} [{name}]")


def _write_card(page: PageFile, path: Path, described: Mapping[str, Mapping[str, str]]) -> None:
    from caw_toolkit.pages.model_card import model_card
    from caw_toolkit.pyramid.model import PyramidModel

    lines = {label: text for lines in described.values() for label, text in lines.items()}
    page.write(model_card(PyramidModel.load(path), path.name, lines))


def _commands_that_use_models() -> list[str]:
    """Names of the commands that have the option --model."""
    return [
        name
        for name, command in sorted(commands_of_plugins())
        if any(parameter.name == MODEL_PARAMETER for parameter in command.params)
    ]


def _harmless(value: object) -> str:
    return printable(str(value)[:200])


def summarise(header: dict[str, Any]) -> dict[str, Any]:
    """The header without its tensors: plain types only."""
    summary = {key: value for key, value in header.items() if key not in ("scales", "reconstruction_noise")}
    summary["scales"] = [
        {
            "rate": scale["rate"],
            "noise_std": scale["noise_std"],
            "type": scale["architecture"]["type"],
            "parameters": sum(w.elements for w in scale["weights"].values() if isinstance(w, TensorInfo)),
        }
        for scale in header["scales"]
    ]
    return summary
