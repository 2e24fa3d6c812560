from __future__ import annotations

import numpy as np
import pytest
from caw_toolkit import CawUsageError

from caw_freeze.pad import hold, loudest_moment, moment

RATE = 16000


def chord(seconds: float) -> np.ndarray:
    """Two notes, one to each channel."""
    times = np.arange(round(seconds * RATE)) / RATE
    return 0.2 * np.stack([np.sin(2 * np.pi * 440 * times), np.sin(2 * np.pi * 660 * times)]).astype(np.float32)


def level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


def test_the_loudest_moment_is_found() -> None:
    audio = np.zeros((2, 3 * RATE), np.float32)
    audio[:, 2 * RATE : 2 * RATE + RATE // 4] = chord(0.25)
    assert loudest_moment(audio, RATE) == pytest.approx(2.125, abs=0.001)


@pytest.mark.parametrize("seconds", [0.01, 0.3, 2.5])
def test_a_pad_has_the_notes_the_level_and_the_image_of_its_moment(seconds: float) -> None:
    held = moment(chord(1), RATE, at_seconds=0.5)
    pad = hold(held, round(seconds * RATE), seed=1)
    assert pad.shape == (2, round(seconds * RATE)) and pad.dtype == np.float32
    assert level(pad) == pytest.approx(level(held), rel=1e-3)
    if seconds > 1:
        peaks = np.abs(np.fft.rfft(pad)).argmax(1) / seconds
        np.testing.assert_allclose(peaks, [440, 660], atol=4)


def test_a_pad_neither_pulses_nor_has_a_seam() -> None:
    pad = hold(moment(chord(1), RATE, at_seconds=0.5), 4 * RATE, seed=2)
    looped = np.concatenate([pad, pad], axis=1)
    steps = np.abs(np.diff(looped, axis=1))
    assert steps[:, 4 * RATE - 1].max() <= steps[:, : 4 * RATE - 1].max()
    levels = [level(part) for part in np.array_split(looped, 40, axis=1)]
    assert min(levels) > 0.3 * max(levels)


def test_the_seed_decides() -> None:
    held = moment(chord(1), RATE, at_seconds=0.5)
    assert (hold(held, 999, seed=1) == hold(held, 999, seed=1)).all()
    assert (hold(held, 999, seed=1) != hold(held, 999, seed=2)).any()


def test_silence_stays_silent() -> None:
    assert not hold(np.zeros((1, 4000), np.float32), 999, seed=1).any()


@pytest.mark.parametrize("at_seconds", [-0.1, 1.1, float("nan")])
def test_a_moment_outside_is_refused(at_seconds: float) -> None:
    with pytest.raises(CawUsageError, match="within the recording, 0 to 1.000 s"):
        moment(chord(1), RATE, at_seconds=at_seconds)


@pytest.mark.parametrize("at_seconds", [0, 1])
def test_a_moment_at_an_end_is_whole(at_seconds: float) -> None:
    assert moment(chord(1), RATE, at_seconds=at_seconds).shape == (2, RATE // 4)
