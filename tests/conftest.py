"""What many tests share: a short clip, a preset that trains in a second, a model made with it, a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.audio.reading import read_audio
from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.training.plan import make_plan
from caw_toolkit.training.trainer import train
from paths import EXAMPLES

#: Rates of the tiny model, Hz.
TINY_RATES = (500, 2000, 4000)
TINY_SEED = 5

TINY_PRESET = """\
description = "For tests: trains in a second."

[scales]
candidate_rates = [500, 1000, 2000, 4000]
largest_ratio = 4.0
lowest_speech_rate = 500
fallback_rate = 500
upsampling = "sinc"

[objective]
name = "staged"

[[objective.stages]]
name = "flow_matching"
steps = 40
widths = [8, 8, 8]
batch = 4
crop_frames = 64
solver_steps = 6

[[objective.stages]]
name = "conditional_gaussian"
steps = 40
widths = [8, 8, 8]
batch = 4
crop_frames = 64
"""


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Models this small gain nothing from threads, and lose much where other processes compute."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def speech_path() -> Path:
    """The bundled recording of speech: 11.8 s, 16 kHz, mono."""
    return EXAMPLES / "speech.flac"


@pytest.fixture(scope="session")
def speech(speech_path: Path) -> AudioClip:
    """The bundled recording of speech."""
    return read_audio(speech_path)


@pytest.fixture(scope="session")
def tiny_preset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A preset of three scales with networks of a few thousand parameters."""
    path = tmp_path_factory.mktemp("preset") / "tiny.toml"
    path.write_text(TINY_PRESET, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny_model(speech: AudioClip, tiny_preset: Path) -> PyramidModel:
    """A model of the speech clip at 4 kHz, barely trained."""
    plan = make_plan(speech, preset=tiny_preset, sample_rate=TINY_RATES[-1], seed=TINY_SEED, material="speech")
    assert plan.rates == TINY_RATES
    return train(
        speech, preset=tiny_preset, sample_rate=TINY_RATES[-1], seed=TINY_SEED, material="speech", device="cpu"
    )


@pytest.fixture(scope="session")
def tiny_model_path(tiny_model: PyramidModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model's file. Tests leave it as it is."""
    path = tmp_path_factory.mktemp("model") / "tiny.pt"
    tiny_model.save(path)
    return path


@pytest.fixture(scope="module")
def quick_filling() -> Iterator[None]:
    """Gaps are filled in two steps instead of many, for tests that are not about how the filling sounds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("caw_toolkit.generators.flow.FILL_STEPS", 2)
        yield


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, as Playwright drives it; the variable CAW_TEST_CHROMIUM names another than the system's."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = os.environ.get("CAW_TEST_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if chromium is None:
        pytest.skip("needs Chromium")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()
