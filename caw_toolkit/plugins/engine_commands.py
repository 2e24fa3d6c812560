"""The commands of the engine itself: their names are refused to plugins, their modules load when they are run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class EngineCommand(NamedTuple):
    """Where a command of the engine is, its line in `caw --help`, and the heading above that."""

    target: str
    summary: str
    group: str


_MODELS, _FILES, _PLUGINS, _HELP = "Models", "Files", "Plugins", "Help"
#: Headings of `caw --help` in their order; commands of plugins are below the first.
GROUPS = ("Tasks", _MODELS, _FILES, _PLUGINS, _HELP)

ENGINE_COMMANDS: Mapping[str, EngineCommand] = MappingProxyType(
    {
        "demo": EngineCommand(
            "caw_toolkit.cli.demo:demo", "Train on a short built-in clip and generate from it.", _MODELS
        ),
        "evaluate": EngineCommand(
            "caw_toolkit.cli.evaluate:evaluate", "Score results against what they should be.", _FILES
        ),
        "help": EngineCommand(
            "caw_toolkit.cli.help_command:help_command", "Show this, or the help of a command.", _HELP
        ),
        "info": EngineCommand("caw_toolkit.cli.info:info", "Show what a model file holds and can do.", _MODELS),
        "install": EngineCommand("caw_toolkit.cli.install:install", "Install plugins.", _PLUGINS),
        "plugin": EngineCommand("caw_toolkit.cli.plugin_command:plugin", "Write a plugin of your own.", _PLUGINS),
        "plugins": EngineCommand(
            "caw_toolkit.cli.plugins_command:plugins", "List plugins and what they add.", _PLUGINS
        ),
        "process": EngineCommand(
            "caw_toolkit.cli.process:process", "Run a chain of pedalboard effects and processors on files.", _FILES
        ),
        "report": EngineCommand(
            "caw_toolkit.cli.report:report", "Write a page to listen to files and compare them.", _FILES
        ),
        "train": EngineCommand("caw_toolkit.cli.train:train", "Train a model on one recording.", _MODELS),
        "verify": EngineCommand(
            "caw_toolkit.cli.verify:verify", "Check files against the log of what was done.", _FILES
        ),
        "uninstall": EngineCommand("caw_toolkit.cli.install:uninstall", "Remove plugins.", _PLUGINS),
    }
)
