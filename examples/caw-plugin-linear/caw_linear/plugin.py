"""What the plugin adds to `caw`. Every `caw` command imports this module, so it imports nothing heavy."""

from __future__ import annotations

from pathlib import Path

from caw_toolkit import hookimpl
from caw_toolkit.hookspecs import RegisterPreset, RegisterTarget

caw_api_version = 2


@hookimpl
def register_generators(register: RegisterTarget) -> None:
    """Add the type of generator that model files name."""
    register("linear", "caw_linear.generator:LinearGenerator", summary="Noise through filters of linear prediction.")


@hookimpl
def register_objectives(register: RegisterTarget) -> None:
    """Add the objective that presets name."""
    register("linear", "caw_linear.objective:LinearObjective", summary="Linear prediction of the coarsest scale.")


@hookimpl
def register_presets(register: RegisterPreset) -> None:
    """Add `caw train --preset linear`."""
    register("linear", Path(__file__).with_name("linear.toml"), summary="Seconds: linear prediction, then exemplars.")
