"""The contract as users meet it: the toolkit, the example plugin and a new one, all installed from wheels."""

from __future__ import annotations

import json
import shutil
import sysconfig
from pathlib import Path

import pytest

from paths import ROOT
from plugin_environment import PluginEnvironment

PLUGINS = ("caw-freeze", "caw-tape-stop")

#: What the wheel of the toolkit is built from.
SOURCES = ("caw_toolkit", "plugins", "presets", "examples/audio", "pyproject.toml", "README.md", "LICENSE")

WHERE_MODULES_ARE = """\
import importlib, json, pathlib, sys
print(json.dumps([str(pathlib.Path(importlib.import_module(name).__file__).resolve()) for name in sys.argv[1:]]))
"""

#: The processors that are registered, each held to the contract; those of the toolkit as in test_contract.py.
KEEP_THE_CONTRACT = """\
import sys
import torch
from caw_toolkit import get_processor
from caw_toolkit.generators import flow
from caw_toolkit.plugins import get_host
from caw_toolkit.processors.model_processor import ModelProcessor
from caw_toolkit.testing import assert_processor_contract

torch.set_num_threads(1)
flow.FILL_STEPS = 2
for name in sorted(get_host().items("processor")):
    processor = get_processor(name)
    settings = {"model": sys.argv[1], "device": "cpu"} if issubclass(processor, ModelProcessor) else {}
    assert_processor_contract(lambda: processor(**settings), sample_rate=4000)
    print(name)
"""

pytestmark = pytest.mark.slow


def build_and_install(environment: PluginEnvironment, project: Path) -> None:
    wheels = project.with_name(f"{project.name}-wheel")
    environment.pip("wheel", "--quiet", "--no-deps", "--wheel-dir", wheels, project)
    environment.pip("install", "--quiet", "--no-deps", "--ignore-installed", *wheels.glob("*.whl"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wheels").resolve()


@pytest.fixture(scope="module")
def environment(folder: Path) -> PluginEnvironment:
    """Three wheels beside the packages that are installed here, without the checkout; the sources are in `folder`."""
    environment = PluginEnvironment(folder)
    (beside,) = folder.glob("environment/**/beside.pth")
    beside.write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")  # its own .pth files do not count

    (folder / "toolkit" / "examples").mkdir(parents=True)
    for name in SOURCES:
        source, target = ROOT / name, folder / "toolkit" / name
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    build_and_install(environment, folder / "toolkit")

    shutil.copytree(ROOT / "examples" / "caw-plugin-freeze", folder / "caw-freeze")
    written = environment.caw("plugin", "new", "tape-stop")
    assert written.returncode == 0, written.stderr
    for plugin in PLUGINS:
        build_and_install(environment, folder / plugin)
    return environment


def test_everything_comes_from_the_wheels(environment: PluginEnvironment, folder: Path) -> None:
    modules = ("caw_toolkit", "caw_toolkit_presets", "caw_denoising.plugin", "caw_freeze", "caw_tape_stop")
    done = environment.run("-c", WHERE_MODULES_ARE, *modules)
    assert done.returncode == 0, done.stderr
    assert all(Path(file).is_relative_to(folder / "environment") for file in json.loads(done.stdout)), done.stdout


def test_every_processor_keeps_the_contract(environment: PluginEnvironment, tiny_model_path: Path) -> None:
    done = environment.run("-c", KEEP_THE_CONTRACT, tiny_model_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == ["bwe", "denoise", "freeze", "generate", "inpaint", "tape-stop", "vary"]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_passes_its_own_tests(environment: PluginEnvironment, folder: Path, plugin: str) -> None:
    done = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", folder / plugin / "tests")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tests_of_a_new_plugin_have_the_right_types(environment: PluginEnvironment, folder: Path) -> None:
    done = environment.run("-m", "mypy", "--strict", folder / "caw-tape-stop" / "tests")
    assert done.returncode == 0, done.stdout + done.stderr
