"""`caw plugin new`: what it writes works as it is, and nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from caw_process import contents, limit_file_size, run_caw
from caw_toolkit.errors import CawUsageError
from caw_toolkit.plugins.scaffold import PluginNames, plugin_names, write_plugin
from paths import ROOT
from plugin_environment import PluginEnvironment

EXPECTED = {
    ".github/workflows/test.yml",
    ".gitignore",
    "README.md",
    "caw_tape_stop/__init__.py",
    "caw_tape_stop/command.py",
    "caw_tape_stop/plugin.py",
    "caw_tape_stop/processor.py",
    "caw_tape_stop/py.typed",
    "caw_tape_stop/task.py",
    "pyproject.toml",
    "tests/test_command.py",
    "tests/test_plugin.py",
    "tests/test_processor.py",
}


def test_names_follow_from_one() -> None:
    names = PluginNames("tape-stop")
    assert (names.distribution, names.package) == ("caw-tape-stop", "caw_tape_stop")
    assert (names.function, names.class_name) == ("tape_stop", "TapeStop")
    assert plugin_names("caw-tape-stop") == names


@pytest.mark.parametrize("name", ["", "Shout", "2step", "a--b", "-a", "a-", "a_b", "a b", "../a", "lambda", "x" * 41])
def test_names_that_cannot_be_are_refused(name: str) -> None:
    with pytest.raises(CawUsageError, match="cannot name a plugin"):
        PluginNames(name)


@pytest.mark.parametrize("name", ["toolkit", "denoising"])
def test_names_of_packages_are_refused(name: str) -> None:
    with pytest.raises(CawUsageError, match=f"there is a package caw_{name} already"):
        plugin_names(name)


def test_a_plugin_is_written_without_leftovers(tmp_path: Path) -> None:
    files = write_plugin(PluginNames("tape-stop"), tmp_path / "new")
    assert {str(file.relative_to(tmp_path / "new")) for file in files} == EXPECTED
    assert set(contents(tmp_path / "new")) == EXPECTED
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert "%" not in text and "${{ matrix.python }}" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train",), "caw has a command or a processor 'train' already"),
        (("generate",), "caw has a command or a processor 'generate' already"),
        (("Shout",), "'Shout' cannot name a plugin"),
        (("shout", "--directory", "taken"), "taken exists; name another folder with --directory"),
        (("shout", "--directory", "taken/file"), "taken/file exists"),
    ],
)
def test_refusals_are_one_line_and_change_nothing(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("mine")
    before = contents(tmp_path)
    done = run_caw("plugin", "new", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert f"caw: error: {message}" in done.stderr
    assert contents(tmp_path) == before and list(tmp_path.iterdir()) == [tmp_path / "taken"]


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    done = run_caw("plugin", "new", "shout", cwd=tmp_path, preexec_fn=lambda: limit_file_size(100))
    assert done.returncode == 1 and done.stderr.startswith("caw: error: cannot write caw-shout: ")
    assert list(tmp_path.iterdir()) == []


def test_a_new_plugin_is_installed_and_passes_its_tests(tmp_path: Path) -> None:
    environment = PluginEnvironment(tmp_path)
    project = tmp_path / "caw-tape-stop"
    done = environment.caw("plugin", "new", "tape-stop")
    assert done.returncode == 0 and "wrote 13 files to caw-tape-stop" in done.stdout, done.stderr
    installed = environment.caw("install", project)
    report = "installed tape-stop (caw-tape-stop 0.1.0); commands: tape-stop; processors: tape-stop\n"
    assert (installed.returncode, installed.stdout) == (0, report), installed.stderr
    tested = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", project / "tests")
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.slow
def test_a_new_plugin_passes_the_checks_of_its_workflow(tmp_path: Path) -> None:
    environment = PluginEnvironment(tmp_path)
    assert environment.caw("plugin", "new", "tape-stop", "--directory", ".").returncode == 2
    assert environment.caw("plugin", "new", "tape-stop", "--directory", "plugin").returncode == 0
    project = tmp_path / "plugin"
    for check in (("ruff", "check"), ("ruff", "format", "--check")):
        done = environment.run("-m", *check, project)
        assert done.returncode == 0, done.stdout + done.stderr
    arguments = ("--strict", "--follow-imports=silent", project / "caw_tape_stop")
    done = environment.run("-m", "mypy", *arguments, environment={"MYPYPATH": str(ROOT)})
    assert done.returncode == 0, done.stdout + done.stderr
