"""Models that are copied or sent to other processes: the copy and the one that stays sound as before.

Torch moves the memory of tensors that are sent; whoever has kept the address of the old one reads anything.
"""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np
import pytest
import torch
import torch.multiprocessing  # registers how tensors are sent

from caw_toolkit.pyramid.model import PyramidModel
from paths import ROOT

FIXTURES = ROOT / "tests" / "fixtures" / "version_0_1_0"
ROUNDS = 5


@pytest.fixture(params=["music", "speech", "paper"])
def model(request: pytest.FixtureRequest) -> PyramidModel:
    return PyramidModel.load(FIXTURES / f"{request.param}.pt", "cpu")


def made_by(model: PyramidModel) -> Any:
    return model.generate(2, seed=1)


def send_what_is_made(model: PyramidModel, pipe: Any) -> None:
    """In the other process."""
    torch.set_num_threads(1)
    for _ in range(ROUNDS):
        pipe.send_bytes(made_by(model).tobytes())
    pipe.close()


def disturb_memory() -> None:
    """Write over what was freed."""
    for size in (1000, 6000, 12000, 50_000):
        _ = [torch.full((size,), 9.0) for _ in range(20)]


def share(model: PyramidModel) -> PyramidModel:
    for scale in model.scales:
        scale.generator.share_memory()
    return model


COPIES: dict[str, Callable[[PyramidModel], PyramidModel]] = {
    "pickled": lambda model: pickle.loads(pickle.dumps(model)),
    "copied": copy.deepcopy,
    "sent": lambda model: pickle.loads(bytes(ForkingPickler.dumps(model))),
    "shared": share,
}


@pytest.mark.parametrize("make_copy", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("used", [True, False], ids=["used", "new"])
def test_copies_sound_the_same_and_so_does_the_model(
    model: PyramidModel, make_copy: Callable[[PyramidModel], PyramidModel], used: bool
) -> None:
    reference = PyramidModel.load(str(model.file), "cpu")
    expected = made_by(reference)
    if used:
        made_by(model)
    copied = make_copy(model)
    disturb_memory()
    for _ in range(ROUNDS):
        np.testing.assert_array_equal(made_by(copied), expected)
        np.testing.assert_array_equal(made_by(model), expected)


def test_a_spawned_process_makes_the_same(model: PyramidModel) -> None:
    expected = made_by(model)
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe(duplex=False)
    process = spawning.Process(target=send_what_is_made, args=(model, theirs))
    process.start()
    theirs.close()
    disturb_memory()
    for _ in range(ROUNDS):
        np.testing.assert_array_equal(made_by(model), expected)
        received = np.frombuffer(ours.recv_bytes(), np.float32).reshape(expected.shape)
        np.testing.assert_array_equal(received, expected)
    process.join(60)
    assert process.exitcode == 0


def test_what_follows_from_the_recording_is_not_sent(model: PyramidModel) -> None:
    """Selectors are several times as large as the recording, and made in a moment."""
    new = len(pickle.dumps(model))
    made_by(model)
    assert len(pickle.dumps(model)) == pytest.approx(new, rel=0.01)
