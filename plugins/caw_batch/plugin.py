"""What the plugin adds to `caw`."""

from __future__ import annotations

from caw_toolkit import hookimpl
from caw_toolkit.hookspecs import RegisterCommand


@hookimpl
def register_commands(register: RegisterCommand) -> None:
    """Add `caw batch`."""
    register("batch", "caw_batch.command:batch", summary="Run a command on many files, on many cores or machines.")
