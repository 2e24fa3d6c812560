"""Recordings that are extended block by block sound like those that are extended as a whole."""

from __future__ import annotations

import numpy as np
import pytest

from caw_bandwidth_extension import long_files
from caw_bandwidth_extension.task import extend
from caw_toolkit import PyramidModel
from caw_toolkit.processors import blocks
from signals import pieces, snr


def extended(model: PyramidModel, samples: np.ndarray, rate: int) -> np.ndarray:
    known = long_files.survey(model, lambda: pieces(samples), rate)
    parts = long_files.extend_blocks(model, pieces(samples), rate, known, channels=len(samples), seed=1)
    return np.concatenate(list(parts), axis=1)


def test_a_short_recording_is_extended_as_a_whole(tiny_model: PyramidModel) -> None:
    rate = tiny_model.sample_rate // 2
    samples = np.random.default_rng(0).standard_normal((1, 5 * rate + 123)).astype(np.float32)
    np.testing.assert_array_equal(extended(tiny_model, samples, rate), extend(tiny_model, samples, rate, seed=1))


def test_blocks_of_a_recording_are_extended_like_the_whole(
    tiny_model: PyramidModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (blocks, long_files):
        monkeypatch.setattr(module, "FILE_BLOCK_SECONDS", 4)
    rate = tiny_model.sample_rate // 2
    samples = np.cumsum(np.random.default_rng(0).standard_normal((2, 11 * rate + 123)), axis=1).astype(np.float32)
    samples -= samples.mean(1, keepdims=True)
    whole = np.concatenate([extend(tiny_model, channel[None], rate, seed=1) for channel in samples])
    made = extended(tiny_model, samples, rate)
    assert made.shape == whole.shape
    assert snr(whole, made) > 30
