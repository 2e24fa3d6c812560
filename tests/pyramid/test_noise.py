"""Noise addressed by position: any stretch is the same however it is asked for, and it is white and Gaussian."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from caw_toolkit.pyramid.noise import SEGMENT_FADE_SECONDS, NoiseSource, RearrangedNoise
from caw_toolkit.pyramid.pulse import Pulse
from caw_toolkit.seeds import derived_seed

RATE = 500


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 1), (0, 500), (499, 501), (1234, 1777), (-700, -1), (-1, 1), (-500, 0), (3000, 4999)]
)
def test_a_stretch_is_the_same_alone_and_within_a_longer_one(start: int, stop: int) -> None:
    source = NoiseSource(seed=3, channels=2)
    whole = source.normal(scale=1, rate=RATE, start=-1000, stop=5000)
    part = NoiseSource(seed=3, channels=2).normal(scale=1, rate=RATE, start=start, stop=stop)
    assert part.shape == (2, stop - start) and part.dtype == torch.float32
    assert torch.equal(part, whole[:, start + 1000 : stop + 1000])


def test_an_empty_stretch() -> None:
    source = NoiseSource(seed=3, channels=2)
    assert source.normal(scale=0, rate=RATE, start=1000, stop=1000).shape == (2, 0)
    assert source.normal(scale=0, rate=RATE, start=123, stop=123).shape == (2, 0)


def test_it_is_standard_normal() -> None:
    noise = NoiseSource(seed=0, channels=1).normal(scale=0, rate=RATE, start=0, stop=200 * RATE)[0].numpy()
    assert stats.kstest(noise, "norm").pvalue > 0.01
    assert abs(stats.kurtosis(noise)) < 0.1


def test_it_is_white_within_a_second_and_across_seconds() -> None:
    noise = NoiseSource(seed=0, channels=1).normal(scale=0, rate=RATE, start=0, stop=200 * RATE)[0].numpy()
    bound = 4.5 / np.sqrt(noise.size)
    for lag in (1, 2, 7, RATE - 1, RATE, RATE + 1, 10 * RATE):
        assert abs(np.mean(noise[lag:] * noise[:-lag])) < bound


def test_seeds_scales_and_channels_are_independent() -> None:
    def draw(seed: int, scale: int) -> torch.Tensor:
        return NoiseSource(seed, channels=2).normal(scale, rate=RATE, start=0, stop=40 * RATE)

    rows = torch.cat([draw(0, 0), draw(1, 0), draw(0, 1)]).numpy()
    correlations = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]
    assert np.abs(correlations).max() < 4.5 / np.sqrt(rows.shape[1])


def test_derived_seeds_differ_and_repeat() -> None:
    seeds = [derived_seed(seed, "take", take) for seed in range(20) for take in range(50)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert derived_seed(7, "take", 3) == derived_seed(7, "take", 3) != derived_seed(7, "scale", 3)


class TestRearrangedNoise:
    """Half fresh noise, half segments of the noise that stands for the recording."""

    inverted = torch.randn(1, 20 * RATE, generator=torch.Generator().manual_seed(0))

    @pytest.mark.parametrize(("start", "stop"), [(0, 1), (1990, 2110), (-2100, -1), (1234, 5777)])
    def test_a_stretch_is_the_same_alone_and_within_a_longer_one(self, start: int, stop: int) -> None:
        source = RearrangedNoise(3, self.inverted, 0.5)
        whole = source.normal(scale=0, rate=RATE, start=-3000, stop=6000)
        part = source.normal(scale=0, rate=RATE, start=start, stop=stop)
        assert torch.equal(part, whole[:, start + 3000 : stop + 3000])

    @pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
    def test_its_power_is_one(self, share: float) -> None:
        made = RearrangedNoise(3, self.inverted * 0.7, share).normal(scale=0, rate=RATE, start=0, stop=60 * RATE)
        assert made.std().item() == pytest.approx(1, abs=0.03)

    @pytest.mark.parametrize("seconds", [7, 25])
    def test_its_power_is_one_where_segments_meet(self, seconds: int) -> None:
        """Also of segments that follow each other in the recording, which are the same there."""
        inverted = torch.randn(1, seconds * RATE + 3, generator=torch.Generator().manual_seed(1))
        fade = round(SEGMENT_FADE_SECONDS * RATE)
        powers = []
        for seed in range(30):
            source = RearrangedNoise(seed, inverted, 1.0)
            period = inverted.shape[1] // source.segment_count(RATE)
            made = source.normal(scale=0, rate=RATE, start=0, stop=20 * period)[0]
            powers += [made[start : start + fade].square().mean() for start in range(period, 20 * period, period)]
        assert np.mean(powers) == pytest.approx(1, abs=0.05)

    def test_it_holds_segments_of_the_inverted_noise(self) -> None:
        made = RearrangedNoise(3, self.inverted, 1.0).normal(scale=0, rate=RATE, start=0, stop=4 * RATE)
        segment = made[0, RATE : 2 * RATE].numpy()
        around = np.tile((self.inverted / self.inverted.std())[0].numpy(), 2)
        similarity = np.correlate(around, segment, mode="valid") / (segment @ segment)
        assert similarity.max() == pytest.approx(1, abs=1e-3)

    @pytest.mark.parametrize("first", [0, 5, -10])
    def test_each_round_holds_every_part_of_the_recording_once(self, first: int) -> None:
        source = RearrangedNoise(3, self.inverted, 1.0)
        offsets = np.sort([source.offset(number, RATE) for number in range(first, first + source.segment_count(RATE))])
        assert source.segment_count(RATE) == 5
        assert np.diff(offsets).tolist() == [4 * RATE] * 4

    def test_rounds_differ_in_order_and_boundaries(self) -> None:
        source = RearrangedNoise(3, self.inverted, 1.0)
        rounds = np.array([source.offset(number, RATE) for number in range(50)]).reshape(10, 5)
        assert len(set(rounds.min(1).tolist())) == 10
        assert len({tuple(offsets.argsort().tolist()) for offsets in rounds}) > 5

    def test_scales_above_the_coarsest_get_fresh_noise(self) -> None:
        made = RearrangedNoise(3, self.inverted, 0.5).normal(scale=1, rate=RATE, start=0, stop=RATE)
        assert torch.equal(made, NoiseSource(3, 1).normal(scale=1, rate=RATE, start=0, stop=RATE))

    def test_noise_shorter_than_a_segment(self) -> None:
        made = RearrangedNoise(3, self.inverted[:, :RATE], 0.5).normal(scale=0, rate=RATE, start=0, stop=10 * RATE)
        assert made.shape == (1, 10 * RATE) and torch.isfinite(made).all()


class TestRearrangedNoiseWithAPulse:
    """Segments are whole bars, from the beginnings of bars of the recording."""

    inverted = torch.randn(1, 20 * RATE, generator=torch.Generator().manual_seed(0))
    pulse = Pulse(0.31, 4, tuple((0.05 + 0.31 * np.arange(64)).tolist()))

    def test_segments_begin_with_bars_and_hold_whole_ones(self) -> None:
        source = RearrangedNoise(3, self.inverted, 1.0, self.pulse)
        for number in range(-3, 30):
            bars = self.pulse.phases(np.array([source.offset(number, RATE) / RATE]))[0] / 4
            assert bars == pytest.approx(round(bars), abs=0.5 / RATE)
        made = source.normal(scale=0, rate=RATE, start=0, stop=30 * RATE)[0]
        first = round(6 * 3 * 1.24 * RATE)  # the seventh segment of three bars
        known = self.inverted[0] / self.inverted.std()
        offset = source.offset(6, RATE)
        pair = torch.stack([made[first + RATE : first + 2 * RATE], known[offset + RATE : offset + 2 * RATE]])
        assert torch.corrcoef(pair)[0, 1].item() == pytest.approx(1, abs=0.01)

    @pytest.mark.parametrize(("start", "stop"), [(0, 1), (-2100, -1), (3719, 3721), (1234, 9777)])
    def test_a_stretch_is_the_same_alone_and_within_a_longer_one(self, start: int, stop: int) -> None:
        source = RearrangedNoise(3, self.inverted, 0.5, self.pulse)
        whole = source.normal(scale=0, rate=RATE, start=-3000, stop=10000)
        part = source.normal(scale=0, rate=RATE, start=start, stop=stop)
        assert torch.equal(part, whole[:, start + 3000 : stop + 3000])

    def test_its_power_is_one(self) -> None:
        made = RearrangedNoise(3, self.inverted, 0.5, self.pulse).normal(scale=0, rate=RATE, start=0, stop=60 * RATE)
        assert made.std().item() == pytest.approx(1, abs=0.03)
