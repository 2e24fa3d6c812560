"""What the plugin adds to `caw`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from caw_toolkit import hookimpl
from caw_toolkit.hookspecs import RegisterCommand, RegisterTarget


@hookimpl
def register_commands(register: RegisterCommand) -> None:
    """Add `caw denoise`."""
    register("denoise", "caw_denoising.command:denoise", summary="Clean a noisy recording.")


@hookimpl
def register_processors(register: RegisterTarget) -> None:
    """Add `Denoise`."""
    register("denoise", "caw_denoising.processor:Denoise", summary="Clean a noisy recording.")


@hookimpl
def register_evaluations(register: RegisterTarget) -> None:
    """Add `caw evaluate denoise`."""
    register("denoise", "caw_denoising.evaluation:evaluate", summary="Cleaned recordings, against the clean one.")


@hookimpl
def describe_model(info: Mapping[str, Any]) -> dict[str, str]:
    """Say how `caw denoise` uses the model."""
    return {"noise": f"caw denoise NOISY.wav --model {shlex.quote(info['file'])}"}
