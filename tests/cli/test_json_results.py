"""`--json` of the commands that make audio."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import soundfile as sf
from click.testing import CliRunner

from caw_toolkit.cli import main
from tagged_files import low_noise

pytestmark = pytest.mark.usefixtures("quick_filling")

RATE = 4000  # of the tiny model, which can extend the noise
KEYS = {"input", "model", "outputs", "found"}
ARGUMENTS = {
    "bwe": (["--seed", "1"], ["clip.bwe.wav"]),
    "denoise": (["--residual", "rest.wav"], ["clip.denoised.wav", "rest.wav"]),
    "inpaint": (["--gap", "1", "1.1", "-n", "2", "--seed", "1"], ["clip.inpainted1.wav", "clip.inpainted2.wav"]),
    "vary": (["-n", "2", "--seed", "1"], ["clip.varied1.wav", "clip.varied2.wav"]),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(tiny_model_path, "m.pt")
    sf.write("clip.wav", low_noise(4, RATE).T, RATE)


@pytest.mark.parametrize("command", ARGUMENTS)
def test_a_line_with_the_same_keys(command: str) -> None:
    arguments, outputs = ARGUMENTS[command]
    model = [] if command == "denoise" else ["-m", "m.pt"]
    made = CliRunner().invoke(main, [command, "clip.wav", "--json", "-q", *arguments, *model])
    assert made.exit_code == 0, made.stderr
    said = json.loads(made.stdout)
    assert said.keys() >= KEYS
    assert (said["input"], said["model"], said["outputs"]) == ("clip.wav", model[-1] if model else None, outputs)
    assert all(map(Path.exists, map(Path, outputs)))
    assert said["found"]
    if command == "vary":
        assert len(said["found"]["new_share"]) == 2


def test_takes_have_no_input() -> None:
    made = CliRunner().invoke(main, ["generate", "-m", "m.pt", "--duration", "1", "-n", "2", "--seed", "1", "--json"])
    takes = ["m_take1.wav", "m_take2.wav"]
    assert json.loads(made.stdout) == {"input": None, "model": "m.pt", "outputs": takes, "found": {}}


@pytest.mark.parametrize("command", [*ARGUMENTS, "generate"])
def test_audio_on_standard_output_has_no_json_beside_it(command: str) -> None:
    clip = [] if command == "generate" else ["clip.wav", "--gap", "1", "2"][: 4 if command == "inpaint" else 1]
    model = [] if command == "denoise" else ["-m", "m.pt"]
    refused = CliRunner().invoke(main, [command, *clip, *model, "--json", "-o", "-"])
    assert refused.exit_code == 2 and "--json prints to standard output" in refused.stderr
