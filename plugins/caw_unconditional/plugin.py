"""What the plugin adds to `caw`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from caw_toolkit import hookimpl
from caw_toolkit.hookspecs import RegisterCommand, RegisterTarget


@hookimpl
def register_commands(register: RegisterCommand) -> None:
    """Add `caw generate`."""
    register("generate", "caw_unconditional.command:generate", summary="Generate new audio of any length from a model.")


@hookimpl
def register_processors(register: RegisterTarget) -> None:
    """Add `Generate`."""
    register("generate", "caw_unconditional.processor:Generate", summary="Mix in new audio from a model.")


@hookimpl
def register_evaluations(register: RegisterTarget) -> None:
    """Add `caw evaluate generate`."""
    register(
        "generate",
        "caw_unconditional.evaluation:evaluate",
        summary="Takes, against their training recording.",
    )


@hookimpl
def describe_model(info: Mapping[str, Any]) -> dict[str, str]:
    """Say how `caw generate` uses the model."""
    return {"takes": f"caw generate --model {shlex.quote(info['file'])} -n 3"}
