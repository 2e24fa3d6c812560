"""What the plugin adds to `caw`."""

from __future__ import annotations

from caw_toolkit import hookimpl
from caw_toolkit.hookspecs import RegisterCommand


@hookimpl
def register_commands(register: RegisterCommand) -> None:
    """Add `caw studio` and `caw panel`."""
    register("studio", "caw_studio.command:studio", summary="Train, listen and repair on a page in the browser.")
    register("panel", "caw_studio.panel_command:panel", summary="Run a panel that a plugin has added to caw studio.")
