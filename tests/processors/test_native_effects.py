"""Every effect of pedalboard on boards of the toolkit: what a single call of pedalboard gives, however it is called.

The effects are found by introspection, so that a new one is tried as soon as pedalboard has it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
import pytest
import soundfile
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from caw_toolkit import CawError, Chain, Mix, Pedalboard, Processor
from caw_toolkit.cli import main
from caw_toolkit.plugins.pedalboard_names import CLASS_NAMES
from caw_toolkit.processors.native import native_effects, unstreamable

EFFECTS = sorted(native_effects().keys() - {"AudioUnitPlugin", "VST3Plugin"})  # those two need a file that is theirs
WHOLE_ONLY = {"GSMFullRateCompressor", "PitchShift"}
STREAMING = sorted(set(EFFECTS) - WHOLE_ONLY)

#: Parameters that make an effect do something; those that are left out have a default.
PARAMETERS: dict[str, dict[str, Any]] = {
    "Compressor": {"threshold_db": -30, "ratio": 4},
    "Delay": {"delay_seconds": 0.05},
    "Gain": {"gain_db": -5},
    "HighShelfFilter": {"gain_db": 6},
    "Limiter": {"threshold_db": -20},
    "LowShelfFilter": {"gain_db": 6},
    "NoiseGate": {"threshold_db": -20},
    "PeakFilter": {"gain_db": 6},
    "PitchShift": {"semitones": 3},
}
RATES = [8000, 16000, 22050, 44100, 48000, 96000, 192_000]

Make = Callable[[], Any]
Around = Callable[[Any], Any]


class Same(Processor):
    """A processor in Python that changes nothing, and streams."""

    def _open_stream(self, channels: int, sample_rate: float) -> Any:
        return Unchanged(channels)


class Unchanged:
    def __init__(self, channels: int) -> None:
        self.channels = channels

    def push(self, audio: np.ndarray) -> np.ndarray:
        return audio

    def flush(self) -> np.ndarray:
        return np.zeros((self.channels, 0), np.float32)


#: What is put around an effect; the result is that of the effect alone.
SURROUNDINGS: dict[str, Around] = {
    "alone": lambda effect: Pedalboard([effect]),
    "beside a processor": lambda effect: Pedalboard([Same(), effect, Same()]),
    "in a native chain": lambda effect: Pedalboard([pedalboard.Chain([effect, pedalboard.Gain(0)])]),
    "in a native board beside a processor": lambda effect: Pedalboard([pedalboard.Pedalboard([effect]), Same()]),
    "in a native mix beside a processor": lambda effect: Pedalboard([Same(), pedalboard.Mix([effect])]),
    "in a chain of ours": lambda effect: Chain([Chain([effect]), pedalboard.Chain([])]),
    "in a mix": lambda effect: Mix([effect]),
    "in a mix with silence": lambda effect: Mix([Pedalboard([Same(), effect]), silence()]),
    "nested": lambda effect: Pedalboard(
        [pedalboard.Chain([pedalboard.Pedalboard([pedalboard.Chain([effect])])]), Same()]
    ),
    "nested in turns": lambda effect: Pedalboard([Mix([Chain([Mix([pedalboard.Chain([effect])]), Same()])])]),
}


def silence() -> Pedalboard:
    return Pedalboard([Mix([None, pedalboard.Invert()])])


@pytest.fixture(scope="session")
def impulse_response(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("impulse") / "response.wav"
    random = np.random.default_rng(2)
    soundfile.write(path, random.standard_normal(900) * np.exp(-np.arange(900) / 200) * 0.1, 16000)
    return path


@pytest.fixture
def make(request: pytest.FixtureRequest, impulse_response: Path) -> Make:
    """Makes an effect of a name."""
    return maker(request.param, impulse_response)


def maker(name: str, impulse_response: Path) -> Make:
    convolution = {"impulse_response_filename": str(impulse_response)} if name == "Convolution" else {}
    return lambda: native_effects()[name](**PARAMETERS.get(name, {}), **convolution)


def noise(channels: int, samples: int = 12_000) -> np.ndarray:
    return (np.random.default_rng(7).standard_normal((channels, samples)) * 0.2).astype(np.float32)


def single_call(make: Make, signal: np.ndarray, rate: int) -> np.ndarray:
    """What pedalboard gives; the test is left out at rates that the effect does not know."""
    try:
        return np.asarray(make()(signal, rate))
    except ValueError as error:
        pytest.skip(str(error))


def chunks(signal: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (signal[:, start : start + size] for start in range(0, signal.shape[1], size))


def streamed(board: Any, pieces: Iterator[np.ndarray], rate: int) -> np.ndarray:
    parts = [board(piece, rate, reset=False) for piece in pieces]
    return np.concatenate([*parts, board.flush()], axis=1)


@pytest.mark.parametrize("around", SURROUNDINGS)
@pytest.mark.parametrize("make", EFFECTS, indirect=True)
def test_a_board_gives_what_a_single_call_gives(make: Make, around: str) -> None:
    for rate, channels in ((8000, 1), (44100, 2)):
        signal = noise(channels)
        expected = single_call(make, signal, rate)
        np.testing.assert_allclose(SURROUNDINGS[around](make())(signal, rate), expected, atol=1e-6)


@pytest.mark.parametrize("around", SURROUNDINGS)
@pytest.mark.parametrize("make", STREAMING, indirect=True)
def test_a_stream_gives_what_a_single_call_gives(make: Make, around: str) -> None:
    for size in (64, 500, 4096, 65_536):
        signal = noise(2)
        expected = single_call(make, signal, 44100)
        made = streamed(SURROUNDINGS[around](make()), chunks(signal, size), 44100)
        np.testing.assert_allclose(made, expected, atol=1e-6, err_msg=f"chunks of {size}")


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("make", STREAMING, indirect=True)
def test_streams_are_true_at_all_rates(make: Make, channels: int, rate: int) -> None:
    signal = noise(channels)
    expected = single_call(make, signal, rate)
    for around in ("alone", "beside a processor"):
        made = streamed(SURROUNDINGS[around](make()), chunks(signal, 1000), rate)
        np.testing.assert_allclose(made, expected, atol=1e-6, err_msg=around)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("make", STREAMING, indirect=True)
def test_short_chunks_lose_nothing(make: Make, size: int) -> None:
    """The first is long enough to tell channels from samples."""
    signal = noise(2, 3000)
    expected = single_call(make, signal, 16000)
    pieces = itertools.chain([signal[:, :3]], chunks(signal[:, 3:], size))
    made = streamed(SURROUNDINGS["beside a processor"](make()), pieces, 16000)
    np.testing.assert_allclose(made, expected, atol=1e-6)


@pytest.mark.parametrize("around", SURROUNDINGS)
@pytest.mark.parametrize("make", sorted(WHOLE_ONLY), indirect=True)
def test_what_pedalboard_cannot_stream_is_an_error(make: Make, around: str) -> None:
    board = SURROUNDINGS[around](make())
    assert not board.can_stream
    with pytest.raises(CawError, match=f"{type(make()).__name__} needs the whole signal at once"):
        board(noise(1), 44100, reset=False)


@given(sizes=st.lists(st.integers(1, 5000), min_size=2, max_size=12), channels=st.integers(1, 2), data=st.data())
@settings(max_examples=60, deadline=None)
def test_chunks_of_any_lengths_lose_nothing(
    impulse_response: Path, sizes: list[int], channels: int, data: st.DataObject
) -> None:
    """Where blocks are free to grow, which pedalboard's own board answers with forgetting what it heard."""
    make = maker(data.draw(st.sampled_from(STREAMING)), impulse_response)
    around = SURROUNDINGS[data.draw(st.sampled_from(sorted(set(SURROUNDINGS) - {"alone", "in a native chain"})))]
    sizes = [channels + sizes[0], *sizes[1:]]
    signal = noise(channels, sum(sizes))
    places = np.cumsum(sizes)[:-1]
    mixed = Pedalboard([around(make()), Same()])
    made = streamed(mixed, iter(np.split(signal, places, axis=1)), 44100)
    # In longer buffers pedalboard's MP3Compressor repeats a sample: [3, 1, 1, 1, 1, 1, 1, 1, 206, 5000, 5000], stereo.
    np.testing.assert_allclose(made, make()(signal, 44100, buffer_size=256), atol=1e-6)


@pytest.mark.parametrize("make", sorted(set(STREAMING) - {"MP3Compressor"}), indirect=True)
def test_a_native_board_remembers_when_chunks_become_longer(make: Make) -> None:
    signal = noise(2)
    pieces = iter(np.split(signal, [100, 1100, 1150, 6000], axis=1))
    np.testing.assert_allclose(streamed(Pedalboard([make()]), pieces, 44100), make()(signal, 44100), atol=1e-6)


def test_what_forgets_when_chunks_become_longer_says_so() -> None:
    board = Pedalboard([pedalboard.MP3Compressor()])
    for size in (1000, 1000, 500):
        board(noise(2, size), 44100, reset=False)
    with pytest.raises(CawError, match="chunks of one length"):
        board(noise(2, 1000), 44100, reset=False)


def test_a_native_board_changes_rate_and_channels_as_pedalboard_does() -> None:
    def effects() -> list[Any]:
        return [pedalboard.Reverb(), pedalboard.Gain(-3)]

    native, ours = pedalboard.Pedalboard(effects()), Pedalboard(effects())
    for signal, rate in (
        (noise(2, 500), 44100),
        (noise(2, 500), 48000),
        (noise(1, 500), 48000),
        (noise(2, 500).T, 8000),
    ):
        np.testing.assert_array_equal(ours(signal, rate, reset=False), native(signal, rate, reset=False))


def test_a_short_last_chunk_comes_at_once_as_from_pedalboard() -> None:
    native, ours = pedalboard.Pedalboard([pedalboard.Reverb()]), Pedalboard([pedalboard.Reverb()])
    for size in (500, 500, 2, 1):
        signal = noise(2, size)
        np.testing.assert_array_equal(ours(signal, 44100, reset=False), native(signal, 44100, reset=False))


def test_a_stream_through_native_containers_goes_on(impulse_response: Path) -> None:
    """pybind11 makes a new wrapper of a native plugin whenever none is alive."""
    for container in (pedalboard.Chain, pedalboard.Mix, pedalboard.Pedalboard):
        board = Pedalboard([container([pedalboard.Gain(1), pedalboard.Reverb()]), Same()])
        assert sum(board(piece, 22050, reset=False).shape[1] for piece in chunks(noise(1, 64_000), 4000)) > 60_000


@pytest.mark.parametrize("_", range(20))
def test_plugins_in_native_containers_are_not_taken_for_duplicates(_: int) -> None:
    board = Pedalboard([pedalboard.Chain([pedalboard.Gain(1) for _ in range(6)])])
    assert board(noise(1, 100), 22050).shape == (1, 100)


def test_none_in_a_mix_is_the_signal_itself() -> None:
    signal = noise(2, 2000)
    for members in ([None, pedalboard.Gain(0)], [None, Same()], [None, None, Same()]):
        np.testing.assert_allclose(Mix(members)(signal, 44100), len(members) * signal, rtol=1e-5)
        np.testing.assert_allclose(streamed(Mix(members), chunks(signal, 333), 44100), len(members) * signal, rtol=1e-5)
    np.testing.assert_array_equal(streamed(Mix([]), chunks(signal, 333), 44100), 0 * signal)
    np.testing.assert_array_equal(streamed(Pedalboard([Mix([]), Same()]), chunks(signal, 333), 44100), 0 * signal)


def test_every_effect_is_known(impulse_response: Path) -> None:
    """A new effect of pedalboard counts as one that cannot stream, until somebody has measured it."""
    assert {name for name in EFFECTS if unstreamable(maker(name, impulse_response)())} == WHOLE_ONLY
    assert unstreamable(pedalboard.PitchShift()) == "PitchShift"


@pytest.mark.parametrize("rate", [8000, 96_000])
@pytest.mark.parametrize("make", EFFECTS, indirect=True)
def test_the_command_line_gives_what_a_single_call_gives(
    make: Make, rate: int, tmp_path: Path, impulse_response: Path
) -> None:
    name = type(make()).__name__
    signal = noise(2)
    soundfile.write(tmp_path / "in.wav", signal.T, rate, subtype="FLOAT")
    expected = single_call(make, signal, rate)
    parameters = PARAMETERS.get(name, {})
    if name == "Convolution":
        parameters = {"impulse_response_filename": str(impulse_response)}
    effect = f"{name}({', '.join(f'{key}={value!r}' for key, value in parameters.items())})"
    arguments = ["process", str(tmp_path / "in.wav"), str(tmp_path / "out.wav"), "-e", effect, "--bit-depth", "float"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.stderr
    made, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    np.testing.assert_allclose(made.T, expected, atol=1e-6)


def test_the_names_of_pedalboard_that_are_written_down_are_all_there_are() -> None:
    classes = {name for name, value in vars(pedalboard).items() if isinstance(value, type) and not name.startswith("_")}
    assert classes | {"AudioUnitPlugin"} == CLASS_NAMES
