"""What the plugin adds to `caw`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from caw_toolkit import hookimpl
from caw_toolkit.hookspecs import RegisterCommand, RegisterTarget


@hookimpl
def register_commands(register: RegisterCommand) -> None:
    """Add `caw inpaint`."""
    register("inpaint", "caw_inpainting.command:inpaint", summary="Fill gaps in a recording.")


@hookimpl
def register_processors(register: RegisterTarget) -> None:
    """Add `Inpaint`."""
    register("inpaint", "caw_inpainting.processor:Inpaint", summary="Fill gaps in a recording.")


@hookimpl
def register_evaluations(register: RegisterTarget) -> None:
    """Add `caw evaluate inpaint`."""
    register("inpaint", "caw_inpainting.evaluation:evaluate", summary="Filled gaps, against the intact recording.")


@hookimpl
def describe_model(info: Mapping[str, Any]) -> dict[str, str] | None:
    """Say how `caw inpaint` uses the model."""
    if "fill" not in info["capabilities"]:
        return None
    return {"gaps": f"caw inpaint CLIP.wav --gap START END --model {shlex.quote(info['file'])}"}
