"""One contract for a native plugin and for every registered processor: what goes in and out, and what is refused."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
import pytest

from caw_toolkit import AudioProcessor, CawError, Pedalboard, get_processor
from caw_toolkit.plugins import get_host

RATE = 4000
Make = Callable[[], Any]

pytestmark = pytest.mark.usefixtures("quick_filling")

#: Parameters of the toolkit's own processors, beside the model.
PARAMETERS: dict[str, dict[str, Any]] = {
    "bwe": {"source_sample_rate": 1000},
    "denoise": {},
    "generate": {"mix": 0.7},
    "inpaint": {"gaps": [(0.2, 0.25)]},
    "vary": {"strength": 0.4},
}
SUBJECTS = ["Gain", *sorted(PARAMETERS)]


@pytest.fixture(params=SUBJECTS)
def make(request: pytest.FixtureRequest, tiny_model_path: Path) -> Make:
    """Makes a new processor."""
    name = request.param
    if name == "Gain":
        return lambda: pedalboard.Gain(gain_db=-3)
    model = {} if name == "denoise" else {"model": str(tiny_model_path), "device": "cpu"}
    return lambda: get_processor(name)(**model, **PARAMETERS[name])


@pytest.fixture
def processor(make: Make) -> Any:
    return make()


def audio(*shape: int, seed: int = 0) -> np.ndarray:
    """Noise below 500 Hz, so that bandwidth extension finds something missing."""
    noise = np.random.default_rng(seed).standard_normal((*shape[:-1], shape[-1] // 4 + 2)) * 0.1
    positions = np.arange(shape[-1]) / 4
    lines = [np.interp(positions, np.arange(row.size), row) for row in noise.reshape(-1, noise.shape[-1])]
    return np.array(lines, np.float32).reshape(shape)


STEREO = audio(2, 3000)
MONO = audio(2400)


def test_every_processor_of_the_toolkit_is_a_subject() -> None:
    own = {name for name, item in get_host().items("processor").items() if item.origin.distribution == "caw-toolkit"}
    assert own == set(PARAMETERS)


def test_it_satisfies_the_protocol(processor: Any) -> None:
    assert isinstance(processor, AudioProcessor)
    assert processor.is_effect


@pytest.mark.parametrize(
    "signal",
    [MONO, MONO[None], MONO[:, None], STEREO, STEREO.T, MONO[:2], MONO[None, :1], MONO[:1], audio(1, 2), audio(2, 3)],
    ids=lambda signal: str(signal.shape),
)
def test_length_and_layout_are_kept(processor: Any, signal: np.ndarray) -> None:
    made = processor(signal, RATE)
    assert made.shape == signal.shape
    assert made.dtype == np.float32
    assert made.flags.c_contiguous
    assert np.isfinite(made).all()


@pytest.mark.parametrize("shape", [(0,), (1, 0), (0, 1), (2, 0), (0, 2)])
def test_nothing_gives_nothing(processor: Any, shape: tuple[int, ...]) -> None:
    assert processor(np.zeros(shape, np.float32), RATE).shape == shape


def test_layouts_mean_the_same_audio(processor: Any) -> None:
    planar = processor(STEREO, RATE)
    np.testing.assert_array_equal(processor(np.ascontiguousarray(STEREO.T), RATE), planar.T)
    np.testing.assert_array_equal(processor(MONO[:, None], RATE)[:, 0], processor(MONO, RATE))


def test_element_types_mean_the_same_audio(processor: Any) -> None:
    expected = processor(STEREO, RATE)
    for kind in (np.float64, ">f4", "<f8"):
        np.testing.assert_array_equal(processor(STEREO.astype(kind), RATE), expected)


def test_memory_layouts_mean_the_same_audio(processor: Any) -> None:
    expected = processor(STEREO, RATE)
    spread = np.zeros((2, 6000), np.float32)
    spread[:, ::2] = STEREO
    backwards = np.ascontiguousarray(STEREO[:, ::-1])[:, ::-1]
    for array in (spread[:, ::2], np.asfortranarray(STEREO), backwards):
        np.testing.assert_array_equal(processor(array, RATE), expected)


def test_the_input_is_left_alone(processor: Any) -> None:
    signal = STEREO.copy()
    signal.flags.writeable = False
    before = signal.copy()
    made = processor(signal, RATE)
    np.testing.assert_array_equal(signal, before)
    assert not np.shares_memory(made, signal)


@pytest.mark.parametrize("rate", [RATE, float(RATE), np.int64(RATE), np.float32(RATE)], ids=lambda rate: repr(rate))
def test_rates_may_be_any_kind_of_number(processor: Any, rate: Any) -> None:
    np.testing.assert_array_equal(processor(MONO, rate), processor(MONO, RATE))


@pytest.mark.parametrize("wrong", [None, "audio", [0.1, 0.2], 0.5, np.float32(0.5)], ids=repr)
def test_what_is_no_array_is_refused(processor: Any, wrong: Any) -> None:
    with pytest.raises(TypeError):
        processor(wrong, RATE)


@pytest.mark.parametrize("kind", [np.int16, np.int64, np.float16, np.complex64, np.bool_, object])
def test_other_element_types_are_refused(processor: Any, kind: Any) -> None:
    with pytest.raises(TypeError):
        processor(np.ones((1, 100), kind), RATE)


@pytest.mark.parametrize("shape", [(2, 100, 1), (2, 2), (7, 7), (0, 0)])
def test_shapes_that_say_nothing_are_refused(processor: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(RuntimeError):
        processor(np.zeros(shape, np.float32), RATE)


def test_a_square_array_is_read_as_the_one_before(processor: Any) -> None:
    processor(STEREO.T, RATE)
    assert processor(STEREO[:, :2], RATE).shape == (2, 2)


@pytest.mark.parametrize("rate", [None, "4000", [4000]])
def test_rates_that_are_no_numbers_are_refused(processor: Any, rate: Any) -> None:
    with pytest.raises(TypeError):
        processor(MONO, rate)


@pytest.mark.parametrize("size", [1.5, "512", None])
def test_buffer_sizes_that_are_no_integers_are_refused(processor: Any, size: Any) -> None:
    with pytest.raises(TypeError):
        processor(MONO, RATE, size)


@pytest.mark.parametrize("size", [0, -1])
def test_buffer_sizes_below_one_are_refused(processor: Any, size: int) -> None:
    """pedalboard itself never returns from a buffer size of 0: native plugins are protected by the board."""
    with pytest.raises((ValueError, TypeError)):
        Pedalboard([processor])(MONO, RATE, buffer_size=size)
    if not isinstance(processor, pedalboard.Plugin):
        with pytest.raises(ValueError, match="buffer_size"):
            processor(MONO, RATE, size)


@pytest.mark.parametrize("size", [1, 7, 8192, 100_000])
def test_the_buffer_size_makes_no_difference(processor: Any, size: int) -> None:
    np.testing.assert_array_equal(processor(MONO, RATE, buffer_size=size), processor(MONO, RATE))


def test_process_is_the_call(processor: Any) -> None:
    expected = processor(input_array=MONO, sample_rate=RATE, buffer_size=512, reset=True)
    np.testing.assert_array_equal(processor.process(MONO, RATE, 512, True), expected)


def test_without_reset_a_signal_goes_on_or_the_error_says_why_not(processor: Any) -> None:
    board = Pedalboard([processor])
    if not board.can_stream:
        with pytest.raises(CawError, match="whole signal at once"):
            board(STEREO, RATE, reset=False)
        return
    parts = [board(STEREO[:, start : start + 700], RATE, reset=False) for start in range(0, 3000, 700)]
    np.testing.assert_array_equal(np.concatenate([*parts, board.flush()], axis=1), board(STEREO, RATE))
    board(STEREO, RATE, reset=False)
    board.reset()
    assert board.flush().size == 0


def test_repeated_calls_agree(make: Make) -> None:
    processor = make()
    first = processor(STEREO, RATE)
    processor(audio(2, 500, seed=1), RATE)
    processor.reset()
    np.testing.assert_array_equal(processor(STEREO, RATE), first)
    np.testing.assert_array_equal(make()(STEREO, RATE), first)


def test_threads_get_what_a_single_call_gets(processor: Any) -> None:
    expected = processor(STEREO, RATE)
    results: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: results.append(processor(STEREO, RATE))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        np.testing.assert_array_equal(result, expected)


def test_pickled_copies_do_the_same(processor: Any) -> None:
    if isinstance(processor, pedalboard.Plugin):
        with pytest.raises(TypeError, match="pickle"):  # native plugins cannot be pickled at all
            pickle.dumps(processor)
        return
    copy = pickle.loads(pickle.dumps(processor))
    assert type(copy) is type(processor)
    np.testing.assert_array_equal(copy(STEREO, RATE), processor(STEREO, RATE))


def test_the_repr_shows_every_parameter(processor: Any) -> None:
    text = repr(processor)
    assert type(processor).__name__ in text
    for name in getattr(processor, "parameters", ["gain_db"]):
        assert f" {name}=" in text
