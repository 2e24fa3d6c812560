"""A plugin whose jobs do nothing but what a test asks them for, and keep a log of it on disk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from caw_process import ENVIRONMENT
from fake_plugins import install

_SOURCE = """
import os, signal, time
from pathlib import Path
import click
from caw_toolkit import CawError, hookimpl
from caw_toolkit.cli.options import FILE, OUTPUT_FILE, force_option, quiet_option

@click.command()
@click.argument("source", type=FILE)
@click.option("-o", "--output", type=OUTPUT_FILE, required=True)
@click.option("--text", default="")
@click.option("--also", type=click.Path(exists=True, dir_okay=False))
@click.option("--times", type=int, default=1)
@click.option("--seconds", type=float, default=0.0)
@click.option("--loud", is_flag=True)
@click.option("--device", default="auto")
@click.option("--fail-if", type=click.Path())
@click.option("--die", is_flag=True)
@force_option
@quiet_option
def echo(source, output, text, also, times, seconds, loud, device, fail_if, die, force, quiet):
    if log := os.environ.get("ECHO_LOG"):
        with open(log, "a") as stream:
            stream.write(f"{output.name} {os.getpid()}\\\\n")
    if threads := os.environ.get("ECHO_THREADS"):
        with open(threads, "a") as stream:
            stream.write(os.environ["OMP_NUM_THREADS"] + " ")
    time.sleep(seconds)
    if die:
        os.kill(os.getpid(), signal.SIGKILL)
    if fail_if and os.path.exists(fail_if):
        raise CawError(f"{fail_if} is in the way")
    if output.exists() and not force:
        raise CawError(f"{output} exists")
    words = source.read_text() + text * times + (Path(also).read_text() if also else "")
    output.write_text(words.upper() if loud else words)

@hookimpl
def register_commands(register):
    register("echo", echo, summary="Copy a text.")
""".replace("\\\\n", "\\n")


class EchoJobs:
    """A folder with `caw echo` installed, and a log of what it did.

    Args:
        folder: where everything goes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        packages = folder / "packages"
        packages.mkdir()
        install(packages, "caw-echo", {"echo": _SOURCE})
        path = os.pathsep.join([str(packages), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        self.environment: Mapping[str, str] = {**ENVIRONMENT, "PYTHONPATH": path, "ECHO_LOG": str(self.log)}

    def write(self, count: int) -> None:
        """Inputs `in/000.txt` and so on."""
        (self.folder / "in").mkdir(exist_ok=True)
        for number in range(count):
            (self.folder / "in" / f"{number:03}.txt").write_text(f"{number}", encoding="utf-8")

    def executions(self) -> list[str]:
        """Names of outputs, once for each time that their job was begun."""
        return [line.split()[0] for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def processes(self) -> set[int]:
        """Numbers of the processes that jobs ran in."""
        return {int(line.split()[1]) for line in self.log.read_text().splitlines()}

    def outputs(self) -> dict[str, str]:
        """Text of each output."""
        return {path.name: path.read_text() for path in sorted((self.folder / "out").glob("*.txt"))}
