"""`caw info`: what a model file holds and can do, read without importing torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from caw_toolkit.cli.options import json_option
from caw_toolkit.durations import in_words
from caw_toolkit.errors import printable
from caw_toolkit.pyramid.maturity import ROUGH_SHARE, trained_share
from caw_toolkit.pyramid.model_file import TensorInfo, read_header


@click.command()
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.pt")
@json_option
def info(model: Path, as_json: bool) -> None:
    """Show what MODEL.pt was trained on, how, and what it can do."""
    from caw_toolkit.plugins import get_host

    header = read_header(model)
    summary = summarise(header)
    summary["plugins"] = get_host().describe_model(summary)
    if as_json:
        click.echo(json.dumps(summary, indent=2))
        return
    training = summary["training"]
    click.echo(f"{_harmless(model)}: {summary['sample_rate']} Hz, {'stereo' if summary['channels'] == 2 else 'mono'}")
    for scale in summary["scales"]:
        click.echo(f"  scale {scale['rate']:>6} Hz  {scale['type']}, {scale['parameters']:,} parameters")
    click.echo(f"  can         {', '.join(summary['capabilities'])}")
    for source in training.get("sources", []):
        click.echo(
            f"  trained on  {_harmless(source['name'])} ({source['seconds']:.1f} s at {source['sample_rate']} Hz)"
        )
    spent = in_words(sum(training.get("seconds_spent", [])))
    click.echo(
        f"  trained by  preset {_harmless(training.get('preset'))}, as {_harmless(training.get('material'))}, "
        f"seed {_harmless(training.get('seed'))}, {spent}, "
        f"caw_toolkit {_harmless(training.get('toolkit_version'))}"
    )
    if (share := trained_share(training)) < 1:
        rough = ", and so its results are rough" if share < ROUGH_SHARE else ""
        click.echo(f"  training    {share:.0%} of what was planned{rough}")
    for name, lines in summary["plugins"].items():
        for label, text in lines.items():
            click.echo(f"  {_harmless(label):<11} {_harmless(text)} [{name}]")


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
