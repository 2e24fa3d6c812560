"""Pauses of a speaker: found, kept in a model, and heard in takes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from caw_toolkit import PyramidModel, train
from caw_toolkit.arrays import Array
from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.pyramid.findings import Findings
from caw_toolkit.pyramid.noise import PIECES_OF_PAUSES, NoiseSource, RearrangedNoise
from caw_toolkit.pyramid.pauses import find_pauses, in_samples, needed_pauses, total_seconds
from caw_toolkit.training.plan import make_plan

RATE = 1000


def words(*seconds: float, rate: int = 16000) -> Array:
    """Noise, loud and 40 dB below in turns, `(1, samples)`."""
    random = np.random.default_rng(0)
    levels = [0.01 if number % 2 else 1.0 for number in range(len(seconds))]
    parts = [level * random.standard_normal(round(each * rate)) for level, each in zip(levels, seconds, strict=True)]
    return np.concatenate(parts)[None].astype(np.float32)


@pytest.mark.parametrize("level", [1.0, 1e-3])
def test_pauses_are_found_and_stops_are_not(level: float) -> None:
    samples = level * words(1, 0.5, 1, 0.2, 1, 0.4, 1)
    assert np.array(find_pauses(samples, 16000)) == pytest.approx(np.array([[1, 1.5], [3.7, 4.1]]), abs=0.02)
    assert find_pauses(np.concatenate([samples, samples]), 16000) == find_pauses(samples, 16000)


@pytest.mark.parametrize("samples", [np.zeros((1, 16000)), np.ones((1, 16000)), np.zeros((1, 7))])
def test_sound_without_pauses(samples: Array) -> None:
    assert find_pauses(samples, 16000) == ()


def test_only_speech_has_them() -> None:
    clip = AudioClip(words(1, 0.5, 1, 0.5, 1), 16000)
    plans = [make_plan(clip, material=material) for material in ("speech", "music")]
    assert [len(plan.findings.pauses) for plan in plans] == [2, 0]


@pytest.mark.parametrize(
    ("without", "with_all", "lengths"),
    [
        (0.0, 0.08, [0.3, 0.4, 0.8]),  # even all are too few
        (0.0, 0.1, [0.3, 0.4, 0.8]),
        (0.05, 0.15, [0.8]),  # half of them by time
        (0.1, 0.12, []),
        (0.12, 0.11, []),
        (0.12, 0.12, []),
    ],
)
def test_no_more_are_needed_than_a_model_lacks(without: float, with_all: float, lengths: list[float]) -> None:
    pauses = ((1.0, 1.3), (2.0, 2.8), (4.0, 4.4))
    needed = needed_pauses(pauses, wanted=0.1, without=without, with_all=with_all)
    assert [stop - start for start, stop in sorted(needed, key=lambda pause: pause[1] - pause[0])] == pytest.approx(
        lengths
    )
    assert set(needed) <= set(pauses) and total_seconds(needed) == pytest.approx(sum(lengths))


@pytest.mark.slow
def test_a_model_that_makes_none_by_itself_is_given_all(tiny_preset: Path) -> None:
    clip = AudioClip(words(1, 0.5, 0.6, 0.4, 1, 0.6, 0.5), 16000)
    settings: dict[str, Any] = {"preset": tiny_preset, "sample_rate": 4000, "material": "speech", "seed": 1}
    model = train(clip, device="cpu", **settings)
    assert len(model.findings.pauses) == 3 and model.findings.pauses == make_plan(clip, **settings).findings.pauses


class TestNoise:
    inverted = torch.randn(1, 8 * RATE, generator=torch.Generator().manual_seed(0))
    pauses = in_samples(((1.0, 1.4), (5.0, 6.0)), RATE)

    def source(self) -> RearrangedNoise:
        return RearrangedNoise(3, self.inverted, 0.0, pauses=self.pauses)

    def test_all_is_fresh_but_in_pauses(self) -> None:
        made, fresh = (
            source.normal(scale=0, rate=RATE, start=0, stop=8 * RATE) for source in (self.source(), NoiseSource(3, 1))
        )
        other = (made != fresh)[0].float().mean().item()
        assert other == pytest.approx(1.4 / 8, abs=0.03)  # every part of the recording comes once
        assert made.std().item() == pytest.approx(1, abs=0.05)

    def test_a_pause_comes_in_pieces_from_the_last_to_the_first(self) -> None:
        source, known = self.source(), self.inverted / self.inverted.std()
        pieces = known[:, self.pauses[1]].tensor_split(PIECES_OF_PAUSES, dim=1)
        assert torch.equal(source.inverted[:, self.pauses[1]], torch.cat(pieces[::-1], dim=1))
        assert torch.equal(source.inverted[:, : self.pauses[0].start], known[:, : self.pauses[0].start])

    @pytest.mark.parametrize(("start", "stop"), [(0, 1), (-2100, -1), (1234, 9777), (5, 5)])
    def test_a_stretch_is_the_same_alone_and_within_a_longer_one(self, start: int, stop: int) -> None:
        whole = self.source().normal(scale=0, rate=RATE, start=-3000, stop=10000)
        part = self.source().normal(scale=0, rate=RATE, start=start, stop=stop)
        assert torch.equal(part, whole[:, start + 3000 : stop + 3000])


def test_a_model_keeps_them(tiny_model: PyramidModel) -> None:
    model = dataclasses.replace(tiny_model, findings=Findings(pauses=((0.5, 0.75), (2.0, 2.5))))
    again = PyramidModel.from_content(model.content())
    assert again.findings.pauses == model.findings.pauses
    assert np.array_equal(again.generate(1, seed=1), model.generate(1, seed=1))
    assert not np.array_equal(model.generate(4, seed=1), tiny_model.generate(4, seed=1))
