"""What the plugin adds to `caw`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from caw_toolkit import hookimpl
from caw_toolkit.hookspecs import RegisterCommand, RegisterTarget


@hookimpl
def register_commands(register: RegisterCommand) -> None:
    """Add `caw vary`."""
    register(
        "vary", "caw_music_variation.command:vary", summary="Make variations of a song: its structure, new detail."
    )


@hookimpl
def register_processors(register: RegisterTarget) -> None:
    """Add `Vary`."""
    register("vary", "caw_music_variation.processor:Vary", summary="Make a variation of a song.")


@hookimpl
def register_evaluations(register: RegisterTarget) -> None:
    """Add `caw evaluate vary`."""
    register("vary", "caw_music_variation.evaluation:evaluate", summary="Variations, against the song.")


@hookimpl
def describe_model(info: Mapping[str, Any]) -> dict[str, str] | None:
    """Say how `caw vary` uses the model."""
    if "recompose" not in info["capabilities"]:
        return None
    return {"variations": f"caw vary SONG.wav --model {shlex.quote(info['file'])}"}
