"""Processors that read a signal as often as they need, and chains that keep for them what comes before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
import pytest

from caw_process import run_caw
from caw_toolkit import Chain, Mix, Pedalboard, Processor, read_audio, write_audio
from caw_toolkit.processors import Denoise
from caw_toolkit.testing import assert_processor_contract

RATE = 4000


class MatchPeak(Processor):
    """As loud as can be: the peak has to be known first."""

    def _process_blocks(self, read: Callable[[], Any], channels: int, sample_rate: float) -> Iterator[np.ndarray]:
        peak = max((float(np.abs(block).max(initial=0)) for block in read()), default=0.0)
        return (np.asarray(block / np.float32(peak or 1)) for block in read())


class Reverse(Processor):
    """Backwards, which takes the whole signal."""

    def _process(self, audio: np.ndarray, sample_rate: float) -> np.ndarray:
        return audio[:, ::-1]


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(5).uniform(-0.2, 0.2, (2, 5 * RATE)).astype(np.float32)


def in_blocks(audio: np.ndarray, size: int = 777) -> Callable[[], Iterator[np.ndarray]]:
    return lambda: (audio[:, start : start + size] for start in range(0, audio.shape[1], size))


def test_the_contract_holds() -> None:
    assert_processor_contract(MatchPeak)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Pedalboard([MatchPeak()]),
        lambda: Pedalboard([pedalboard.Reverb(), MatchPeak(), pedalboard.Gain(gain_db=-6), MatchPeak(), None]),
        lambda: Pedalboard([Chain([pedalboard.Gain(gain_db=3), MatchPeak()]), pedalboard.Delay()]),
        lambda: Pedalboard([pedalboard.Gain(gain_db=-3), Reverse(), MatchPeak()]),
        lambda: Pedalboard([Mix([MatchPeak(), None]), pedalboard.Gain(gain_db=-3)]),
    ],
)
def test_blocks_give_what_a_call_gives(make: Callable[[], Pedalboard], noise: np.ndarray) -> None:
    parts = list(make().process_blocks(in_blocks(noise), 2, RATE))
    np.testing.assert_allclose(np.concatenate(parts, axis=1), make()(noise, RATE), atol=1e-6)


def test_chains_say_whether_they_can_read_again() -> None:
    assert MatchPeak().can_process_blocks and not MatchPeak().can_stream
    assert Pedalboard([pedalboard.Gain(), MatchPeak(), None]).can_process_blocks
    assert not Pedalboard([Reverse(), MatchPeak()]).can_process_blocks
    assert not Pedalboard([Mix([MatchPeak()])]).can_process_blocks
    assert Denoise().can_process_blocks


def test_a_signal_is_kept_only_for_those_that_read_it_again(noise: np.ndarray) -> None:
    passes = 0

    def read() -> Iterator[np.ndarray]:
        nonlocal passes
        passes += 1
        return in_blocks(noise)()

    list(Pedalboard([pedalboard.Gain(), MatchPeak(), MatchPeak()]).process_blocks(read, 2, RATE))
    assert passes == 1
    list(Pedalboard([MatchPeak(), pedalboard.Gain()]).process_blocks(read, 2, RATE))
    assert passes == 3


def test_samples_that_are_not_finite_stay_where_they_are(noise: np.ndarray) -> None:
    noise[1, 1234] = np.nan
    made = np.concatenate(list(MatchPeak().process_blocks(in_blocks(noise), 2, RATE)), axis=1)
    assert np.argwhere(~np.isfinite(made)).tolist() == [[1, 1234]]


def test_samples_beyond_any_level_are_no_more_than_nan(noise: np.ndarray) -> None:
    noise[1, 1234] = 1e30
    made = Denoise()(noise, RATE)
    assert made[1, 1234] == np.float32(1e30) and np.abs(np.delete(made[1], 1234)).max() < 10
    assert np.abs(made[0]).max() < 10


def test_lost_samples_are_found(noise: np.ndarray) -> None:
    class Shorten(Processor):
        def _process_blocks(self, read: Callable[[], Any], channels: int, sample_rate: float) -> Iterator[np.ndarray]:
            return (block[:, 1:] for block in read())

    with pytest.raises(Exception, match=r"Shorten returned .* samples for"):
        list(Shorten().process_blocks(in_blocks(noise), 2, RATE))


def test_a_long_file_is_denoised_within_a_chain_as_by_itself(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    seconds = np.arange(90 * 8000) / 8000
    tone = np.sin(2 * np.pi * 440 * seconds) * (seconds % 2 < 1) * 0.2
    given, chained, alone = (tmp_path / f"{name}.wav" for name in ("given", "chained", "alone"))
    write_audio(given, (tone + 0.02 * random.standard_normal(tone.shape))[None].astype(np.float32), 8000)
    run_caw("process", given, chained, "-e", "Denoise", "-e", "Gain(gain_db=0)", "--bit-depth", "float")
    run_caw("denoise", given, "-o", alone, "--bit-depth", "float")
    np.testing.assert_allclose(read_audio(chained).samples, read_audio(alone).samples, atol=1e-6)
