"""`caw plugins`: which plugins there are, what they add, and what is wrong with them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from caw_toolkit.cli.options import examples, json_option
from caw_toolkit.errors import CawError
from caw_toolkit.hookspecs import API_VERSION
from caw_toolkit.plugins import PluginHost, PluginRecord, get_host
from caw_toolkit.plugins.kinds import ITEM_KINDS


@click.command(epilog=examples("caw plugins --check"))
@json_option
@click.option("--check", is_flag=True, help="Import everything that plugins add; exit code 1 if anything is wrong.")
@click.option("--times", is_flag=True, help="Say what each plugin takes at every start of caw.")
def plugins(as_json: bool, check: bool, times: bool) -> None:
    """List the installed plugins, what each of them adds, and what is wrong with it.

    CAW_DISABLE_PLUGINS=NAME,... leaves out plugins, by their names or by those of their commands (* leaves out all of
    them); CAW_PLUGINS=NAME,... leaves out all others. CAW_STRICT_PLUGINS=1 makes the first problem of any plugin an
    error.
    """
    host = get_host()
    seconds = host.start_seconds if times else {}
    broken = list(_broken_targets(host)) if check else []
    if as_json:
        listing = {
            "api_version": API_VERSION,
            "plugins": [_flat(record, seconds) for record in host.plugins],
            "broken_targets": broken,
        }
        click.echo(json.dumps(listing, indent=2))
    else:
        click.echo("\n".join(_listing(host.plugins, seconds)))
        for message in broken:
            click.echo(f"broken: {message}")
    if check and (broken or host.problems):
        raise click.exceptions.Exit(1)


def _flat(record: PluginRecord, seconds: Mapping[str, float]) -> dict[str, Any]:
    """A record as JSON shows it: the items beside the rest, and the time at start if it was asked for."""
    fields = dataclasses.asdict(record)
    items = fields.pop("items")
    times = {"start_seconds": round(seconds[record.name], 4)} if record.name in seconds else {}
    return {**fields, **items, **times}


def _listing(records: tuple[PluginRecord, ...], seconds: Mapping[str, float]) -> Iterator[str]:
    if not records:
        yield "no plugins are installed"
    for record in records:
        state = " (disabled)" if record.disabled else " (not loaded)" if record.error else ""
        yield f"{record.name}{state}  {record.distribution} {record.version}".rstrip()
        hooks = tuple(hook for hook in record.hooks if not hook.startswith("register_"))
        additions = {**record.items, "hooks": hooks}
        for label, names in additions.items():
            if names:
                yield f"    {label + ':':<16}{', '.join(names)}"
        if record.name in seconds:
            yield f"    {'at start:':<16}{seconds[record.name]:.3f} s"
        for message in filter(None, (record.error, *record.problems)):
            yield f"    {'problem:':<16}{message}"


def _broken_targets(host: PluginHost) -> Iterator[str]:
    """Import every target of every plugin, and yield a line for each that fails."""
    for kind in ITEM_KINDS:
        for name in sorted(host.items(kind.name)):
            try:
                host.load(kind.name, name)
            except CawError as error:
                yield str(error)
