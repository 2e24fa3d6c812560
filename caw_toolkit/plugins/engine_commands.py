"""The commands of the engine itself: their names are refused to plugins, their modules load when they are run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class EngineCommand(NamedTuple):
    """Where a command of the engine is, and its line in `caw --help`."""

    target: str
    summary: str


ENGINE_COMMANDS: Mapping[str, EngineCommand] = MappingProxyType(
    {
        "demo": EngineCommand("caw_toolkit.cli.demo:demo", "Train on a short built-in clip and generate from it."),
        "evaluate": EngineCommand("caw_toolkit.cli.evaluate:evaluate", "Score results against what they should be."),
        "info": EngineCommand("caw_toolkit.cli.info:info", "Show what a model file holds and can do."),
        "install": EngineCommand("caw_toolkit.cli.install:install", "Install plugins."),
        "plugin": EngineCommand("caw_toolkit.cli.plugin_command:plugin", "Write a plugin of your own."),
        "plugins": EngineCommand("caw_toolkit.cli.plugins_command:plugins", "List plugins and what they add."),
        "process": EngineCommand(
            "caw_toolkit.cli.process:process", "Run a chain of pedalboard effects and processors on a file."
        ),
        "report": EngineCommand("caw_toolkit.cli.report:report", "Write a page to listen to files and compare them."),
        "train": EngineCommand("caw_toolkit.cli.train:train", "Train a model on one recording."),
        "verify": EngineCommand("caw_toolkit.cli.verify:verify", "Check files against the log of what was done."),
        "uninstall": EngineCommand("caw_toolkit.cli.install:uninstall", "Remove plugins."),
    }
)
