from __future__ import annotations

import pickle

import numpy as np
import pytest
from caw_toolkit import CawError, Pedalboard
from caw_toolkit.plugins import get_host
from caw_toolkit.testing import assert_processor_contract
from pedalboard import Gain

from caw_freeze.processor import Freeze

RATE = 8000


def test_the_processor_is_found_by_name() -> None:
    assert get_host().processor("freeze") is Freeze


def test_it_keeps_the_contract_of_pedalboards_plugins() -> None:
    assert_processor_contract(lambda: Freeze(at_seconds=0.1), sample_rate=RATE)


@pytest.mark.parametrize("shape", [(0,), (1,), (8000,), (1, 8000), (2, 8000), (8000, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_input_is_left_alone_and_gives_the_layout(shape: tuple[int, ...], dtype: type) -> None:
    audio = np.random.default_rng(0).uniform(-0.1, 0.1, shape).astype(dtype)
    before = audio.copy()
    result = Freeze(at_seconds=0.1)(audio, RATE)
    assert result.shape == shape and result.dtype == np.float32
    assert (audio == before).all()


def test_audio_passes_up_to_the_moment_and_is_held_from_there() -> None:
    times = np.arange(2 * RATE) / RATE
    audio = 0.1 * np.sin(2 * np.pi * np.where(times < 1, 500, 1000) * times).astype(np.float32)
    result = Freeze(at_seconds=0.5)(audio, RATE)
    assert (result[: RATE // 2] == audio[: RATE // 2]).all()
    held = np.abs(np.fft.rfft(result[RATE:]))
    assert held.argmax() == pytest.approx(500, abs=5)
    assert held[950:1050].max() < 0.01 * held.max()


def test_a_moment_after_the_end_changes_nothing() -> None:
    audio = np.ones(100, np.float32)
    assert (Freeze(at_seconds=5)(audio, RATE) == audio).all()


def test_it_stands_in_a_chain_with_native_effects() -> None:
    audio = np.random.default_rng(0).uniform(-0.1, 0.1, (2, RATE)).astype(np.float32)
    gain, freeze = Gain(gain_db=-6), Freeze(at_seconds=0.5)
    chained = Pedalboard([gain, freeze])(audio, RATE)
    np.testing.assert_allclose(chained, freeze(gain(audio, RATE), RATE), atol=1e-6)


def test_it_can_be_pickled_and_says_what_it_is() -> None:
    processor = pickle.loads(pickle.dumps(Freeze(at_seconds=0.25, seed=3)))
    assert repr(processor).startswith("<Freeze at_seconds=0.25 seed=3 ")


def test_chunks_and_parameters_out_of_range_are_refused() -> None:
    with pytest.raises(CawError, match="needs the whole signal at once"):
        Freeze()(np.zeros(10), RATE, reset=False)
    with pytest.raises(ValueError, match="buffer_size"):
        Freeze()(np.zeros(10), RATE, buffer_size=0)
    with pytest.raises(ValueError, match="at_seconds"):
        Freeze(at_seconds=-1)
    with pytest.raises(ValueError, match="seed"):
        Freeze(seed=-1)
