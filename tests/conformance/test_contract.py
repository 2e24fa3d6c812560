"""pedalboard's call contract, as `caw_toolkit.testing` states it: native plugins, processors of ours, and culprits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from caw_toolkit import Processor, get_processor
from caw_toolkit.plugins import get_host
from caw_toolkit.processors.native import native_effects, unstreamable
from caw_toolkit.testing import assert_processor_contract, processor_contract

RATE = 4000
NATIVE = sorted(
    name for name in native_effects() if name not in ("AudioUnitPlugin", "Convolution", "MP3Compressor", "VST3Plugin")
)
OURS = ("bwe", "denoise", "generate", "inpaint", "vary")

pytestmark = pytest.mark.usefixtures("quick_filling")


@pytest.mark.parametrize("clause", processor_contract())
@pytest.mark.parametrize("name", NATIVE)
def test_native_plugins_keep_the_contract(name: str, clause: str) -> None:
    effect = native_effects()[name]
    if clause == "refuses_what_is_no_audio" and unstreamable(effect()):
        pytest.skip("its errors are those of all the others")
    processor_contract()[clause](effect, 16_000)


@pytest.mark.parametrize("name", OURS)
def test_processors_of_the_toolkit_keep_it(name: str, tiny_model_path: Path) -> None:
    model: dict[str, Any] = {} if name == "denoise" else {"model": str(tiny_model_path), "device": "cpu"}
    assert_processor_contract(lambda: get_processor(name)(**model), sample_rate=RATE)


def test_all_processors_of_the_toolkit_are_tried() -> None:
    items = get_host().items("processor").values()
    assert {item.name for item in items if item.origin.distribution == "caw-toolkit"} == set(OURS)


class Remembering(Processor):
    """It adds what it was called with before."""

    _calls = 0

    def _process(self, audio: np.ndarray, sample_rate: float) -> np.ndarray:
        self._calls += 1
        return np.asarray(audio + np.float32(self._calls))


class Forgetful(Processor):
    """It says that it streams, and takes each chunk for a signal of its own."""

    def _open_stream(self, channels: int, sample_rate: float) -> Any:
        self._nothing = np.zeros((channels, 0), np.float32)
        return self

    def push(self, audio: np.ndarray) -> np.ndarray:
        return np.asarray(audio - audio[:, :1])

    def flush(self) -> np.ndarray:
        return self._nothing


@pytest.mark.parametrize(
    ("factory", "clause"),
    [
        (Remembering, "every_call_begins_anew"),
        (Forgetful, "streams_or_says_that_it_cannot"),
        (object, "satisfies_the_protocol"),
    ],
)
def test_a_culprit_is_found_out(factory: Any, clause: str) -> None:
    with pytest.raises(AssertionError, match=f"^{clause}: "):
        assert_processor_contract(factory, sample_rate=RATE)
