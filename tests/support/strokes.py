"""Recordings with a pulse, for tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.floating]


def strokes(
    times: Samples, seconds: float, sample_rate: int, accents: Samples | None = None
) -> npt.NDArray[np.float32]:
    """Bursts of noise that decay within some 20 ms, in a little hiss, `(1, samples)` float32."""
    draws = np.random.default_rng(0)
    audio = 0.001 * draws.standard_normal(round(seconds * sample_rate))
    length = sample_rate // 10
    stroke = draws.standard_normal(length) * np.exp(-np.arange(length) / (0.02 * sample_rate))
    for number, start in enumerate((times * sample_rate).round().astype(int)):
        stretch = audio[start : start + length]
        stretch += (1 if accents is None else accents[number]) * stroke[: len(stretch)]
    return audio[None].astype(np.float32)


def onset_coherence(audio: Samples, sample_rate: int, period: float) -> float:
    """How much of the rise of the level in steps of 10 ms lies alike on a grid: 1 for all of it, about 0 at random."""
    hop = sample_rate // 100
    levels = np.square(audio[0, : audio.shape[1] // hop * hop].astype(float)).reshape(-1, hop).mean(1) ** 0.25
    rises = np.maximum(np.diff(levels), 0)
    return float(np.abs(rises @ np.exp(2j * np.pi * np.arange(len(rises)) / 100 / period)) / rises.sum())
