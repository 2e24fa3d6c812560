"""What version 0.1.0 wrote still loads and sounds the same: models, checkpoints, presets.

`tests/fixtures/version_0_1_0` holds three models with the presets and the clips that they were trained with, the
checkpoints of the same trainings interrupted, and what 0.1.0 made of the models. On the kind of processor and the
versions of libraries that it was made with, everything has to be the same to the last bit; elsewhere sums are rounded
in another order, and -60 dB is asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from caw_toolkit import AudioClip, PyramidModel, Trainer, make_plan
from caw_toolkit.pyramid import model_file
from caw_toolkit.training.plan import Plan
from caw_toolkit.training.run_settings import RunSettings
from paths import ROOT

FIXTURES = ROOT / "tests" / "fixtures" / "version_0_1_0"
MATERIALS = {"music": "music", "speech": "speech", "paper": "speech"}
#: Scales that the interrupted training had finished, or goes on with as it was begun.
SCALES_OF_CHECKPOINTS = {"music": 2, "speech": 3, "paper": 2}

Sound = npt.NDArray[np.float32]
Make = Callable[[PyramidModel, AudioClip], Sound]


def _beginning(clip: AudioClip) -> Sound:
    return clip.samples[:, : clip.sample_rate * 3 // 2]


def _gap(clip: AudioClip) -> tuple[int, int]:
    return round(0.5 * clip.sample_rate), round(0.8 * clip.sample_rate)


#: What was made of every model.
OF_EVERY_MODEL: Mapping[str, Make] = {
    "generate": lambda model, clip: model.generate(2.0, seed=1),
    "generate_edges": lambda model, clip: model.generate(1.5, seed=2, keep_edges=True),
    "reconstruct": lambda model, clip: model.reconstruct(),
    "inject": lambda model, clip: model.inject(_beginning(clip), clip.sample_rate, seed=3),
}
#: What was made of models whose coarsest scale is a flow.
OF_FLOWS: Mapping[str, Make] = {
    "revise": lambda model, clip: model.revise(_beginning(clip), clip.sample_rate, strength=0.6, seed=4),
    "fill": lambda model, clip: model.fill(_beginning(clip), clip.sample_rate, [_gap(clip)], strength=0.9, seed=5),
}
#: What is made otherwise since, on purpose: by the tasks, and of speech whose highs are predicted.
CHANGED_SINCE = {"denoise", "extend", "filled", "speech_inject", "varied"}
CASES = [
    (f"{name}_{made}", name, make)
    for names, makes in ((MATERIALS, OF_EVERY_MODEL), (("music", "speech"), OF_FLOWS))
    for name in names
    for made, make in makes.items()
    if f"{name}_{made}" not in CHANGED_SINCE
]


def clip_of(name: str) -> AudioClip:
    return _read(FIXTURES / f"{name}.wav")


def _read(path: Path) -> AudioClip:
    """As `read_audio`, at rates below its lowest, too."""
    import soundfile

    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return AudioClip(np.ascontiguousarray(samples.T), rate)


@pytest.fixture(autouse=True)
def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processors with fast bfloat16 would compute in that, and round more."""
    monkeypatch.setenv("CAW_PRECISION", "float32")


def made_here() -> dict[str, str]:
    """What decides how sums are rounded: the instructions of the processor, as far as they are known, and libraries."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    flags = next((line for line in lines if line.startswith("flags")), "")
    return {
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "processor": hashlib.sha256(flags.encode()).hexdigest()[:16],
        "environment": os.environ.get("ONEDNN_MAX_CPU_ISA", "") + os.environ.get("MKL_ENABLE_INSTRUCTIONS", ""),
    }


def is_the_same_machine() -> bool:
    return bool(json.loads((FIXTURES / "made_with.json").read_text(encoding="utf-8")) == made_here())


def assert_same(made: Sound, expected: Sound) -> None:
    if is_the_same_machine():
        np.testing.assert_array_equal(made, expected)
        return
    assert made.shape == expected.shape
    error = np.linalg.norm(made - expected) / np.linalg.norm(expected)
    assert 20 * np.log10(error + 1e-10) < -60


@pytest.mark.parametrize(("stored", "name", "make"), CASES, ids=[case[0] for case in CASES])
def test_models_sound_the_same(stored: str, name: str, make: Make) -> None:
    with np.load(FIXTURES / "sounds.npz") as sounds:
        expected = sounds[stored]
    assert_same(make(PyramidModel.load(FIXTURES / f"{name}.pt", "cpu"), clip_of(name)), expected)


def test_every_stored_sound_is_compared() -> None:
    with np.load(FIXTURES / "sounds.npz") as sounds:
        assert set(sounds.files) == {case[0] for case in CASES} | CHANGED_SINCE


def plan_of(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The plan of the stored training; its preset is named as it was then."""
    shutil.copy(FIXTURES / f"{name}.toml", folder)
    monkeypatch.chdir(folder)
    return make_plan(clip_of(name), preset=f"{name}.toml", material=MATERIALS[name], seed=3)


@pytest.mark.parametrize("name", MATERIALS)
def test_checkpoints_go_on_to_the_same_model(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the paper's preset, the last scale is trained as the published code does only now."""
    checkpoint = tmp_path / "model.pt.checkpoint"
    shutil.copy(FIXTURES / f"{name}-interrupted.checkpoint", checkpoint)
    plan = plan_of(name, tmp_path, monkeypatch)
    resumed = Trainer(plan, RunSettings(device="cpu", checkpoint=checkpoint, resume=True)).run().content()
    finished = PyramidModel.load(FIXTURES / f"{name}.pt", "cpu").content()
    for index in range(SCALES_OF_CHECKPOINTS[name]):
        expected, made = finished["scales"][index]["weights"], resumed["scales"][index]["weights"]
        assert made.keys() == expected.keys()
        tolerance = 0.0 if is_the_same_machine() else 1e-3
        for key, value in expected.items():
            torch.testing.assert_close(made[key], value, rtol=tolerance, atol=tolerance, msg=f"scale {index}: {key}")
    assert len(resumed["scales"]) == len(finished["scales"])


@pytest.mark.parametrize("name", ["music", "speech"])
def test_presets_train_the_same_model(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = Trainer(plan_of(name, tmp_path, monkeypatch), RunSettings(device="cpu")).run()
    expected = PyramidModel.load(FIXTURES / f"{name}.pt", "cpu")
    if is_the_same_machine():
        assert_same(trained.generate(2.0, seed=1), expected.generate(2.0, seed=1))
    assert trained.capabilities == expected.capabilities


def test_headers_have_the_present_names() -> None:
    header = model_file.read_header(FIXTURES / "music.pt")
    assert header["version"] == 1 and "own_noise" not in header and header["inverted_noise"] == 0.3
    flow, exemplar = (scale["architecture"] for scale in header["scales"])
    assert flow["frame_samples"] == 4 and {"concatenation_cost", "selection_noise"} < set(exemplar)


def test_a_model_that_is_saved_again_has_the_present_version(tmp_path: Path) -> None:
    model = PyramidModel.load(FIXTURES / "paper.pt", "cpu")
    model.save(tmp_path / "again.pt")
    assert model_file.read_header(tmp_path / "again.pt")["version"] == model_file.VERSION
    again = PyramidModel.load(tmp_path / "again.pt", "cpu")
    np.testing.assert_array_equal(again.generate(1, seed=1), model.generate(1, seed=1))
