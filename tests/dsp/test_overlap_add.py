"""Joining blocks: against the signal that they were cut from, and against scipy's overlap-add."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import torch

from caw_toolkit.dsp.overlap_add import BlockJoiner, add_halves, crossfade
from caw_toolkit.dsp.queues import SampleQueue
from caw_toolkit.dsp.spectra import power_blocks, power_spectrogram, windowed_frames

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("fade", [0, 1, 7, 30])
@pytest.mark.parametrize("samples", [1, 99, 100, 101, 730])
def test_blocks_of_one_signal_are_joined_to_it(fade: int, samples: int) -> None:
    signal = RANDOM.standard_normal((2, samples)).astype(np.float32)
    joiner = BlockJoiner(np.linspace(0, 1, fade, dtype=np.float32))
    blocks = [joiner.join(signal[:, start : start + 100 + fade], keep=100) for start in range(0, samples, 100)]
    np.testing.assert_allclose(np.concatenate(blocks, axis=1), signal, atol=1e-6)


def test_a_crossfade_leads_from_the_one_to_the_other() -> None:
    before, after = np.full((1, 5), 2, np.float32), np.full((1, 5), -2, np.float32)
    faded = crossfade(before, after, np.linspace(0, 1, 5, dtype=np.float32))
    np.testing.assert_allclose(faded, [[2, 1, 0, -1, -2]])


def test_halves_are_added_as_scipy_does() -> None:
    """A periodic Hann window's halves sum to one: what is analysed with it is the signal again."""
    signal = RANDOM.standard_normal(640)
    window = scipy.signal.get_window("hann", 64)
    assert scipy.signal.check_COLA(window, 64, 32)
    frames = windowed_frames(signal, window, 32)
    np.testing.assert_allclose(add_halves(frames), signal[32:-32], atol=1e-12)
    np.testing.assert_allclose(add_halves(torch.from_numpy(frames)).numpy(), add_halves(frames))


def test_a_queue_gives_what_went_in_whatever_the_chunks() -> None:
    signal = RANDOM.standard_normal((2, 1000)).astype(np.float32)
    queue, taken = SampleQueue(channels=2), []
    for chunk in np.split(signal, [3, 3, 200, 777], axis=1):
        queue.push(chunk)
        while len(queue) >= 64:
            taken.append(queue.pop(64))
    taken.append(queue.pop(1000))
    np.testing.assert_array_equal(np.concatenate(taken, axis=1), signal)
    assert len(queue) == 0


def test_the_spectrogram_is_scipys() -> None:
    signal = RANDOM.standard_normal(5000)
    window = scipy.signal.get_window("hann", 512)
    transform = scipy.signal.ShortTimeFFT(window, hop=128, fs=1)
    expected = np.abs(transform.stft(signal, p0=0, p1=len(signal) // 128 + 1)) ** 2
    np.testing.assert_allclose(power_spectrogram(signal, 512, 128), expected, atol=1e-9)


def test_blocks_are_the_same_spectrogram() -> None:
    signal = np.random.default_rng(1).standard_normal(9000)
    blocks = list(power_blocks(signal, 64, 16, block_frames=256))
    assert [block.shape[1] for block in blocks] == [256, 256, 51]
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), power_spectrogram(signal, 64, 16))
    np.testing.assert_allclose(
        np.concatenate(list(power_blocks(signal, 64, 16, level=2.0)), axis=1) * 4, power_spectrogram(signal, 64, 16)
    )
