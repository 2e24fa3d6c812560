"""Streams: whatever the chunks, what comes out is what a single call gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caw_toolkit import Mix, Pedalboard, Processor
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.processors import BandwidthExtension, Generate, Vary
from caw_toolkit.processors.blocks import BlockStream

RATE = 4000
SAMPLES = 9 * RATE + 123  # several blocks of each processor, the last one incomplete

Make = Callable[[str], Any]
MAKERS: dict[str, Make] = {
    "bwe": lambda model: BandwidthExtension(model=model, source_sample_rate=1000),
    "bwe, bandwidth measured": lambda model: BandwidthExtension(model=model),
    "vary": lambda model: Vary(model=model, seed=3),
    "vary from a scale": lambda model: Vary(model=model, scale=2000),
    "generate": lambda model: Generate(model=model, mix=0.4),
    "board": lambda model: Pedalboard(
        [
            pedalboard.Compressor(threshold_db=-30, ratio=3),
            BandwidthExtension(model=model, source_sample_rate=1000),
            pedalboard.BrickwallLimiter(),
            pedalboard.Delay(delay_seconds=0.1),
        ]
    ),
    "mix": lambda model: Mix(
        [
            BandwidthExtension(model=model, source_sample_rate=1000),
            Pedalboard([pedalboard.BrickwallLimiter(), pedalboard.Gain(-3)]),
            Pedalboard([Generate(model=model), Pedalboard([Vary(model=model)])]),
        ]
    ),
}


@pytest.fixture(scope="module")
def cases(tiny_model_path: Path, speech: Any) -> dict[str, tuple[Processor, np.ndarray, np.ndarray]]:
    """Processor, stereo signal and the result of a single call, by name."""
    narrow = resample(resample(speech.samples, speech.sample_rate, 1000), 1000, RATE)
    mono = np.tile(narrow[0], 2)[:SAMPLES]
    signal = np.stack([mono, 0.5 * mono[::-1]]).astype(np.float32)
    made = {name: make(str(tiny_model_path)) for name, make in MAKERS.items()}
    return {name: (processor, signal, processor(signal, RATE)) for name, processor in made.items()}


def streamed(processor: Any, signal: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """The signal in chunks of these sizes, then one chunk with the rest."""
    edges = np.clip(np.cumsum([0, *sizes]), 0, signal.shape[1]).tolist()
    parts = [
        processor(signal[:, start:stop], RATE, reset=False)
        for start, stop in zip(edges, [*edges[1:], signal.shape[1]], strict=True)
    ]
    return np.concatenate([*[part for part in parts if part.size], processor.flush()], axis=1)


# The first chunk is not as short as its channels are many, which says nothing about the layout.
chunkings = st.tuples(st.integers(3, 30_000), st.lists(st.integers(0, 9_000) | st.integers(1, 4), max_size=30)).map(
    lambda drawn: [drawn[0], *drawn[1]]
)


def chunk_settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


def assert_chunks_make_no_difference(case: Any, sizes: list[int], channels: int) -> None:
    processor, signal, expected = case
    made = streamed(processor, signal[:channels], sizes)
    np.testing.assert_allclose(made, expected[:channels], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["bwe", "vary"])
@chunk_settings(10)
@given(sizes=chunkings)
def test_chunks_make_no_difference(name: str, cases: dict[str, Any], sizes: list[int]) -> None:
    assert_chunks_make_no_difference(cases[name], sizes, channels=1)


@pytest.mark.parametrize("name", MAKERS)
@chunk_settings(2)
@given(sizes=chunkings)
def test_chunks_make_no_difference_in_stereo(name: str, cases: dict[str, Any], sizes: list[int]) -> None:
    assert_chunks_make_no_difference(cases[name], sizes, channels=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
@chunk_settings(30)
@given(sizes=chunkings)
def test_many_chunkings_make_no_difference_in_stereo(name: str, cases: dict[str, Any], sizes: list[int]) -> None:
    assert_chunks_make_no_difference(cases[name], sizes, channels=2)


@pytest.mark.parametrize("name", ["bwe", "vary", "board"])
def test_single_samples_make_no_difference(name: str, cases: dict[str, Any]) -> None:
    processor, signal, expected = cases[name]
    sizes = [3, *[1] * 2000, 2, *[1] * 500]
    np.testing.assert_allclose(streamed(processor, signal, sizes), expected, rtol=0, atol=1e-5)


def test_mono_and_channels_last_stream_too(cases: dict[str, Any]) -> None:
    processor, signal, expected = cases["bwe"]
    parts = [processor(signal[:, start : start + 5000].T, RATE, reset=False) for start in range(0, SAMPLES, 5000)]
    np.testing.assert_array_equal(np.concatenate([*parts, processor.flush()]), expected.T)
    mono = [processor(signal[0, start : start + 1], RATE, reset=False) for start in range(1000)]
    assert all(part.shape == (0,) for part in mono)
    np.testing.assert_array_equal(processor.flush(), processor(signal[0, :1000], RATE))


def test_chunks_do_not_have_to_be_kept_by_the_caller(cases: dict[str, Any]) -> None:
    processor, signal, expected = cases["bwe"]
    buffer = np.empty((2, 1000), np.float32)
    parts = []
    for start in range(0, SAMPLES // 1000 * 1000, 1000):
        buffer[:] = signal[:, start : start + 1000]
        parts.append(processor(buffer, RATE, reset=False))
    made = np.concatenate(parts, axis=1)
    np.testing.assert_array_equal(made, expected[:, : made.shape[1]])
    processor.reset()
    assert processor.flush().size == 0


@pytest.mark.parametrize(("name", "seconds"), [("bwe", 0.3), ("vary", 2.0)])
def test_the_first_sample_comes_out_after_the_stated_latency(name: str, seconds: float, cases: dict[str, Any]) -> None:
    processor, signal, _ = cases[name]
    latency = round(seconds * RATE)
    assert processor(signal[:, : latency - 1], RATE, reset=False).shape[1] == 0
    assert processor(signal[:, latency - 1 : latency], RATE, reset=False).shape[1] > 0
    processor.reset()


def moving_average(audio: np.ndarray, first: int) -> np.ndarray:
    """Looks nine samples ahead and back, and checks that positions are right."""
    assert audio[0, 0] == first
    kernel = np.ones(19) / 19
    return np.stack([np.convolve(row, kernel, "same") for row in audio]).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 30, 99, 100, 101, 120, 121, 1000])
def test_blocks_are_those_of_the_whole_where_the_context_suffices(samples: int) -> None:
    signal = np.arange(samples, dtype=np.float32)[None]
    stream = BlockStream(moving_average, 1, block=100, before=20, after=20, fade=10)
    made = np.concatenate([stream.push(signal), stream.flush()], axis=1)
    np.testing.assert_allclose(made, moving_average(signal, 0), rtol=1e-5)


@pytest.mark.parametrize("samples", [99, 130, 1000])
def test_stretches_begin_on_a_grid_and_hear_more_before_than_after(samples: int) -> None:
    starts: list[int] = []

    def process(audio: np.ndarray, first: int) -> np.ndarray:
        starts.append(first)
        return moving_average(audio, first)

    signal = np.arange(samples, dtype=np.float32)[None]
    stream = BlockStream(process, 1, block=30, before=25, after=12, fade=3, grid=50)
    made = np.concatenate(
        [*(stream.push(signal[:, start : start + 7]) for start in range(0, samples, 7)), stream.flush()], 1
    )
    np.testing.assert_allclose(made, moving_average(signal, 0), rtol=1e-5)
    assert starts == [max(0, block - 25) // 50 * 50 for block in range(0, samples, 30)]


def test_delay_and_memory_are_bounded() -> None:
    lengths: list[int] = []

    def process(audio: np.ndarray, first: int) -> np.ndarray:
        lengths.append(audio.shape[1])
        return audio

    stream = BlockStream(process, 2, block=100, before=20, after=20, fade=10)
    late = 0
    taken = given_back = 0
    for _ in range(500):
        given_back += stream.push(np.ones((2, 7), np.float32)).shape[1]
        taken += 7
        late = max(late, taken - given_back)
    assert late < 100 + 20 + 7
    assert max(lengths) <= 100 + 2 * 20
    assert sum(chunk.shape[1] for chunk in stream._chunks) <= 100 + 2 * 20
