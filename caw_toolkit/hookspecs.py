"""The hooks of the toolkit: everything a plugin can add to it or be told by it.

A plugin is a module (or an object) that a distribution advertises in the entry-point group `caw_toolkit`. It implements
any of the hooks below by marking a function of the same name with `hookimpl`:

    from caw_toolkit import hookimpl

    @hookimpl
    def register_commands(register):
        register("shout", "caw_shout.command:shout", summary="Make a clip louder.")

Hooks whose name starts with `register_` are called once, when the host loads the plugin, and hand over a callback. The
host thereby knows which plugin registered what, and refuses one item without losing the others. Plugin modules are
imported by every `caw` command, `--help` included: targets are strings so that heavy imports wait until they are used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

if TYPE_CHECKING:
    import click

#: For plugins; `hookimpl` is imported from `caw_toolkit`.
__all__ = [
    "API_VERSION",
    "HOOK_NAMES",
    "RegisterCommand",
    "RegisterPreset",
    "RegisterTarget",
    "ScaleTrained",
]

#: Name of the pluggy project and of the entry-point group.
PROJECT_NAME = "caw_toolkit"

#: Version of the hooks. A plugin that declares another `caw_api_version` is not loaded; declaring none is fine.
API_VERSION = 2

hookspec = pluggy.HookspecMarker(PROJECT_NAME)

#: Marks a function as the implementation of the hook of the same name.
hookimpl = pluggy.HookimplMarker(PROJECT_NAME)


@dataclass(frozen=True)
class ScaleTrained:
    """A scale of a pyramid that has just been trained.

    Attributes:
        index: place in the pyramid; 0 is the coarsest scale.
        count: number of scales in the pyramid.
        rate: sample rate of the scale, in Hz.
        steps: training steps that the scale took.
        seconds: time that the scale took.
        losses: last value of each loss of the objective, by name.

    Example:
        >>> event = ScaleTrained(index=0, count=5, rate=500, steps=2000, seconds=31.5, losses={"velocity": 0.4})
        >>> f"scale {event.index + 1} of {event.count}: {event.steps / event.seconds:.0f} steps a second"
        'scale 1 of 5: 63 steps a second'

    .. versionadded:: 0.1
    """

    index: int
    count: int
    rate: int
    steps: int
    seconds: float
    losses: Mapping[str, float]


class RegisterCommand(Protocol):
    """Callback of `register_commands`.

    Example:
        >>> def register_commands(register: RegisterCommand) -> None:
        ...     register("shout", "caw_shout.command:shout", summary="Make a clip louder.")
        >>> register_commands(lambda name, target, *, summary="": print(name, target))
        shout caw_shout.command:shout

    .. versionadded:: 0.1
    """

    def __call__(self, name: str, target: click.Command | str, *, summary: str = "") -> None:
        """Add the subcommand `caw NAME`.

        Args:
            name: lower-case letters, digits, `-` and `_`.
            target: a click command, or `"package.module:attribute"` of one, imported when the command is run.
            summary: one line for `caw --help`; by default the command's own, if it is not lazy.
        """


class RegisterTarget(Protocol):
    """Callback of the hooks that register something which is imported when it is first used.

    Example:
        >>> def register_processors(register: RegisterTarget) -> None:
        ...     register("shout", "caw_shout.processor:Shout", summary="Louder.")
        >>> register_processors(lambda name, target, *, summary="": print(name, target))
        shout caw_shout.processor:Shout

    .. versionadded:: 0.1
    """

    def __call__(self, name: str, target: str, *, summary: str = "") -> None:
        """Add a named object.

        Args:
            name: lower-case letters, digits, `-` and `_`.
            target: `"package.module:attribute"`.
            summary: one line for listings.
        """


class RegisterPreset(Protocol):
    """Callback of `register_presets`.

    Example:
        >>> def register_presets(register: RegisterPreset) -> None:
        ...     register("loud", "presets/loud.toml", summary="For loud recordings.")
        >>> register_presets(lambda name, target, *, summary="": print(name, target))
        loud presets/loud.toml

    .. versionadded:: 0.1
    """

    def __call__(self, name: str, target: str | os.PathLike[str], *, summary: str = "") -> None:
        """Add a preset.

        Args:
            name: lower-case letters, digits, `-` and `_`.
            target: path of an existing TOML file.
            summary: one line for listings.
        """


@hookspec
def register_commands(register: RegisterCommand) -> None:
    """Add subcommands to `caw`.

    Args:
        register: call it once a command: `register(name, command, summary="...")`. The command is a click command or
            the lazy target of one.

    .. versionadded:: 0.1
    """


@hookspec
def register_processors(register: RegisterTarget) -> None:
    """Add audio processors, which chains and `host.processor(name)` find by name.

    Args:
        register: call it once a processor: `register(name, "package.module:Class", summary="...")`.

    .. versionadded:: 0.1
    """


@hookspec
def register_generators(register: RegisterTarget) -> None:
    """Add types of generators, which model files name: `architecture["type"]`.

    A model that has one records the distribution that registered it, and can be opened only where that is installed.

    Args:
        register: call it once a type: `register(type, "package.module:Class", summary="...")`. The class is a
            `caw_toolkit.generators.base.ScaleGenerator` whose constructor takes the other items of its `architecture`.

    .. versionadded:: 0.2
    """


@hookspec
def register_objectives(register: RegisterTarget) -> None:
    """Add training objectives, which presets name: `objective.name`.

    Args:
        register: call it once an objective: `register(name, "package.module:Class", summary="...")`. The class is a
            `caw_toolkit.training.objectives.base.Objective`.

    .. versionadded:: 0.2
    """


@hookspec
def register_presets(register: RegisterPreset) -> None:
    """Add presets, which `caw train --preset NAME` finds by name.

    Args:
        register: call it once a preset: `register(name, path_of_the_toml_file, summary="...")`.

    .. versionadded:: 0.1
    """


@hookspec
def register_evaluations(register: RegisterTarget) -> None:
    """Add subcommands to `caw evaluate`, which score results of the plugin's commands.

    Args:
        register: call it once an evaluation: `register(name, "package.module:command", summary="...")`.

    .. versionadded:: 0.2
    """


@hookspec
def register_panels(register: RegisterTarget) -> None:
    """Add panels to the page of `caw studio`, and to `caw panel`.

    Args:
        register: call it once a panel: `register(name, "package.module:panel", summary="...")`. The target is a
            `caw_toolkit.processors.panels.Panel`: a function from a recording to results, with declared parameters.

    .. versionadded:: 0.2
    """


@hookspec
def scale_trained(event: ScaleTrained) -> None:
    """React to a scale whose training has ended, in the process and thread that trains.

    Args:
        event: the scale, its cost and its last losses.

    .. versionadded:: 0.1
    """


@hookspec
def describe_model(info: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Add lines to the description of a model (`caw info`).

    Args:
        info: the model file's metadata, as plain types and without weights.

    Returns:
        Text by label, or None when there is nothing to say about this model.

    .. versionadded:: 0.1
    """


#: Names of all hooks, in the order in which they are documented.
HOOK_NAMES: tuple[str, ...] = (
    "register_commands",
    "register_processors",
    "register_generators",
    "register_objectives",
    "register_presets",
    "register_evaluations",
    "register_panels",
    "scale_trained",
    "describe_model",
)
