"""Options under the names that they had before."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from caw_batch.signature import signature
from caw_toolkit.cli import main
from caw_toolkit.cli.environment import name_variables
from caw_toolkit.cli.renamed_options import RenamedOption

FORMER = [("generate", "--count", "--takes"), ("vary", "--count", "--takes"), ("inpaint", "--hole", "--gap")]


@click.command()
@click.option("-n", "--takes", cls=RenamedOption, former_names=["--count"], type=int, default=1)
def shout(takes: int) -> None:
    click.echo(f"{takes} takes")


@pytest.mark.parametrize("arguments", [["--takes", "3"], ["-n", "3"], ["--count", "3"], ["--count=3"]])
def test_both_names_work(arguments: list[str]) -> None:
    assert CliRunner().invoke(shout, arguments).stdout == "3 takes\n"


@pytest.mark.parametrize("variable", ["CAW_SHOUT_TAKES", "CAW_SHOUT_COUNT"])
def test_both_variables_work(variable: str) -> None:
    name_variables(shout, None, "shout")
    assert CliRunner().invoke(shout, [], env={variable: "3"}).stdout == "3 takes\n"


def test_errors_name_it_as_it_is_called_now() -> None:
    refused = CliRunner().invoke(shout, ["--count", "many"])
    assert refused.exit_code == 2 and "'-n' / '--takes'" in refused.stderr and "--count" not in refused.stderr


@pytest.mark.parametrize(("command", "former", "now"), FORMER)
def test_commands_take_former_names_and_do_not_show_them(command: str, former: str, now: str) -> None:
    shown = CliRunner().invoke(main, [command, "--help"]).stdout
    assert now in shown and former not in shown
    assert f"No such option: {former}" not in CliRunner().invoke(main, [command, former]).stderr
    known = signature(command)
    assert known.option(former.lstrip("-")) is known.option(now.lstrip("-")) is not None
