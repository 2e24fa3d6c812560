"""What the plugin adds to `caw`. Every `caw` command imports this module, so it imports nothing heavy."""

from __future__ import annotations

from caw_toolkit import hookimpl
from caw_toolkit.hookspecs import RegisterCommand, RegisterTarget

caw_api_version = 2


@hookimpl
def register_commands(register: RegisterCommand) -> None:
    """Add `caw freeze`."""
    register("freeze", "caw_freeze.command:freeze", summary="Turn a moment of a clip into an endless pad.")


@hookimpl
def register_processors(register: RegisterTarget) -> None:
    """Add the processor `Freeze`."""
    register("freeze", "caw_freeze.processor:Freeze", summary="Holds a moment of the audio to its end.")
