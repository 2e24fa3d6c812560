"""Chunks of random lengths give what the whole gives, for every processor that streams, alone and on nested boards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caw_toolkit import Chain, Mix, Pedalboard, get_processor
from caw_toolkit.plugins import get_host

RATE = 4000
SAMPLES = 5 * RATE
BOARDS: dict[str, Callable[[Any], Any]] = {
    "alone": lambda processor: processor,
    "nested": lambda processor: Pedalboard(
        [
            pedalboard.Chain([pedalboard.Mix([pedalboard.Gain(-3), pedalboard.Delay(0.01)]), pedalboard.Reverb()]),
            Mix([Chain([processor, pedalboard.Mix([pedalboard.BrickwallLimiter(), pedalboard.Gain(-6)])]), None]),
            pedalboard.Pedalboard([pedalboard.Compressor(threshold_db=-30, ratio=3), pedalboard.Resample(3000)]),
        ]
    ),
}


def streaming_processors() -> list[str]:
    host = get_host()
    own = [name for name, item in host.items("processor").items() if item.origin.distribution == "caw-toolkit"]
    return sorted(name for name in own if "_open_stream" in vars(host.processor(name)))


def signal() -> np.ndarray:
    random = np.random.default_rng(1)
    coarse = random.standard_normal((2, SAMPLES // 4 + 2)) * 0.1
    places = np.arange(SAMPLES) / 4
    return np.array([np.interp(places, np.arange(row.size), row) for row in coarse], np.float32)


@pytest.mark.parametrize("around", BOARDS)
@pytest.mark.parametrize("name", streaming_processors())
def test_random_chunks_give_what_the_whole_gives(name: str, around: str, tiny_model_path: Path) -> None:
    board = BOARDS[around](get_processor(name)(model=str(tiny_model_path), device="cpu"))
    audio = signal()
    whole = board(audio, RATE)

    @given(places=st.lists(st.integers(3, SAMPLES - 1), max_size=25))
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    def check(places: list[int]) -> None:
        board.reset()
        pieces = np.split(audio, sorted(places), axis=1)
        parts = [board(piece, RATE, reset=False) for piece in pieces if piece.size]
        np.testing.assert_allclose(np.concatenate([*parts, board.flush()], axis=1), whole, atol=1e-6)

    check()


@pytest.mark.parametrize("name", streaming_processors())
def test_what_is_not_finite_stays_where_it_is(name: str, tiny_model_path: Path) -> None:
    processor: Any = get_processor(name)(model=str(tiny_model_path), device="cpu")
    audio = signal()
    odd, places = audio.copy(), ([0, 1, 0, 1], [0, 5000, 5001, SAMPLES - 1])
    audio[places] = 0
    odd[places] = [np.nan, np.inf, -np.inf, np.nan]
    expected = np.array(processor(audio, RATE))
    expected[places] = odd[places]
    np.testing.assert_array_equal(processor(odd, RATE), expected)
    parts = [processor(piece, RATE, reset=False) for piece in np.split(odd, [7, 5001, 9000], axis=1)]
    np.testing.assert_array_equal(np.concatenate([*parts, processor.flush()], axis=1), expected)
