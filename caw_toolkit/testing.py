"""Tests for processors of one's own: pedalboard's call contract, and what streaming adds to it.

    from caw_toolkit.testing import assert_processor_contract

    def test_it_keeps_the_contract():
        assert_processor_contract(lambda: Fade(seconds=1))

It needs no test framework; under pytest each clause that fails is named in the error.

.. versionadded:: 0.2
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from caw_toolkit.arrays import Array
from caw_toolkit.errors import CawError
from caw_toolkit.processors.board import Chain, Mix, Pedalboard
from caw_toolkit.processors.protocols import AudioProcessor

__all__ = ["assert_processor_contract", "processor_contract"]

_TOLERANCE = 1e-6

Factory = Callable[[], Any]
Clause = Callable[[Factory, int], None]


def assert_processor_contract(factory: Factory, *, sample_rate: int = 16_000) -> None:
    """Check that a processor behaves as pedalboard's plugins do, alone and on boards, whole and streamed.

    Args:
        factory: makes a new processor; all that it makes are alike.
        sample_rate: Hz, of the audio that it is given.

    Raises:
        AssertionError: it does not; the message names the clause.

    >>> import pedalboard
    >>> assert_processor_contract(lambda: pedalboard.Gain(gain_db=-6))
    """
    for name, clause in processor_contract().items():
        try:
            clause(factory, sample_rate)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


def processor_contract() -> dict[str, Clause]:
    """The clauses by name, to be run one by one: `clause(factory, sample_rate)`.

    Example:
        >>> import pedalboard
        >>> clauses = processor_contract()
        >>> clauses["keeps_length_layout_and_input"](pedalboard.Invert, 16000)
    """
    return {clause.__name__.removeprefix("_"): clause for clause in _CLAUSES}


def _signal(channels: int, samples: int) -> Array:
    """Noise below a quarter of the band, as quiet as speech."""
    noise = np.random.default_rng(channels).standard_normal((channels, samples // 4 + 2)) * 0.1
    places = np.arange(samples) / 4
    return np.array([np.interp(places, np.arange(row.size), row) for row in noise], np.float32)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _require_equal(made: Any, expected: Any, what: str) -> None:
    _require(np.shape(made) == np.shape(expected), f"{what}: shape {np.shape(made)} instead of {np.shape(expected)}")
    difference = float(np.max(np.abs(np.asarray(made) - expected), initial=0.0))
    _require(difference <= _TOLERANCE, f"{what}: samples differ by {difference:.2g}")


def _satisfies_the_protocol(factory: Factory, rate: int) -> None:
    processor = factory()
    _require(isinstance(processor, AudioProcessor), "it lacks is_effect, process, reset or the call itself")
    _require(processor.is_effect, "is_effect is false: only effects can be chained")


def _keeps_length_layout_and_input(factory: Factory, rate: int) -> None:
    for channels in (1, 2):
        for samples in (3, rate // 3):
            signal = _signal(channels, samples)
            for given in (signal, np.ascontiguousarray(signal.T), *([signal[0]] if channels == 1 else [])):
                before = given.copy()
                made = factory()(given, rate)
                _require(made.shape == given.shape, f"shape {made.shape} instead of {given.shape}")
                _require(made.dtype == np.float32, f"{made.dtype} instead of float32")
                _require(bool(np.isfinite(made).all()), "samples that are not finite")
                _require(bool((given == before).all()), "the input was changed")


def _layouts_and_types_mean_the_same_audio(factory: Factory, rate: int) -> None:
    signal = _signal(2, rate // 3)
    expected = factory()(signal, rate)
    _require_equal(factory()(np.ascontiguousarray(signal.T), rate), expected.T, "channels last")
    _require_equal(factory()(signal.astype(np.float64), rate), expected, "float64")
    _require_equal(factory()(signal, float(rate)), expected, "the rate as a float")
    _require_equal(factory().process(signal, rate), expected, "process()")


def _refuses_what_is_no_audio(factory: Factory, rate: int) -> None:
    signal = _signal(1, 100)
    wrong: tuple[tuple[Any, Any, type[Exception]], ...] = (
        ([0.1, 0.2], rate, TypeError),
        (signal.astype(np.int16), rate, TypeError),
        (np.zeros((7, 7), np.float32), rate, RuntimeError),
        (np.zeros((2, 9, 1), np.float32), rate, RuntimeError),
        (signal, "fast", TypeError),
    )
    for audio, given_rate, expected in wrong:
        try:
            factory()(audio, given_rate)
        except expected:
            continue
        shape = getattr(audio, "shape", type(audio).__name__)
        raise AssertionError(f"no {expected.__name__} for audio {shape} at {given_rate!r} Hz")


def _every_call_begins_anew(factory: Factory, rate: int) -> None:
    signal, other = _signal(2, rate // 3), _signal(2, rate // 4)[:, ::-1]
    processor = factory()
    first = processor(signal, rate)
    processor(np.ascontiguousarray(other), rate)
    _require_equal(processor(signal, rate), first, "the same call again")
    processor.reset()
    _require_equal(processor(signal, rate), first, "the same call after reset()")


def _boards_do_not_change_it(factory: Factory, rate: int) -> None:
    signal = _signal(2, rate // 3)
    expected = factory()(signal, rate)
    boards = {
        "a Pedalboard": Pedalboard([factory()]),
        "a nested board": Pedalboard([Chain([Mix([factory()])]), None]),
        "a Mix": Mix([factory()]),
    }
    for name, board in boards.items():
        _require_equal(board(signal, rate), expected, f"on {name}")


def _streams_or_says_that_it_cannot(factory: Factory, rate: int) -> None:
    signal = _signal(2, 2 * rate)
    board = Pedalboard([factory()])
    if not board.can_stream:
        try:
            board(signal, rate, reset=False)
        except CawError:
            return
        raise AssertionError("can_stream is false, and reset=False is no error")
    expected = factory()(signal, rate)
    for size in (rate // 50, rate // 3 + 1, 3 * rate):
        parts = [board(chunk, rate, reset=False) for chunk in _chunks(signal, size)]
        _require_equal(np.concatenate([*parts, board.flush()], axis=1), expected, f"in chunks of {size}")


def _blocks_are_the_same_audio(factory: Factory, rate: int) -> None:
    signal = _signal(2, 2 * rate)
    expected = factory()(signal, rate)
    for board in (Pedalboard([factory()]), Pedalboard([Chain([None]), factory()])):
        parts = board.process_blocks(lambda: _chunks(signal, rate // 3 + 1), len(signal), rate)
        _require_equal(np.concatenate(list(parts), axis=1), expected, "process_blocks()")


def _chunks(signal: Array, size: int) -> Iterator[Array]:
    return (signal[:, start : start + size] for start in range(0, signal.shape[1], size))


def _copies_do_the_same(factory: Factory, rate: int) -> None:
    processor = factory()
    try:
        copy = pickle.loads(pickle.dumps(processor))
    except (TypeError, pickle.PicklingError):  # as native plugins are
        return
    signal = _signal(1, rate // 3)
    _require_equal(copy(signal, rate), processor(signal, rate), "a pickled copy")


_CLAUSES: tuple[Clause, ...] = (
    _satisfies_the_protocol,
    _keeps_length_layout_and_input,
    _layouts_and_types_mean_the_same_audio,
    _refuses_what_is_no_audio,
    _every_call_begins_anew,
    _boards_do_not_change_it,
    _streams_or_says_that_it_cannot,
    _blocks_are_the_same_audio,
    _copies_do_the_same,
)
