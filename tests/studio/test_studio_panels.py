"""Panels: functions with declared parameters, on the page and from the command line."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import soundfile

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.errors import CawError
from caw_toolkit.processors.panels import panel
from caw_toolkit.processors.parameters import Parameter, ParameterError, number
from fake_plugins import write_wheel
from paths import EXAMPLES
from plugin_environment import PluginEnvironment

PLUGIN = """\
from caw_toolkit import AudioClip, hookimpl
from caw_toolkit.processors.panels import panel
from caw_toolkit.processors.parameters import Parameter, number


@hookimpl
def register_panels(register):
    register("faster", "caw_faster_panels:faster", summary="Play it faster.")
    register("broken", "caw_faster_panels:nothing", summary="Not there.")


@panel(factor=Parameter(default=2.0, check=number(0.5, 4), summary="How many times as fast."))
def faster(clip, *, factor):
    return {"fast": AudioClip(clip.samples, round(factor * clip.sample_rate)), "same": clip}
"""

CLIP = AudioClip(np.ones((1, 4), np.float32), 8000)


@panel(gain=Parameter(default=0.5, check=number(0, 1), summary="Of all samples."), label=Parameter(summary="Needed."))
def scaled(clip: AudioClip, *, gain: float, label: str) -> dict[str, AudioClip]:
    return {label: AudioClip(np.float32(gain) * clip.samples, clip.sample_rate)}


def test_values_are_checked_and_defaults_filled_in() -> None:
    assert scaled(CLIP, label="half")["half"].peak == 0.5
    assert scaled(CLIP, label="all", gain=1)["all"].peak == 1.0
    with pytest.raises(ParameterError, match="gain must be a number from 0 to 1, not 2"):
        scaled(CLIP, label="x", gain=2)
    with pytest.raises(ParameterError, match="needs label: Needed"):
        scaled(CLIP)
    with pytest.raises(ParameterError, match="no parameter 'gian'; did you mean 'gain'"):
        scaled(CLIP, label="x", gian=1)


@pytest.mark.parametrize("made", [None, {}, {"a": 3}, {"../a": CLIP}, [CLIP]])
def test_what_is_no_result_is_refused(made: object) -> None:
    with pytest.raises(CawError, match="the panel"):
        panel()(lambda clip: made)(CLIP)  # type: ignore[arg-type, return-value]


@pytest.mark.slow
def test_an_installed_plugin_adds_a_panel(tmp_path: Path) -> None:
    environment = PluginEnvironment(tmp_path)
    environment.pip("install", "-q", write_wheel(tmp_path, "caw-faster", {"panels": PLUGIN}))
    done = environment.caw("panel", "faster", EXAMPLES / "tabla.flac", "--set", "factor=1.5", "--log", "log.jsonl")
    assert done.returncode == 0, done.stderr
    assert soundfile.info(tmp_path / "tabla.fast.wav").samplerate == 24000
    np.testing.assert_array_equal(
        soundfile.read(tmp_path / "tabla.same.wav")[0], soundfile.read(EXAMPLES / "tabla.flac")[0]
    )
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 2
    for arguments, message in (
        (("slower",), "no plugin has a panel named 'slower'"),
        (("faster", "--set", "factor=9"), "factor must be a number from 0.5 to 4, not 9"),
        (("faster", "--set", "x"), "not of the form PARAMETER=VALUE"),
        (("broken",), "nothing"),
    ):
        failed = environment.caw("panel", arguments[0], EXAMPLES / "tabla.flac", *arguments[1:])
        assert failed.returncode in (1, 2) and message in failed.stderr
    assert offered(environment, tmp_path) == {"faster": ["factor"], "broken": []}


def offered(environment: PluginEnvironment, folder: Path) -> dict[str, list[str]]:
    """Panels on the page, with the names of their parameters."""
    with environment.started_caw("studio", folder, "--no-browser", "--port", "0") as server:
        assert server.stdout is not None
        address = re.search(r"http://\S+", server.stdout.readline())
        assert address is not None
        with urllib.request.urlopen(f"{address[0]}api/panels") as answer:
            panels = json.loads(answer.read())
        server.terminate()
    return {each["name"]: [parameter["name"] for parameter in each["parameters"]] for each in panels}
