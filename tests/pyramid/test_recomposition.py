"""Recomposing given audio: how far a strength goes, and what is kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from caw_toolkit import AudioClip, CawError, CawUsageError, PyramidModel
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.generators.exemplar import ExemplarGenerator
from caw_toolkit.pyramid.kept_lows import low_pass
from caw_toolkit.pyramid.recomposition import Extent
from caw_toolkit.pyramid.scale import Scale

RATE = 4000


@pytest.fixture(scope="module")
def holder(speech: AudioClip, tiny_model: PyramidModel) -> PyramidModel:
    """The coarsest scale of the tiny model, and above it one that holds the recording."""
    real, lower = (torch.from_numpy(resample(speech.samples, speech.sample_rate, rate)) for rate in (RATE, 500))
    coarse = torch.from_numpy(resample(lower.numpy(), 500, RATE))
    real = real[:, : coarse.shape[1]]
    generator = ExemplarGenerator(
        audio_channels=1, samples=real.shape[1], hop=128, ratio=8, shift=32, candidates=24,
        concatenation_cost=0.1, selection_noise=0.05,
    )  # fmt: skip
    generator.hold(real / speech.peak, coarse / speech.peak, ((0, real.shape[1]),))
    scales = [tiny_model.scales[0], Scale(RATE, generator, 0.1)]
    return PyramidModel(scales, channels=1, peak=speech.peak, upsampling=tiny_model.upsampling)


@pytest.fixture(scope="module")
def song(speech: AudioClip) -> np.ndarray:
    return resample(speech.samples, speech.sample_rate, RATE)


def likeness(song: np.ndarray, made: np.ndarray) -> float:
    return float(np.vdot(song, made) / np.linalg.norm(song) / np.linalg.norm(made))


def high(signal: np.ndarray, hertz: float = 500) -> np.ndarray:
    lows = low_pass(RATE, hertz)
    assert lows is not None
    return np.asarray(signal - lows(torch.from_numpy(signal)).numpy())


def test_strength_leads_from_the_song_to_none_of_it(holder: PyramidModel, song: np.ndarray) -> None:
    made = [holder.recompose(song, RATE, strength=strength, seed=1) for strength in (0, 0.25, 0.5, 1)]
    assert all(each.shape == song.shape for each in made)
    alike = [likeness(high(song), high(each)) for each in made]
    assert alike[0] > 0.9
    assert alike[0] > alike[1] > alike[2]
    assert abs(alike[2]) < 0.3 and abs(alike[3]) < 0.3


@pytest.mark.parametrize("hertz", [100, 600])
def test_the_lows_are_kept(holder: PyramidModel, song: np.ndarray, hertz: float) -> None:
    made = holder.recompose(song, RATE, keep_below=hertz, seed=1)
    lows = low_pass(RATE, 0.8 * hertz)
    assert lows is not None
    kept, given = (lows(torch.from_numpy(each)).numpy() for each in (made, song))
    assert np.abs(kept - given).max() < 0.02 * np.abs(song).max()


def test_takes_differ(holder: PyramidModel, song: np.ndarray) -> None:
    takes = [holder.recompose(song, RATE, seed=seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(takes[0], takes[1])
    assert abs(likeness(high(takes[0]), high(takes[2]))) < 0.6


def test_audio_at_a_scale_is_recomposed_too(holder: PyramidModel, song: np.ndarray) -> None:
    made = holder.recompose(song, RATE, at_rate=RATE, seed=1)
    assert abs(likeness(high(song), high(made))) < 0.5


@pytest.mark.parametrize(("samples", "rate"), [(8003, 8000), (4001, 4000), (100_003, 44_100)])
def test_lengths(holder: PyramidModel, samples: int, rate: int) -> None:
    audio = 0.1 * np.random.default_rng(0).standard_normal((1, samples)).astype(np.float32)
    assert holder.recompose(audio, rate).shape == (1, round(samples * RATE / rate))


def test_what_cannot_be_recomposed(holder: PyramidModel, tiny_model: PyramidModel, song: np.ndarray) -> None:
    assert "recompose" in holder.capabilities and "recompose" not in tiny_model.capabilities
    with pytest.raises(CawError, match="a model that holds its recording"):
        tiny_model.recompose(song, RATE)
    with pytest.raises(CawUsageError, match="strength must be from 0 to 1"):
        holder.recompose(song, RATE, strength=2)
    with pytest.raises(CawUsageError, match="no scale of 77 Hz"):
        holder.recompose(song, RATE, at_rate=77)


def test_extents_are_monotone() -> None:
    extents = [Extent.of(strength) for strength in np.linspace(0, 1, 21)]
    assert extents[0] == Extent(0, 0, 1)
    assert extents[-1] == Extent(1, 1, 0)
    values: list[Callable[[Extent], float]] = [lambda e: e.new_share, lambda e: e.revision, lambda e: -e.kept]
    assert all(value(a) <= value(b) for value in values for a, b in zip(extents[:-1], extents[1:], strict=True))


def test_nothing_is_kept_at_last() -> None:
    noise = torch.randn(1, RATE, generator=torch.Generator().manual_seed(0))
    assert Extent.of(1).keep_below(noise, RATE) == 0
    below = [torch.as_tensor(Extent.of(strength).keep_below(noise, RATE)) for strength in (0.5, 0.75, 0.9)]
    assert (below[0] > below[1]).all() and (below[1] > below[2]).all()
