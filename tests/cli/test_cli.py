from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from caw_toolkit.cli import group as group_module
from caw_toolkit.cli import main, options, plugins_command
from caw_toolkit.cli.environment import name_variables
from caw_toolkit.cli.errors import error_boundary, take_debug_option
from caw_toolkit.cli.group import commands_of_plugins
from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.parts import load_target
from caw_toolkit.plugins import PluginHost, get_host
from caw_toolkit.plugins.engine_commands import ENGINE_COMMANDS
from fake_plugins import BROKEN, FakeEntryPoint, install_broken, plugin

Invoke = Callable[..., Result]


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Run `caw` with the given plugins and no others."""
    monkeypatch.delenv("CAW_DEBUG", raising=False)

    def run(*arguments: str, points: tuple[FakeEntryPoint, ...] = ()) -> Result:
        made: list[PluginHost] = []

        def host() -> PluginHost:
            if not made:
                made.append(PluginHost(points, reserved_commands=ENGINE_COMMANDS))
            return made[0]

        monkeypatch.setattr(group_module, "get_host", host)
        monkeypatch.setattr(plugins_command, "get_host", host)
        return CliRunner().invoke(main, arguments)

    return run


def command_plugin(*commands: click.Command | tuple[str, str]) -> FakeEntryPoint:
    def register_commands(register: Any) -> None:
        for command in commands:
            if isinstance(command, click.Command):
                register(command.name, command)
            else:
                register(*command, summary="A lazy one.")

    return FakeEntryPoint("shout", plugin(register_commands=register_commands), "caw-shout", "1.0")


def failing(error: BaseException) -> FakeEntryPoint:
    @click.command()
    def fail() -> None:
        raise error

    return command_plugin(fail)


def test_version(invoke: Invoke) -> None:
    result = invoke("--version")
    assert result.exit_code == 0 and result.stdout.startswith("caw ")


def test_help_has_headings_and_every_command_an_example(invoke: Invoke) -> None:
    shown = invoke("help")
    assert shown.stdout == invoke("-h").stdout and invoke("-V").stdout == invoke("--version").stdout
    headings = [line for line in shown.stdout.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == ["Options:", "Models:", "Files:", "Plugins:", "Help:"]
    for name in set(ENGINE_COMMANDS) - {"plugin"}:
        assert f"    caw {name}" in invoke("help", name).stdout
    assert "    caw plugin new shout" in invoke("help", "plugin", "new").stdout
    unknown = invoke("help", "tarin")
    assert unknown.exit_code == 2 and "did you mean 'train'?" in unknown.stderr


def test_options_have_defaults_in_the_environment(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAW_PLUGINS_JSON", "1")
    monkeypatch.setenv("CAW_VERSION", "1")
    assert json.loads(invoke("plugins").stdout)


def test_no_default_in_the_environment_is_another_variable() -> None:
    taken = set()
    engine = [(name, load_target(each.target)) for name, each in ENGINE_COMMANDS.items()]
    for name, command in [*engine, *commands_of_plugins()]:
        assert isinstance(command, click.Command)
        name_variables(command, None, name)
        inner = command.commands.values() if isinstance(command, click.Group) else ()
        variables = [parameter.envvar or "" for each in (command, *inner) for parameter in each.params]
        taken |= {name for each in variables for name in ([each] if isinstance(each, str) else each)}
    assert {"CAW_TRAIN_MINUTES", "CAW_GENERATE_MODEL", "CAW_DENOISE_BIT_DEPTH", "CAW_PLUGIN_NEW_DIRECTORY"} < taken
    assert taken.isdisjoint(
        {"CAW_DEBUG", "CAW_DISABLE_PLUGINS", "CAW_PLUGINS", "CAW_PRECISION", "CAW_STRICT_PLUGINS", "CAW_TEST_AUDIO"}
    )


def test_help_lists_commands_of_the_engine_and_of_plugins(invoke: Invoke) -> None:
    hidden = click.Command("whisper", hidden=True)
    result = invoke("--help", points=(command_plugin(("shout", "no.such:thing"), hidden),))
    assert result.exit_code == 0 and result.stderr == ""
    for name, command in ENGINE_COMMANDS.items():
        assert f"  {name} " in result.stdout and command.summary.split(".")[0][:40] in result.stdout
    assert "A lazy one. [caw-shout]" in result.stdout
    assert "whisper" not in result.stdout


def test_commands_of_plugins_run_lazily_or_not(invoke: Invoke) -> None:
    @click.command()
    @click.argument("word")
    def shout(word: str) -> None:
        click.echo(word.upper())

    assert invoke("shout", "a", points=(command_plugin(shout),)).stdout == "A\n"
    lazy = command_plugin(("list", "caw_toolkit.cli.plugins_command:plugins"))
    assert "shout  caw-shout 1.0" in invoke("list", points=(lazy,)).stdout


def test_help_of_a_lazy_command_is_its_own(invoke: Invoke) -> None:
    result = invoke("plugins", "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: caw plugins [OPTIONS]") and "--json" in result.stdout


def test_a_group_of_a_plugin_runs_lazily(invoke: Invoke) -> None:
    result = invoke("again", "plugins", points=(command_plugin(("again", "caw_toolkit.cli:main")),))
    assert result.exit_code == 0 and "shout  caw-shout 1.0" in result.stdout


def test_the_engines_commands_are_refused_to_plugins(invoke: Invoke) -> None:
    result = invoke("plugins", points=(command_plugin(("plugins", "a:b"), ("shout", "a:b")),))
    assert result.exit_code == 0
    assert "caw-shout 1.0 refused: the engine (caw-toolkit" in result.stdout


def test_an_unknown_command_is_a_usage_error_with_a_suggestion(invoke: Invoke) -> None:
    result = invoke("shuot", points=(command_plugin(("shout", "a:b")),))
    assert result.exit_code == 2
    assert "no command 'shuot'; did you mean 'shout'?" in result.stderr


def test_a_lazy_command_that_is_missing_is_one_line(invoke: Invoke) -> None:
    result = invoke("shout", points=(command_plugin(("shout", "caw_no_such_module:shout")),))
    assert result.exit_code == 1
    assert result.stderr.startswith("caw: error: plugin 'shout' (caw-shout 1.0): command 'shout' could not be loaded")
    assert result.stderr.count("\n") == 1


def test_completion_lists_commands_without_importing_them(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_CAW_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "caw ")
    monkeypatch.setenv("COMP_CWORD", "1")
    result = invoke(points=(command_plugin(("shout", "no.such:thing")),))
    assert "plain,shout" in result.stdout and "plain,train" in result.stdout


def made_of(cause: BaseException) -> ImportError:
    """What Python makes of an exception that is raised while an extension module is imported."""
    error = ImportError("initialization failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (CawError("no such scale:\n 7"), 1, "caw: error: no such scale: 7"),
        (CawUsageError("seed must be positive"), 2, "caw: error: seed must be positive"),
        (click.ClickException("bad"), 1, "caw: error: bad"),
        (KeyboardInterrupt(), 130, "caw: error: interrupted"),
        (click.Abort(), 130, "caw: error: interrupted"),
        (made_of(KeyboardInterrupt()), 130, "caw: error: interrupted"),
        (MemoryError(), 1, "caw: error: out of memory: close other programs"),
        (ImportError("x.so: failed to map segment from shared object"), 1, "caw: error: out of memory: "),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 1, "caw: error: out of memory: "),
        (PermissionError(errno.EACCES, "Permission denied", "a.wav"), 1, "caw: error: permission denied: a.wav"),
        (OSError(errno.ENOSPC, "No space left on device", "a.wav"), 1, "caw: error: the disk is full: a.wav"),
        (OSError("libc10_cuda.so"), 1, "caw: error: unexpected error: OSError: libc10_cuda.so (run again with --debug"),
        (ValueError("x\ny"), 1, "caw: error: unexpected error: ValueError: x y (run again with --debug"),
    ],
)
def test_errors_are_one_line(invoke: Invoke, error: BaseException, code: int, line: str) -> None:
    result = invoke("fail", points=(failing(error),))
    assert result.exit_code == code
    shown = result.stderr.removeprefix("\n")  # click closes the terminal's ^C with a line end
    assert shown.startswith(line) and shown.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize("group", [(), ("plugin",), ("evaluate",)])
def test_without_a_command_there_is_the_help(group: tuple[str, ...], invoke: Invoke) -> None:
    result = invoke(*group)
    lines = result.stderr.splitlines()
    assert result.exit_code == 2 and lines[0].startswith(" ".join(("Usage: caw", *group)).rstrip())
    assert len(lines) > 5 and "Error" not in result.stderr


def test_what_a_command_returns_is_no_exit_code(invoke: Invoke) -> None:
    @click.command()
    def count() -> int:
        return 7

    assert invoke("count", points=(command_plugin(count),)).exit_code == 0


def test_a_closed_pipe_ends_the_command_quietly(invoke: Invoke) -> None:
    result = invoke("fail", points=(failing(BrokenPipeError(errno.EPIPE, "Broken pipe")),))
    assert result.exit_code == 1 and result.output == ""


def test_a_reader_that_leaves_causes_no_traceback() -> None:
    code = "import sys\nfrom caw_toolkit.cli import main\nsys.stdin.read()\nmain(['--help'])"
    environment = {**os.environ, "CAW_DISABLE_PLUGINS": "*"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.parametrize("arguments", [("--debug", "fail"), ("fail", "--debug")])
def test_debug_shows_the_traceback_wherever_it_stands(invoke: Invoke, arguments: tuple[str, ...]) -> None:
    result = invoke(*arguments, points=(failing(ValueError("x")),))
    assert result.exit_code == 1
    assert "Traceback" in result.stderr and "in fail" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("caw: error: unexpected error: ValueError: x")


def test_debug_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAW_DEBUG", "1")
    assert take_debug_option(["info"]) == (["info"], True)
    monkeypatch.setenv("CAW_DEBUG", "0")
    assert take_debug_option(["info", "--", "--debug"]) == (["info", "--", "--debug"], False)


def test_usage_errors_keep_clicks_exit_code(invoke: Invoke) -> None:
    result = invoke("plugins", "--nonsense")
    assert result.exit_code == 2 and "Usage: caw plugins" in result.stderr


def test_the_boundary_lets_exit_codes_pass() -> None:
    with pytest.raises(SystemExit) as exit_info, error_boundary():
        sys.exit(7)
    assert exit_info.value.code == 7


def test_warnings_of_the_library_are_lines_on_stderr(invoke: Invoke) -> None:
    @click.command()
    def warn() -> None:
        logging.getLogger("caw_toolkit.training.trainer").warning("clip is\nshort")
        logging.getLogger("caw_toolkit.training.trainer").info("chatter")

    assert invoke("warn", points=(command_plugin(warn),)).stderr == "caw: warning: clip is short\n"


def test_broken_plugins_at_once_harm_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_broken(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for variable in ("CAW_DISABLE_PLUGINS", "CAW_STRICT_PLUGINS", "CAW_DEBUG"):
        monkeypatch.delenv(variable, raising=False)

    def lines(*arguments: str) -> tuple[list[str], Result]:
        get_host.cache_clear()
        result = CliRunner().invoke(main, arguments)
        get_host.cache_clear()
        return result.stderr.splitlines(), result

    for arguments in (("--help",), ("plugins",), ("plugins", "--json")):
        warnings, result = lines(*arguments)
        assert result.exit_code == 0
        for distribution, name, _ in BROKEN:
            expected = f"caw: warning: plugin {name!r} ({distribution} 1.0): "
            assert sum(line.startswith(expected) for line in warnings) == 1
        assert all(line.startswith("caw: warning: plugin ") for line in warnings)
    listing = {record["name"]: record for record in json.loads(result.stdout)["plugins"]}
    for _, name, _ in BROKEN:
        assert listing[name]["error"] or listing[name]["problems"]
    warnings, result = lines("--version")
    assert result.exit_code == 0 and warnings == []  # no plugin is loaded for it
    monkeypatch.setenv("CAW_STRICT_PLUGINS", "1")
    warnings, result = lines("--help")
    assert result.exit_code == 1 and len(warnings) == 1 and warnings[0].startswith("caw: error: plugin ")


def test_plugins_shows_what_each_adds_and_what_is_wrong(invoke: Invoke) -> None:
    scored = plugin(register_evaluations=lambda register: register("loudness", "a:b"))
    points = (
        command_plugin(("shout", "a:b")),
        FakeEntryPoint("other", error=ImportError("no torch")),
        FakeEntryPoint("scored", scored),
    )
    result = invoke("plugins", points=points)
    assert result.stdout.splitlines() == [
        "other (not loaded)  fake 1.0",
        "    problem:        ImportError: no torch",
        "scored  fake 1.0",
        "    evaluations:    loudness",
        "shout  caw-shout 1.0",
        "    commands:       shout",
    ]


def test_plugins_as_json(invoke: Invoke) -> None:
    listing = json.loads(invoke("plugins", "--json", points=(command_plugin(("shout", "a:b")),)).stdout)
    assert listing["api_version"] == 2
    (record,) = listing["plugins"]
    assert record == {
        "name": "shout",
        "distribution": "caw-shout",
        "version": "1.0",
        "hooks": ["register_commands"],
        "commands": ["shout"],
        "processors": [],
        "generators": [],
        "objectives": [],
        "presets": [],
        "evaluations": [],
        "panels": [],
        "error": None,
        "problems": [],
        "disabled": False,
    }


def test_plugins_can_check_lazy_targets(invoke: Invoke) -> None:
    good = command_plugin(("again", "caw_toolkit.cli:main"))
    assert invoke("plugins", "--check", points=(good,)).exit_code == 0
    bad = invoke("plugins", "--check", points=(command_plugin(("shout", "caw_no_such_module:shout")),))
    assert bad.exit_code == 1
    assert "broken: plugin 'shout' (caw-shout 1.0): command 'shout' could not be loaded" in bad.stdout


@click.command()
@click.argument("clip", type=options.FILE)
@options.model_option(required=False)
@options.output_option()
@options.device_option
@options.seed_option
@options.quiet_option
@options.force_option
@options.json_option
def shared_options(**values: Any) -> None:
    click.echo(json.dumps(values, default=str))


def run_options(*arguments: str) -> Result:
    return CliRunner().invoke(shared_options, arguments)


def test_shared_options_have_defaults_and_a_drawn_seed(tmp_path: Path) -> None:
    first, second = (run_options("-", "--output", str(tmp_path / "out.wav")) for _ in range(2))
    values = json.loads(first.stdout)
    assert values["clip"] == "-" and values["device"] == "auto" and values["model_path"] is None
    assert first.stderr == f"seed {values['seed']}\n"
    assert first.stderr != second.stderr
    assert not values["quiet"] and not values["force"] and not values["as_json"]


def test_an_amount_that_is_none_is_said_in_plain_words(invoke: Invoke) -> None:
    made = invoke("demo", "--minutes", "1m")
    assert made.exit_code == 2 and "'--minutes': '1m' is not a valid number." in made.stderr


def test_info_says_which_commands_use_a_model(tiny_model_path: Path) -> None:
    shown = CliRunner().invoke(main, ["info", str(tiny_model_path)]).stdout
    assert "  used by     caw bwe, denoise, generate, inpaint, vary\n" in shown and " values\n" in shown


def test_a_given_seed_and_quiet_show_nothing() -> None:
    assert run_options("-", "--seed", "7").stderr == ""
    assert run_options("-", "--quiet").stderr == ""
    assert run_options("-", "--seed", "-1").exit_code == 2


def test_files_must_exist_and_outputs_need_a_place(tmp_path: Path) -> None:
    missing = run_options(str(tmp_path / "missing.wav"))
    assert missing.exit_code == 2 and "does not exist" in missing.stderr
    assert run_options("-", "-o", str(tmp_path / "to" / "be" / "made" / "out.wav")).exit_code == 0
    (tmp_path / "file").touch()
    nowhere = run_options("-", "-o", str(tmp_path / "file" / "out.wav"))
    assert nowhere.exit_code == 2 and "is no folder" in nowhere.stderr
    assert json.loads(run_options("-", "-o", "-").stdout)["output"] == "-"
