"""Checkpoints with something in them changed: an error that names it, and the checkpoint stays where it is."""

from __future__ import annotations

import math
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from caw_process import run_caw
from caw_toolkit import AudioClip, Trainer, make_plan
from caw_toolkit.errors import CawError
from caw_toolkit.training.checkpoints import Checkpoint, stored_seed
from caw_toolkit.training.plan import Plan
from caw_toolkit.training.run_settings import RunSettings
from edited_files import edited_at_random, flipped_at_random, with_value, without
from paths import ROOT

FIXTURES = ROOT / "tests" / "fixtures" / "version_0_1_0"
SEED = 20261125
CASES = 60

WRONG: list[tuple[tuple[Any, ...], Any, str]] = [
    (("scale",), 10**9, "scale must be a whole number from 0 to 1000, not 1000000000"),
    (("scale",), 2, "scale is 2, which does not fit the 1 scales of its model"),
    (("scale",), 0, "scale is 0, which does not fit the 1 scales of its model"),
    (("scale",), "x", "scale must be a whole number from 0 to 1000, not 'x'"),
    (("model",), None, "scale is 1, which does not fit the 0 scales of its model"),
    (("model",), {}, "model.sample_rate is missing"),
    (("model", "peak"), None, "model.peak must be a number above 0"),
    (("model", "scales", 0, "rate"), "x", "model.scales[0].rate must be a whole number"),
    (("model", "upsampling"), "keys", "model.upsampling is 'keys', and 'sinc' in this training"),
    (
        ("model", "scales", 0, "weights", "gain"),
        torch.tensor(math.nan),
        "model.scales[0].weights.gain has values that are not finite",
    ),
    (("fingerprint",), 5, "fingerprint must be a string, not 5"),
    (("seed",), "x", "seed must be a whole number from"),
    (("steps",), -1, "steps must be a whole number from 0 to"),
    (("steps",), 10**9, "steps is 1000000000, of 20 that this scale has"),
    (("steps",), 3, "steps is 3, but trainer.steps_done is"),
    (("seconds",), "x", "seconds must be a list of 0 to 1000 values, not 'x'"),
    (("seconds",), [], "losses or seconds are not of 1 finished scales"),
    (("seconds", 0), math.nan, "seconds[0] must be a number from 0 to 1e+09, not nan"),
    (("losses",), [], "losses or seconds are not of 1 finished scales"),
    (("losses", 0), {"a": "x"}, "losses[0].a must be a number from"),
    (("previous",), None, "previous must be a dict, not None"),
    (("more",), 1, "has an unknown key 'more'"),
    (("trainer",), [], "trainer must be a dict, not a list"),
    (("trainer",), {}, "but there is no state of the trainer"),
    (("trainer",), {"a": 1}, "its state of the trainer does not fit (KeyError: 'model')"),
    (("trainer", "model"), {}, "its state of the trainer does not fit (RuntimeError: Error(s) in loading state_dict"),
    (("trainer", "steps_done"), "x", "its state of the trainer does not fit (TypeError"),
    (("trainer", "random"), {"a": 1}, "its state of the trainer does not fit"),
    (("trainer", "torch_random"), torch.zeros(3), "its state of the trainer does not fit"),
    (("trainer", "optimiser", "state"), {"x": {}}, "its state of the trainer does not fit"),
    (("trainer", "optimiser", "state", 0, "exp_avg"), torch.zeros(7), "the optimiser's 'exp_avg' is float32 (7,) for"),
    (
        ("trainer", "optimiser", "state", 0, "step"),
        torch.zeros(7),
        "the optimiser's 'step' is float32 (7,) for weights",
    ),
    (("trainer", "optimiser", "state", 0, "exp_avg"), 5, "its state of the trainer does not fit"),
]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The plan of the stored training of speech."""
    return plan_of("speech", tmp_path_factory.mktemp("plan"))


def plan_of(name: str, folder: Path) -> Plan:
    import soundfile

    samples, rate = soundfile.read(FIXTURES / f"{name}.wav", dtype="float32", always_2d=True)
    shutil.copy(FIXTURES / f"{name}.toml", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # the preset's name counts
        clip = AudioClip(np.ascontiguousarray(samples.T), rate)
        return make_plan(clip, preset=f"{name}.toml", material="speech", seed=3)


@pytest.fixture(scope="module")
def content() -> Any:
    """Of a training that was interrupted at its second scale of three."""
    stored = torch.load(FIXTURES / "speech-interrupted.checkpoint", weights_only=True)
    assert stored["scale"] == 1 and stored["steps"] > 3
    return stored


def resumed(plan: Plan, path: Path) -> None:
    Trainer(plan, RunSettings(device="cpu", checkpoint=path, resume=True)).run()


@pytest.mark.parametrize(("at", "value", "said"), WRONG, ids=[f"{'.'.join(map(str, c[0]))}-{c[1]!r:.9}" for c in WRONG])
def test_what_is_wrong_is_named(plan: Plan, content: Any, tmp_path: Path, at: Any, value: Any, said: str) -> None:
    path = tmp_path / "model.pt.checkpoint"
    torch.save(with_value(content, at, value), path)
    before = path.read_bytes()
    with pytest.raises(CawError) as error:
        resumed(plan, path)
    assert str(error.value).startswith(f"{path} is no usable checkpoint: ") and said in str(error.value)
    assert str(error.value).endswith("restore a copy of it, or train again with --force in place of --resume")
    assert path.read_bytes() == before


@pytest.mark.parametrize("key", ["fingerprint", "seed", "model", "scale", "trainer", "steps", "seconds", "losses"])
def test_what_is_missing_is_named(plan: Plan, content: Any, tmp_path: Path, key: str) -> None:
    path = tmp_path / "model.pt.checkpoint"
    torch.save(without(content, (key,)), path)
    with pytest.raises(CawError, match=f"is no usable checkpoint: {key} is missing"):
        resumed(plan, path)
    assert path.exists()


def test_a_time_that_was_never_spent(plan: Plan, content: Any, tmp_path: Path) -> None:
    """It would count as a budget that is used up."""
    from dataclasses import replace

    path, limited = tmp_path / "model.pt.checkpoint", replace(plan, minutes=1.0)
    stored = {**content, "fingerprint": limited.fingerprint(), "seconds": [1e8, 1.0]}
    torch.save(stored, path)
    with pytest.raises(CawError, match=r"seconds are 1e\+08, of 60 that there are"):
        resumed(limited, path)


def test_the_command_keeps_a_checkpoint_that_it_refuses(
    speech_path: Path, tiny_preset: Path, content: Any, tmp_path: Path
) -> None:
    model = tmp_path / "model.pt"
    path = tmp_path / "model.pt.checkpoint"
    torch.save({**content, "scale": 10**9}, path)
    before = path.read_bytes()
    done = run_caw("train", speech_path, "-o", model, "--preset", tiny_preset, "--resume", "--device", "cpu")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "scale must be a whole number from 0 to 1000, not 1000000000" in done.stderr
    assert [item.name for item in tmp_path.iterdir()] == [path.name] and path.read_bytes() == before


@pytest.mark.parametrize("name", ["speech", "paper"])
def test_fuzzed(name: str, tmp_path: Path) -> None:
    """An error of ours, or a training that goes on; never anything else, and no checkpoint is lost."""
    plan, path = plan_of(name, tmp_path), tmp_path / "model.pt.checkpoint"
    data = (FIXTURES / f"{name}-interrupted.checkpoint").read_bytes()
    content: Any = torch.load(FIXTURES / f"{name}-interrupted.checkpoint", weights_only=True)
    refused = 0
    for case in range(CASES // 2):
        draw = random.Random(f"{SEED} {name} {case}")
        if case % 2:
            torch.save(edited_at_random(content, draw), path)
        else:
            path.write_bytes(flipped_at_random(data, draw))
        try:
            stored_seed(path)
            resumed(plan, path)
        except CawError:
            refused += 1
        assert path.exists()
    assert refused > CASES // 8


def test_a_write_that_was_killed_leaves_nothing_for_long(tmp_path: Path) -> None:
    path = tmp_path / "model.pt.checkpoint"
    (tmp_path / ".model.pt.checkpoint.part").write_bytes(b"half")
    Checkpoint("abc", 1).save(path)
    assert [item.name for item in tmp_path.iterdir()] == [path.name]
