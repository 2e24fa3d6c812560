"""`caw install` and `caw uninstall`, with real pip; what other installers would be told."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from caw_toolkit.cli.install import required_distribution
from caw_toolkit.errors import CawError
from caw_toolkit.plugins.installers import failure_reason, find_installer
from fake_plugins import BROKEN, install, write_wheel
from plugin_environment import PluginEnvironment

SHOUT = """\
from caw_toolkit import hookimpl

@hookimpl
def register_commands(register):
    register("shout", "caw_shout_shout:shout")

@hookimpl
def register_evaluations(register):
    register("shout", "caw_shout_shout:evaluate")
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> PluginEnvironment:
    return PluginEnvironment(tmp_path_factory.mktemp("install"))


def test_what_is_installed_is_reported_and_can_be_removed(environment: PluginEnvironment, tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, "caw-shout", {"shout": SHOUT})
    done = environment.caw("install", wheel)
    report = "installed shout (caw-shout 1.0); commands: shout; evaluations: shout\n"
    assert (done.returncode, done.stdout) == (0, report), done.stderr
    again = environment.caw("install", "caw_shout")
    assert (again.returncode, again.stdout) == (0, "no new plugin: what was asked for is installed already\n")
    mistyped = environment.caw("uninstall", "shout")
    assert mistyped.returncode == 2
    assert "no plugin comes from a distribution 'shout'; did you mean 'caw-shout'?" in mistyped.stderr
    removed = environment.caw("uninstall", "Caw.Shout")
    assert (removed.returncode, removed.stdout) == (0, "uninstalled Caw.Shout\n"), removed.stderr


def test_a_distribution_without_plugin_is_a_mistake(environment: PluginEnvironment, tmp_path: Path) -> None:
    done = environment.caw("install", write_wheel(tmp_path, "plain", {}))
    assert (done.returncode, done.stdout) == (1, "")
    assert "caw: error: plain: installed, but without a plugin of caw; to remove: " in done.stderr
    assert "pip uninstall --yes plain" in done.stderr


def test_a_broken_plugin_is_installed_and_reported(environment: PluginEnvironment, tmp_path: Path) -> None:
    distribution, name, source = BROKEN[0]
    done = environment.caw("install", write_wheel(tmp_path, distribution, {name: source}))
    assert done.returncode == 1
    assert done.stdout.startswith("installed importing (broken-import 1.0); ModuleNotFoundError: ")
    assert done.stderr.splitlines()[-1].startswith("caw: error: not everything works that was installed")


def test_failures_are_one_line(environment: PluginEnvironment) -> None:
    done = environment.caw("install", "caw-no-such-plugin")
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith("caw: error: ") and "No matching distribution found for caw-no-such-plugin" in line
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("uninstall", "caw_toolkit"), "caw-toolkit is caw itself"),
        (("uninstall", "numpy"), "no plugin comes from a distribution 'numpy'; "),
        (("uninstall", "--", "-r"), "'-r' is not the name of a distribution"),
        (("install", "--", "--target=."), "'--target=.' is not the name of a distribution"),
        (("install", " "), "' ' is not the name of a distribution"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    environment: PluginEnvironment, arguments: tuple[str, ...], message: str
) -> None:
    done = environment.caw(*arguments)
    assert done.returncode == 2 and done.stderr == f"caw: error: {done.stderr[12:]}"
    assert message in done.stderr


def test_a_plugin_outside_the_environment_is_left(environment: PluginEnvironment, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    install(outside, "caw-shout", {"shout": SHOUT})
    done = environment.caw("uninstall", "caw-shout", environment={"PYTHONPATH": str(outside)})
    assert done.returncode == 1
    assert done.stderr.startswith("caw: error: ") and str(outside) in done.stderr


@pytest.mark.parametrize(
    ("requirement", "distribution"),
    [
        ("caw-shout", "caw-shout"),
        ("Caw_Shout[all] >= 1.0, < 2", "caw-shout"),
        ("caw.shout@https://example.org/shout.whl", "caw-shout"),
        ("./caw-shout", None),
        (".", None),
        ("caw_shout-1.0-py3-none-any.whl", None),
        ("git+https://example.org/shout", None),
    ],
)
def test_requirements_name_a_distribution_or_none(requirement: str, distribution: str | None) -> None:
    assert required_distribution(requirement) == distribution


class TestInstallers:
    """Each kind of environment, as far as the running one can stand for it."""

    @pytest.fixture(autouse=True)
    def plain_environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "prefix", str(tmp_path))

    @staticmethod
    def programs(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}" if name in names else None)

    def test_pip_is_run_by_this_python(self) -> None:
        assert find_installer().install_command == (sys.executable, "-m", "pip", "install")

    def test_pipx_is_told_which_environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "pipx_metadata.json").touch()
        self.programs(monkeypatch, "pipx")
        installer = find_installer()
        assert installer.install_command == ("pipx", "inject", tmp_path.name)
        assert installer.uninstall_command == ("pipx", "uninject", tmp_path.name)
        self.programs(monkeypatch)
        with pytest.raises(CawError, match=f"type: pipx inject {tmp_path.name} NAME"):
            find_installer()

    def test_uv_is_told_which_python(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        self.programs(monkeypatch, "uv")
        assert find_installer().install_command == ("uv", "pip", "install", "--python", sys.executable)
        assert find_installer().uninstall_command == ("uv", "pip", "uninstall", "--python", sys.executable)
        assert not find_installer().caution
        (tmp_path / "uv-receipt.toml").touch()
        assert "uv tool install caw-toolkit --with NAME" in find_installer().caution
        self.programs(monkeypatch)
        with pytest.raises(CawError, match=r"type: .* -m ensurepip"):
            find_installer()

    def test_the_systems_python_is_left_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PIP_BREAK_SYSTEM_PACKAGES", raising=False)
        monkeypatch.setattr(sys, "base_prefix", sys.prefix)
        monkeypatch.setattr("caw_toolkit.plugins.installers.sysconfig.get_path", lambda name: str(tmp_path))
        (tmp_path / "EXTERNALLY-MANAGED").touch()
        with pytest.raises(CawError, match="pipx install caw-toolkit"):
            find_installer()


UV_OUTPUT = """\
  \N{MULTIPLICATION SIGN} No solution found when resolving dependencies:
  \u2570\u2500\u25b6 Because shout was not found in the package
      registry, it cannot be installed.
"""


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            UV_OUTPUT,
            "No solution found when resolving dependencies: Because shout was not found in the package registry, "
            "it cannot be installed.",
        ),
        ("fatal: no space\n", "fatal: no space"),
        (
            'ERROR: Exception:\nTraceback (most recent call last):\n  File "a.py", line 1\nValueError: no d\n',
            "ValueError: no d",
        ),
        ("", "it printed no reason"),
    ],
)
def test_the_reason_of_a_failure_is_one_line(output: str, reason: str) -> None:
    assert failure_reason(output) == reason
