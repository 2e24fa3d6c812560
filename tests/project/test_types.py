"""What type checkers make of a user's program: nothing to complain of where it is right, and each slip found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from processors_stub import STUB, stub

from paths import ROOT

PATHS = [str(ROOT), str(ROOT / "plugins")]

RIGHT = """\
import numpy as np

from caw_toolkit import Array, Processor, StreamingProcessor
from caw_toolkit.processors import BandwidthExtension, Chain, Compressor, Denoise, Gain, Generate, Mix, Pedalboard
from caw_toolkit.processors import Vary, process
from caw_toolkit.processors.parameters import Parameter, number


class Fade(Processor):
    seconds: Parameter[float] = Parameter(default=0.5, check=number(0, 60), summary="Length of the fade, in seconds.")

    def _process(self, audio: Array, sample_rate: float) -> Array:
        return audio * np.float32(self.seconds)


audio = np.zeros((2, 16000), np.float32)
denoise = Denoise(strength=0.5)
denoise.strength = 0.8
wide = BandwidthExtension(model="speaker.pt", source_sample_rate=8000)
inner = Mix([None, Gain(3), Chain([Generate(model="music.pt", mix=0.5)])])
board = Pedalboard([denoise, wide, Compressor(threshold_db=-20), inner, Fade(seconds=2)])
board.append(Vary(model="music.pt"))
streaming: StreamingProcessor = board
made = board(audio, 16000, reset=False)
rest = board.flush()
print(made.shape, rest.shape, process(audio, 16000, [Fade()]).dtype)
"""

#: One slip in each line, after the first three.
WRONG = """\
import numpy as np
from caw_toolkit.processors import BandwidthExtension, Denoise, Gain, Generate, Pedalboard, Vary
from caw_toolkit import Processor
from caw_toolkit.processors import Denois
from caw_toolkit.processors import Compresor
from caw_toolkit import Pedalbord
Denoise(strenght=0.5)
Generate(mix=0.5)
Vary(model="music.pt", strength="loud")
BandwidthExtension(model="speaker.pt", source_rate=8000)
Denoise().strenght = 0.5
Denoise().strength = "much"
Pedalboard([3])
Pedalboard([]).flsh()
Denoise()(np.zeros(4, np.float32), 16000, rest=False)
"""
SLIPS = set(range(4, 16))


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    (tmp_path / "right.py").write_text(RIGHT, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    return tmp_path


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "MYPYPATH": os.pathsep.join(PATHS)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.slow
def test_mypy_finds_every_slip_and_nothing_else(programs: Path) -> None:
    (programs / "mypy.ini").write_text("[mypy]\nstrict = true\nexplicit_package_bases = true\n", encoding="utf-8")
    output = run("mypy", "right.py", "wrong.py", folder=programs)
    assert "right.py" not in output, output
    assert {int(line.split(":")[1]) for line in output.splitlines() if line.startswith("wrong.py")} == SLIPS, output


def test_pyright_finds_every_slip_and_nothing_else(programs: Path) -> None:
    """By its fork basedpyright, which comes from the package index as a whole."""
    settings = {"extraPaths": PATHS, "typeCheckingMode": "standard", "include": ["right.py", "wrong.py"]}
    (programs / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    output = run("basedpyright", "--outputjson", "--pythonpath", sys.executable, folder=programs)
    found = json.loads(output)["generalDiagnostics"]
    errors = [item for item in found if item["severity"] == "error"]
    assert not [item for item in errors if item["file"].endswith("right.py")], output
    assert {item["range"]["start"]["line"] + 1 for item in errors} == SLIPS, output


def test_the_stub_of_the_processors_is_current() -> None:
    assert STUB.read_text(encoding="utf-8") == stub(), "run tests/project/processors_stub.py --write"
