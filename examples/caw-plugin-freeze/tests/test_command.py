from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from caw_toolkit import read_audio, write_audio
from caw_toolkit.plugins import get_host
from click.testing import CliRunner, Result


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    write_audio(path, 0.1 * np.random.default_rng(0).standard_normal((2, 8000)), 16000)
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(get_host().command("freeze"), list(map(str, arguments)))


def test_the_pad_lies_beside_the_clip(clip: Path) -> None:
    result = run(clip, "--duration", "1.5", "--seed", "1")
    assert result.exit_code == 0, result.output
    pad = read_audio(clip.with_name("clip.frozen.wav"))
    assert pad.samples.shape == (2, 24000) and pad.sample_rate == 16000


def test_the_pad_is_stored_as_is_asked_for(clip: Path, tmp_path: Path) -> None:
    arguments = ("--duration", "0.5", "--seed", "1", "--format", "flac", "--log", tmp_path / "log.jsonl")
    result = run(clip, *arguments)
    assert result.exit_code == 0, result.output
    assert clip.with_name("clip.frozen.flac").read_bytes().startswith(b"fLaC")
    assert '"command": "freeze"' in (tmp_path / "log.jsonl").read_text()


def test_a_pad_that_exists_is_kept_unless_forced(clip: Path) -> None:
    arguments = (clip, "--at", "0.2", "--duration", "0.1", "--seed", "1")
    assert run(*arguments).exit_code == 0
    assert run(*arguments).exit_code != 0
    assert run(*arguments, "--force").exit_code == 0
