"""Boards and mixes: exactly pedalboard where everything is native, and the same list and call where not."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
import pytest
from pedalboard.io import AudioFile

from caw_toolkit import CawError, Mix, Pedalboard, Processor
from caw_toolkit.processors import Denoise, Generate, Vary
from caw_toolkit.processors.native import native_effects, unstreamable
from caw_toolkit.processors.streams import call_plugin

RATE = 4000
NATIVE: dict[str, Callable[[np.random.Generator], Any]] = {
    "BrickwallLimiter": lambda random: pedalboard.BrickwallLimiter(ceiling_db=-random.uniform(1, 9)),
    "Chorus": lambda random: pedalboard.Chorus(rate_hz=random.uniform(0.5, 3)),
    "Compressor": lambda random: pedalboard.Compressor(threshold_db=-random.uniform(5, 40), ratio=4),
    "Delay": lambda random: pedalboard.Delay(delay_seconds=random.uniform(0.01, 0.1)),
    "Distortion": lambda random: pedalboard.Distortion(drive_db=random.uniform(1, 20)),
    "Gain": lambda random: pedalboard.Gain(gain_db=random.uniform(-6, 6)),
    "HighpassFilter": lambda random: pedalboard.HighpassFilter(cutoff_frequency_hz=random.uniform(50, 500)),
    "Invert": lambda random: pedalboard.Invert(),
    "Phaser": lambda random: pedalboard.Phaser(depth=random.uniform(0, 1)),
    "PitchShift": lambda random: pedalboard.PitchShift(semitones=random.uniform(-4, 4)),
    "Resample": lambda random: pedalboard.Resample(target_sample_rate=random.uniform(8000, 30000)),
    "Reverb": lambda random: pedalboard.Reverb(room_size=random.uniform(0, 1)),
}


class Double(Processor):
    """Twice as loud."""

    def _process(self, audio: np.ndarray, sample_rate: float) -> np.ndarray:
        return np.asarray(audio * np.float32(2))


class Halve:
    """A processor that knows nothing of the toolkit, and holds its last ten samples back when it streams."""

    is_effect = True
    can_stream = True

    def __init__(self) -> None:
        self.held = np.zeros((2, 0), np.float32)

    def __call__(
        self, input_array: np.ndarray, sample_rate: float, buffer_size: int = 8192, reset: bool = True
    ) -> np.ndarray:
        halved: np.ndarray = input_array / 2
        if reset:
            return halved
        audio = np.concatenate([self.held, halved], axis=1)
        self.held = audio[:, -10:]
        return audio[:, :-10]

    process = __call__

    def reset(self) -> None:
        self.__init__()  # type: ignore[misc]


def noise(*shape: int) -> np.ndarray:
    return (np.random.default_rng(3).standard_normal(shape) * 0.1).astype(np.float32)


def random_plugins(seed: int) -> list[Any]:
    """A chain of one to six native effects."""
    random = np.random.default_rng(seed)
    return [NATIVE[random.choice(sorted(NATIVE))](random) for _ in range(random.integers(1, 7))]


@pytest.mark.parametrize("seed", range(20))
def test_a_native_board_is_bit_identical(seed: int) -> None:
    signal = noise(2, 44100) if seed % 2 else noise(44100, 2)
    expected = pedalboard.Pedalboard(random_plugins(seed))(signal, 44100)
    np.testing.assert_array_equal(Pedalboard(random_plugins(seed))(signal, 44100), expected)
    native = pedalboard.Pedalboard([pedalboard.Chain(random_plugins(seed)), *random_plugins(seed + 100)])
    nested = Pedalboard([Pedalboard(random_plugins(seed)), None, *random_plugins(seed + 100)])
    expected = native(signal, 44100, buffer_size=512)
    np.testing.assert_array_equal(nested(signal, 44100, buffer_size=512), expected)


def test_a_native_mix_is_bit_identical() -> None:
    """Without latency: pedalboard's Mix of plugins with latency does not always give the same result twice."""

    def plugins() -> list[Any]:
        return [pedalboard.Gain(-3), pedalboard.Delay(0.01), pedalboard.Chain([pedalboard.Phaser()])]

    signal = noise(2, 44100)
    expected = pedalboard.Pedalboard([pedalboard.Mix(plugins()), pedalboard.Invert()])(signal, 44100)
    np.testing.assert_array_equal(Pedalboard([Mix(plugins()), pedalboard.Invert()])(signal, 44100), expected)
    np.testing.assert_array_equal(Mix(plugins())(signal, 44100), pedalboard.Mix(plugins())(signal, 44100))


@pytest.mark.parametrize("seed", range(5))
def test_a_native_board_streams_as_pedalboard_does(seed: int) -> None:
    signal = noise(2, 44100)

    def plugins() -> list[Any]:
        return [plugin for plugin in random_plugins(seed) if unstreamable(plugin) is None]

    native, ours = pedalboard.Pedalboard(plugins()), Pedalboard(plugins())
    for start in range(0, 44100, 5000):
        chunk = signal[:, start : start + 5000]
        np.testing.assert_array_equal(ours(chunk, 44100, reset=False), native(chunk, 44100, reset=False))


def test_flushing_a_native_board_gives_the_tail_that_pedalboard_keeps() -> None:
    signal = noise(2, 30_000)
    board = Pedalboard([pedalboard.Gain(-3), pedalboard.BrickwallLimiter(lookahead_ms=20)])
    parts = [board(signal[:, start : start + 5000], 44100, reset=False) for start in range(0, 30_000, 5000)]
    assert sum(part.shape[1] for part in parts) < 30_000
    whole = np.concatenate([*parts, board.flush()], axis=1)
    np.testing.assert_array_equal(whole, board(signal, 44100))


def test_native_plugins_beside_ours_do_what_they_do_alone() -> None:
    signal = noise(2, 20_000)
    mixed = Pedalboard([pedalboard.Gain(-3), pedalboard.Reverb(), Double(), pedalboard.BrickwallLimiter()])
    first = pedalboard.Pedalboard([pedalboard.Gain(-3), pedalboard.Reverb()])(signal, 44100)
    expected = pedalboard.BrickwallLimiter()(first * np.float32(2), 44100)
    np.testing.assert_array_equal(mixed(signal, 44100), expected)
    np.testing.assert_array_equal(mixed(signal.T, 44100), expected.T)
    np.testing.assert_array_equal(mixed(signal.astype(np.float64), 44100), expected)


def test_anything_with_the_contract_joins_a_board() -> None:
    signal = noise(2, 5000)
    board = Pedalboard([pedalboard.Gain(0), Halve(), Mix([Halve(), pedalboard.Gain(0)])])
    np.testing.assert_array_equal(board(signal, RATE), 0.75 * signal)
    parts = [board(signal[:, start : start + 333], RATE, reset=False) for start in range(0, 5000, 333)]
    np.testing.assert_array_equal(np.concatenate([*parts, board.flush()], axis=1), 0.75 * signal)


def test_a_foreign_processor_streams_only_if_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Halve, "can_stream")
    board = Pedalboard([Halve(), pedalboard.Gain(0)])
    assert not board.can_stream
    with pytest.raises(CawError, match="whole signal at once"):
        board(noise(2, 100), RATE, reset=False)


def test_native_rows_go_through_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def counting(plugin: Any, *arguments: Any, **options: Any) -> np.ndarray:
        calls.append(len(plugin) if isinstance(plugin, pedalboard.Chain) else 1)
        return call_plugin(plugin, *arguments, **options)

    monkeypatch.setattr("caw_toolkit.processors.board.call_plugin", counting)
    gains = [pedalboard.Gain(1) for _ in range(6)]
    Pedalboard([gains[0], gains[1], Pedalboard([gains[2]]), Double(), *gains[3:]])(noise(1, 100), RATE)
    assert calls == [3, 1, 3]


def test_a_mix_adds() -> None:
    signal = noise(2, 5000)
    mix = Mix([pedalboard.Gain(-6), Double(), Pedalboard([Double(), pedalboard.Invert()])])
    np.testing.assert_allclose(mix(signal, RATE), pedalboard.Gain(-6)(signal, RATE), atol=1e-6)
    np.testing.assert_array_equal(Mix([])(signal, RATE), pedalboard.Mix([])(signal, RATE))


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_short_signals_pass_mixed_boards(samples: int) -> None:
    board = Pedalboard([pedalboard.Gain(6), Double(), pedalboard.Gain(-6)])
    board(noise(3, 20), RATE)  # shows that channels come first
    signal = noise(3, samples)
    np.testing.assert_allclose(board(signal, RATE), 2 * signal, rtol=1e-5)


def test_it_is_a_list() -> None:
    gain, delay, ours = pedalboard.Gain(), pedalboard.Delay(), Double()
    board = Pedalboard([gain])
    board.append(ours)
    board.insert(0, delay)
    assert list(board) == [delay, gain, ours] and len(board) == 3 and ours in board and board[-1] is ours
    board.remove(gain)
    board[0] = gain
    del board[1]
    assert list(board) == [gain]
    board.extend([delay, None])
    assert board.index(delay) == 1 and board.pop() is None
    with pytest.raises(IndexError):
        board[5]
    with pytest.raises(ValueError):  # noqa: PT011 - the message is Python's
        board.remove(ours)
    assert len(Pedalboard()) == len(Pedalboard(None)) == 0


def test_a_changed_list_counts_at_once() -> None:
    signal = noise(1, 100)
    inner = Pedalboard([Double()])
    board = Pedalboard([inner, pedalboard.Gain(0)])
    board(signal, RATE)
    inner.append(Double())
    np.testing.assert_array_equal(board(signal, RATE), 4 * signal)


@pytest.mark.parametrize("wrong", [3, "Gain", pedalboard.Gain, Double, pytest.param(object(), id="object")], ids=repr)
def test_what_is_no_processor_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="plugins and processors"):
        Pedalboard([wrong])
    with pytest.raises(TypeError, match="plugins and processors"):
        Pedalboard().append(wrong)


def test_one_plugin_in_two_places_is_refused_as_by_pedalboard() -> None:
    gain = pedalboard.Gain()
    chains: tuple[list[Any], ...] = ([gain, gain], [gain, Double(), Pedalboard([gain])])
    for members in chains:
        with pytest.raises(RuntimeError, match="more than once"):
            Pedalboard(members)(noise(1, 100), RATE)


def test_the_repr_is_that_of_pedalboard_with_a_hint_for_native_containers() -> None:
    plugins = [pedalboard.Gain(), pedalboard.Delay()]
    assert repr(Pedalboard(plugins)).startswith(repr(pedalboard.Pedalboard(plugins))[:-1])
    with pytest.raises(TypeError, match=r"put it on a caw_toolkit\.Pedalboard or caw_toolkit\.Mix"):
        pedalboard.Mix([Pedalboard(plugins)])  # type: ignore[list-item]


def test_boards_of_ours_can_be_pickled() -> None:
    board = pickle.loads(pickle.dumps(Pedalboard([Double(), Mix([Double()])])))
    np.testing.assert_array_equal(board(np.ones(10, np.float32), RATE), np.full(10, 4, np.float32))


def test_the_loop_over_a_file_needs_no_change(tiny_model_path: Path, speech_path: Path, tmp_path: Path) -> None:
    """A file, read a second at a time, as pedalboard's documentation does it."""
    from caw_toolkit.processors import Chorus, Pedalboard, Reverb

    board = Pedalboard([Chorus(), Generate(model=tiny_model_path, mix=0.2), Reverb(room_size=0.25)])
    with AudioFile(str(speech_path)).resampled_to(RATE) as source:
        with AudioFile(str(tmp_path / "out.wav"), "w", source.samplerate, source.num_channels) as target:
            while source.tell() < source.frames:
                chunk = source.read(source.samplerate)
                target.write(board(chunk, source.samplerate, reset=False))
            target.write(board.flush())
        frames = source.frames
    with AudioFile(str(tmp_path / "out.wav")) as written:
        assert written.frames == frames


def test_parallel_effects_need_no_change(tiny_model_path: Path) -> None:
    """A dry path beside two delayed and shifted ones."""
    from caw_toolkit.processors import Compressor, Delay, Gain, Mix, Pedalboard, PitchShift, Resample, Reverb

    dry = Gain(gain_db=0)
    third_up = Pedalboard([Delay(delay_seconds=0.25, mix=1.0), PitchShift(semitones=4), Gain(gain_db=-3)])
    varied = Pedalboard([Delay(delay_seconds=0.5, mix=1.0), Vary(model=tiny_model_path), Gain(gain_db=-6)])
    board = Pedalboard([Compressor(), Mix([dry, third_up, varied]), Reverb()])
    signal = noise(2, 2 * RATE)
    made = board(signal, RATE)
    assert made.shape == signal.shape and np.isfinite(made).all()
    third_up[1] = Resample(target_sample_rate=3000)  # pedalboard cannot stream a PitchShift
    streamed = [board(signal[:, start : start + 999], RATE, reset=False) for start in range(0, 2 * RATE, 999)]
    assert sum(part.shape[1] for part in streamed) + board.flush().shape[1] == 2 * RATE


def test_a_guitar_board_needs_no_change() -> None:
    """Many effects by a star import, parameters changed and effects added after the board was made."""
    names: dict[str, Any] = {}
    exec("from caw_toolkit.processors import *", names)
    assert names["Pedalboard"] is Pedalboard
    assert native_effects().keys() <= names.keys()
    board: Any = names["Pedalboard"]([names["Compressor"](threshold_db=-50, ratio=25), names["Gain"](gain_db=30)])
    board.append(names["Denoise"](strength=0.5))
    board.append(names["Limiter"]())
    board[0].threshold_db = -40
    board[2].strength = 0.8
    signal = noise(44100)
    assert board(signal, 44100.0).shape == signal.shape
    assert not board.can_stream and isinstance(board[2], Denoise)
