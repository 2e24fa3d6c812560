"""Unit selection: a plain loop that tries everything for each frame selects the same segments."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from caw_toolkit import AudioClip
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.generators.exemplar_search import Matches, SegmentIndex
from caw_toolkit.generators.exemplar_selection import CONCATENATION_WEIGHT, GUIDE_COST, PlaceCosts, UnitSelector
from caw_toolkit.generators.timing import Timing
from caw_toolkit.pyramid.upsampling import upsample_sinc

RATE = 4000
COARSER = 1000
HOP = 125
BONUS = 0.05


@pytest.fixture(scope="module")
def real(speech: AudioClip) -> torch.Tensor:
    return torch.from_numpy(resample(speech.samples, speech.sample_rate, RATE))[0, : 5 * RATE]


@pytest.fixture(scope="module")
def selector(real: torch.Tensor) -> UnitSelector:
    low = torch.from_numpy(resample(real[None].numpy(), RATE, COARSER))
    coarse = upsample_sinc(low, COARSER, RATE, len(real))[0]
    usable = torch.zeros(len(real), dtype=torch.bool)
    usable[HOP:-HOP] = True
    return UnitSelector(SegmentIndex(coarse, usable, hop=HOP, ratio=RATE // COARSER, shift=24), real)


@pytest.fixture(scope="module")
def matches(selector: UnitSelector) -> Matches:
    index = selector.index
    coarse = index.coarse[index.margin : -index.margin]
    return index.search(torch.roll(coarse, 7 * HOP)[: 20 * HOP] + 0.01, candidates=4)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-12))


def selected_plainly(selector: UnitSelector, real: torch.Tensor, matches: Matches, costs: PlaceCosts) -> list[int]:
    """What each segment scores, and the best of each frame, one by one."""
    index = selector.index
    sound = np.pad(real.double().numpy(), index.margin)
    coarse, window = index.coarse.double().numpy(), index.window.double().numpy()

    def half_before(offset: int) -> np.ndarray:
        return sound[offset + index.margin - HOP : offset + index.margin]

    path: list[int] = []
    for frame, (offsets, scores) in enumerate(zip(matches.offsets, matches.similarity.double(), strict=True)):
        options = []
        for offset, score in zip(offsets.flatten().tolist(), scores.flatten().tolist(), strict=True):
            join = CONCATENATION_WEIGHT * cosine(half_before(offset), half_before(path[-1] + HOP)) if path else 0.0
            options.append((score + join - float(costs.of(np.array(frame), np.array(offset))), offset))
        if path and index.usable[path[-1] + HOP]:
            offset = path[-1] + HOP
            around = coarse[offset + index.margin - HOP : offset + index.margin + HOP]
            similarity = around @ matches.targets[frame].double().numpy() / np.linalg.norm(around * window)
            place = float(costs.of(np.array(frame), np.array(offset)))
            options.append((similarity + CONCATENATION_WEIGHT + BONUS - place, offset))
        path.append(max(options)[1])
    return path


@pytest.mark.parametrize("with_guide", [False, True])
def test_the_best_of_each_frame_is_selected(
    selector: UnitSelector, real: torch.Tensor, matches: Matches, with_guide: bool
) -> None:
    frames = len(matches.levels)
    distances = torch.rand(frames, selector.index.hops, generator=torch.Generator().manual_seed(0)) * 20
    costs = PlaceCosts(HOP, distances=distances if with_guide else None)
    selected = selector.select(matches, matches.similarity, torch.full((frames,), BONUS), costs).tolist()
    assert selected == selected_plainly(selector, real, matches, costs)
    goes_on = np.diff(selected) == HOP
    assert goes_on.any() and not goes_on.all()


def test_places_cost_what_guide_and_beat_say() -> None:
    timing = Timing(first=0.0, step=1 / (2 * HOP), recording=lambda samples: samples / (2 * HOP))
    distances = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    frames, offsets = np.array([0, 1, 1]), np.array([HOP, HOP, 9 * HOP])  # beyond the last hop that of the last counts
    guided = PlaceCosts(HOP, distances=distances).of(frames, offsets)
    np.testing.assert_allclose(guided, GUIDE_COST * np.array([2.0, 4.0, 4.0]))
    on_beat = PlaceCosts(HOP, timing=timing).of(frames, offsets)
    np.testing.assert_allclose(on_beat, [1.0, 0.0, 0.0], atol=1e-9)  # half a beat off, and on it
    both = PlaceCosts(HOP, distances=distances, timing=timing).of(frames, offsets)
    np.testing.assert_allclose(both, guided + on_beat)
    assert PlaceCosts(HOP).of(frames, offsets) == 0
