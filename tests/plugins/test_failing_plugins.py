"""Plugins that fail in every way, really installed: each costs itself only, in one line with its name."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from fake_plugins import write_wheel
from plugin_environment import PluginEnvironment

#: Distributions, each with a plugin that fails at start: what it is called, its source, what is said of it.
AT_START = {
    "exits": ("raise SystemExit('not today')", "SystemExit: not today"),
    "cancels": ("import asyncio\nraise asyncio.CancelledError('gone')", "CancelledError: gone"),
    "unspeakable": (
        "class Mute(Exception):\n    def __str__(self):\n        raise ValueError\nraise Mute",
        "Mute: its message cannot be shown",
    ),
    "skips": ("import pytest\npytest.skip('not here', allow_module_level=True)", "Skipped: not here"),
    "yields": (
        "from caw_toolkit import hookimpl\n@hookimpl\ndef register_commands(register):\n"
        "    yield register('late', 'os.path:join')\n",
        "register_commands is a generator",
    ),
    "gain": (
        "from caw_toolkit import hookimpl\n@hookimpl\ndef register_processors(register):\n"
        "    register('loud', 'no.such.module:Gain')\n",
        "pedalboard has a class Gain, too: get_processor('loud') finds this one",
    ),
}

#: Processors that fail at work: their code, what is said of them.
AT_WORK = {
    "Quit": ("raise SystemExit(0)", "Quit raised SystemExit: 0"),
    "Cancel": ("import asyncio; raise asyncio.CancelledError", "Cancel raised CancelledError"),
    "Break": ("raise KeyError('nowhere')", "Break (plugin 'working' (caw-working 1.0)): unexpected error: KeyError"),
    "Shorten": ("return audio[:, 1:]", "Shorten returned audio of shape (1, 3999) for (1, 4000)"),
    "Refuse": ("return None", "Refuse returned audio of shape NoneType for (1, 4000)"),
}

WORK = """\
import os, sys
import click
from caw_toolkit import Processor

print("printed at import")
os.write(1, b"written at import\\n")

class Chatter(Processor):
    def _process(self, audio, sample_rate):
        print("printed at work")
        os.write(1, b"written at work\\n")
        os.system("echo echoed at work")
        return audio

class Lose(Processor):
    def _open_stream(self, channels, sample_rate):
        return self

    def push(self, audio):
        return audio[:, : audio.shape[1] // 2]

    def flush(self):
        import numpy as np
        return np.zeros((1, 0), np.float32)

@click.command()
def fall():
    raise KeyError("no net")

@click.command()
def tell():
    print("told")
    os.system("echo also told")
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> PluginEnvironment:
    folder = tmp_path_factory.mktemp("failing")
    made = PluginEnvironment(folder)
    for name, (source, _) in AT_START.items():
        write_wheel(folder, f"caw-{name}", {name: source})
    processors = ["Chatter", "Lose", *AT_WORK]
    lines = "".join(f"    register('{name.lower()}', 'caw_working_work:{name}')\n" for name in processors)
    classes = "".join(
        f"class {name}(Processor):\n    def _process(self, audio, sample_rate):\n        {body}\n"
        for name, (body, _) in AT_WORK.items()
    )
    hooks = (
        "from caw_toolkit import hookimpl\n"
        f"@hookimpl\ndef register_processors(register):\n{lines}"
        "@hookimpl\ndef register_commands(register):\n"
        "    register('fall', 'caw_working_work:fall')\n    register('tell', 'caw_working_work:tell')\n"
    )
    write_wheel(folder, "caw-working", {"working": hooks})
    made.pip("install", "--quiet", *folder.glob("*.whl"))
    site = Path(made.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
    (site / "caw_working_work.py").write_text(WORK + classes, encoding="utf-8")
    soundfile.write(folder / "in.wav", np.linspace(-0.5, 0.5, 4000), 4000, subtype="FLOAT")
    return made


def test_each_costs_itself_only_and_is_named_in_one_line(environment: PluginEnvironment) -> None:
    done = environment.caw("plugins")
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    for name, (_, said) in AT_START.items():
        (line,) = [line for line in lines if f"plugin '{name}' (caw-{name} 1.0)" in line]
        assert line.startswith("caw: warning: ") and said in line
    assert "Traceback" not in done.stderr and len(lines) == len(AT_START)
    assert "denoising" in done.stdout and "working" in done.stdout
    assert environment.caw("--help").returncode == 0


def test_json_is_clean_though_targets_print_when_they_are_imported(environment: PluginEnvironment) -> None:
    done = environment.caw("plugins", "--check", "--json")
    assert done.returncode == 1
    assert {"exits", "gain", "working"} < {record["name"] for record in json.loads(done.stdout)["plugins"]}
    assert "written at import" in done.stderr


@pytest.mark.parametrize("name", AT_WORK)
def test_a_processor_that_fails_at_work_is_named(environment: PluginEnvironment, name: str, tmp_path: Path) -> None:
    done = environment.caw("process", "in.wav", tmp_path / "out.wav", "-e", name.lower())
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("caw: error: ")]
    assert AT_WORK[name][1] in line and "plugin 'working' (caw-working 1.0)" in line
    assert "Traceback" not in done.stderr and not list(tmp_path.iterdir())


def test_a_stream_that_loses_samples_is_found_out(environment: PluginEnvironment, tmp_path: Path) -> None:
    done = environment.caw("process", "in.wav", tmp_path / "out.wav", "-e", "lose")
    assert done.returncode == 1
    assert "Lose returned 2000 samples for 4000" in done.stderr and not list(tmp_path.iterdir())


def test_audio_on_standard_output_is_clean(environment: PluginEnvironment, tmp_path: Path) -> None:
    done = environment.caw("process", "in.wav", tmp_path / "told.wav", "-e", "chatter")
    assert (done.returncode, done.stdout) == (0, "")
    assert all(f"{how} at work" in done.stderr for how in ("printed", "written", "echoed"))
    piped = environment.run("-c", PIPED, "in.wav")
    audio, rate = soundfile.read(io.BytesIO(bytes.fromhex(piped.stdout)))
    assert (audio.shape, rate) == ((4000,), 4000)


PIPED = """\
import subprocess, sys
done = subprocess.run(
    [sys.executable, "-m", "caw_toolkit", "process", sys.argv[1], "-", "-e", "chatter"], stdout=subprocess.PIPE
)
print(done.stdout.hex())
"""


def test_commands_of_plugins_are_named_when_they_fail_and_may_print(environment: PluginEnvironment) -> None:
    done = environment.caw("fall")
    assert done.returncode == 1
    assert "KeyError: 'no net'" in done.stderr and "in the command 'fall' of plugin 'working'" in done.stderr
    told = environment.caw("tell")
    assert set(told.stdout.splitlines()) == {"told", "also told"}


def test_times_and_the_list_of_allowed_plugins(environment: PluginEnvironment) -> None:
    done = environment.caw("plugins", "--times", environment={"CAW_PLUGINS": "working,bwe"})
    assert done.returncode == 0
    assert done.stdout.count(" s\n") >= 2 and "at start:" in done.stdout
    plugins = json.loads(environment.caw("plugins", "--json", environment={"CAW_PLUGINS": "working"}).stdout)["plugins"]
    assert [record["name"] for record in plugins if not record["disabled"]] == ["working"]
    mistyped = environment.caw("plugins", environment={"CAW_PLUGINS": "wroking"})
    assert "no plugin named 'wroking' to allow; did you mean 'working'?" in mistyped.stderr


def test_names_of_pedalboard_come_first_and_star_imports_leave_out_what_is_broken(
    environment: PluginEnvironment,
) -> None:
    code = "from caw_toolkit.processors import *\nimport pedalboard\nassert Gain is pedalboard.Gain; print('fine')"
    done = environment.run("-c", code)
    assert done.stdout.endswith("fine\n"), done.stderr
