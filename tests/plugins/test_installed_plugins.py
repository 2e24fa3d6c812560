"""Plugins that pip has really installed, used through the real command in an environment of their own."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import soundfile

from caw_toolkit.parts import DISTRIBUTION
from caw_toolkit.plugins.engine_commands import ENGINE_COMMANDS
from fake_plugins import BROKEN, write_wheel
from paths import ROOT
from plugin_environment import TYPES, PluginEnvironment

EXAMPLE = ROOT / "examples" / "caw-plugin-freeze"

DUMMY = """\
import click
from caw_toolkit import hookimpl

@click.command(short_help="Do nothing.")
def dummy{number}():
    pass

@hookimpl
def register_commands(register):
    register("dummy{number}", dummy{number})
    register("lazy{number}", "no.such.module:command", summary="Do nothing, later.")

@hookimpl
def register_processors(register):
    register("dummy{number}", "no.such.module:Processor")
"""

SHOW_MODULES_OF_HELP = """\
import sys
from caw_toolkit.cli import main
try:
    main(["--help"])
finally:
    print(*sys.modules, file=sys.stderr)
"""

USE_THE_PROCESSOR = """\
import sys
import numpy as np
import soundfile
from caw_toolkit import Pedalboard
from caw_toolkit.plugins import get_host
from pedalboard import Gain

audio, rate = soundfile.read(sys.argv[1], dtype="float32")
freeze = get_host().processor("freeze")(at_seconds=0.5, seed=1)
result = freeze(audio, rate)
assert result.shape == audio.shape and (result[: rate // 2] == audio[: rate // 2]).all()
assert (result[rate:] != audio[rate:]).any()
gain = Gain(gain_db=-6)
chained = Pedalboard([gain, freeze])(audio, rate)
np.testing.assert_allclose(chained, freeze(gain(audio, rate), rate), atol=1e-6)
"""


def listing(environment: PluginEnvironment) -> dict[str, dict[str, Any]]:
    """What `caw plugins --json` says, by name of the plugin."""
    done = environment.caw("plugins", "--json")
    assert done.returncode == 0, done.stderr
    return {record["name"]: record for record in json.loads(done.stdout)["plugins"]}


@pytest.fixture(scope="module")
def example_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example plugin, built as for the package index, from a copy that may be littered."""
    folder = tmp_path_factory.mktemp("example")
    source = shutil.copytree(EXAMPLE, folder / "source")
    builder = PluginEnvironment(folder)
    builder.pip("wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_example_plugin_is_installed_used_and_uninstalled(
    example_wheel: Path, speech_path: Path, tmp_path: Path
) -> None:
    environment = PluginEnvironment(tmp_path)
    assert environment.caw("freeze", speech_path).returncode == 2

    installed = environment.caw("install", example_wheel)
    assert installed.returncode == 0, installed.stderr
    assert installed.stdout == "installed freeze (caw-freeze 0.1.0); commands: freeze; processors: freeze\n"

    assert "Turn a moment of a clip into an endless pad. [caw-freeze]" in environment.caw("--help").stdout
    record = listing(environment)["freeze"]
    assert (record["distribution"], record["version"], record["error"]) == ("caw-freeze", "0.1.0", None)
    assert record["commands"] == record["processors"] == ["freeze"] and record["problems"] == []

    pad = tmp_path / "pad.wav"
    frozen = environment.caw("freeze", speech_path, "--at", "2", "--duration", "1.5", "--seed", "1", "-o", pad)
    assert frozen.returncode == 0, frozen.stderr
    assert soundfile.info(pad).duration == 1.5

    used = environment.run("-c", USE_THE_PROCESSOR, speech_path)
    assert used.returncode == 0, used.stderr

    uninstalled = environment.caw("uninstall", "caw-freeze")
    assert (uninstalled.returncode, uninstalled.stdout) == (0, "uninstalled caw-freeze\n"), uninstalled.stderr
    assert "freeze" not in listing(environment)
    assert environment.caw("freeze", speech_path).returncode == 2


@pytest.mark.slow
def test_the_tests_and_the_types_of_the_example_are_right(example_wheel: Path, tmp_path: Path) -> None:
    environment = PluginEnvironment(tmp_path)
    environment.pip("install", "--quiet", example_wheel)
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    done = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path / "tests")
    assert done.returncode == 0, done.stdout
    arguments = ("--strict", "--implicit-reexport", "--follow-imports=silent", EXAMPLE / "caw_freeze")
    done = environment.run("-m", "mypy", *arguments, environment=TYPES)
    assert done.returncode == 0, done.stdout


def test_broken_plugins_leave_every_command_working(tiny_model_path: Path, speech_path: Path, tmp_path: Path) -> None:
    environment = PluginEnvironment(tmp_path)
    environment.pip(
        "install", "--quiet", *(write_wheel(tmp_path, name, {point: source}) for name, point, source in BROKEN)
    )

    records = listing(environment)
    reported = environment.caw("plugins").stderr.splitlines()
    for distribution, name, _ in BROKEN:
        assert records[name]["distribution"] == distribution
        assert records[name]["error"] or records[name]["problems"]
        assert sum(line.startswith(f"caw: warning: plugin {name!r} ({distribution} 1.0): ") for line in reported) == 1
    assert len(reported) == len(BROKEN)

    ours = [record for record in records.values() if record["distribution"] == DISTRIBUTION]
    commands = {*ENGINE_COMMANDS, *(command for record in ours for command in record["commands"])}
    assert {"train", "generate", "denoise"} < commands
    for command in sorted(commands):
        done = environment.caw(command, "--help")
        assert done.returncode == 0 and f" {command} " in done.stdout.partition("\n")[0], done.stderr
    take = tmp_path / "take.wav"
    done = environment.caw("generate", "--model", tiny_model_path, "--duration", "1", "--seed", "1", "-o", take)
    assert done.returncode == 0, done.stderr
    assert soundfile.info(take).duration == 1


def test_help_is_quick_and_light_with_twenty_plugins(tmp_path: Path) -> None:
    environment = PluginEnvironment(tmp_path)
    for number in range(20):
        write_wheel(tmp_path, f"caw-dummy{number}", {f"dummy{number}": DUMMY.format(number=number)})
    environment.pip("install", "--quiet", *tmp_path.glob("*.whl"))
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        done = environment.caw("--help")
        seconds.append(time.perf_counter() - began)
    assert done.returncode == 0 and done.stderr == ""
    assert len(re.findall(r"^  (?:dummy|lazy)\d+ ", done.stdout, re.MULTILINE)) == 40
    assert min(seconds) < 0.5  # what exceeds the least is other programs' doing
    imported = environment.run("-c", SHOW_MODULES_OF_HELP).stderr.split()
    assert "caw_dummy19_dummy19" in imported
    assert {"torch", "numpy", "scipy", "pedalboard"}.isdisjoint(imported)
