"""What the plugin adds to `caw`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from caw_toolkit import hookimpl
from caw_toolkit.hookspecs import RegisterCommand, RegisterTarget


@hookimpl
def register_commands(register: RegisterCommand) -> None:
    """Add `caw bwe`."""
    register("bwe", "caw_bandwidth_extension.command:bwe", summary="Add the highs that a low-rate recording has lost.")


@hookimpl
def register_processors(register: RegisterTarget) -> None:
    """Add `BandwidthExtension`."""
    register(
        "bwe",
        "caw_bandwidth_extension.processor:BandwidthExtension",
        summary="Add the highs that a low-rate recording has lost.",
    )


@hookimpl
def register_evaluations(register: RegisterTarget) -> None:
    """Add `caw evaluate bwe`."""
    register(
        "bwe",
        "caw_bandwidth_extension.evaluation:evaluate",
        summary="Added highs, against the full-bandwidth recording.",
    )


@hookimpl
def describe_model(info: Mapping[str, Any]) -> dict[str, str] | None:
    """Say how `caw bwe` uses the model."""
    if "inject" not in info["capabilities"]:
        return None
    return {"highs": f"caw bwe LOWRES.wav --model {shlex.quote(info['file'])}"}
