"""Looking a signal up in a recording: found where it is, and as alike as a plain loop over all samples says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from caw_toolkit import AudioClip
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.generators.exemplar_search import SegmentIndex
from caw_toolkit.pyramid.upsampling import upsample_sinc

RATE, COARSER, HOP, RATIO = 4000, 1000, 125, 4


@pytest.fixture(scope="module")
def coarse(speech: AudioClip) -> torch.Tensor:
    low = torch.from_numpy(resample(speech.samples, speech.sample_rate, COARSER))
    return upsample_sinc(low, COARSER, RATE, low.shape[1] * RATIO)[0]


def indexed(coarse: torch.Tensor, usable: torch.Tensor | None = None) -> SegmentIndex:
    if usable is None:
        usable = torch.zeros(len(coarse), dtype=torch.bool)
        usable[HOP:-HOP] = True
    return SegmentIndex(coarse, usable, hop=HOP, ratio=RATIO, shift=24)


@pytest.mark.parametrize("offset", [0, 1, 37, 124])
def test_a_piece_of_the_recording_is_found_to_the_sample(coarse: torch.Tensor, offset: int) -> None:
    first = 2 * HOP * 20 + offset
    loud = coarse[first : first + 40 * HOP]
    matches = indexed(coarse).search(loud, candidates=24)
    frames = slice(3, 38)  # those with all of their context
    best = matches.similarity.flatten(1).argmax(1)
    found = matches.offsets.flatten(1).gather(1, best[:, None])[frames, 0]
    truth = first + HOP * torch.arange(len(best))[frames]
    assert (found - truth).abs().max() <= 1
    assert matches.similarity.flatten(1).amax(1)[frames].min() > 0.99


def test_likeness_is_the_cosine_of_windowed_stretches(coarse: torch.Tensor) -> None:
    signal = torch.roll(coarse, 1234)[: 30 * HOP] + 0.01
    matches = indexed(coarse).search(signal, candidates=3)
    window = np.hanning(2 * HOP + 1)[:-1]
    around = np.pad(signal.double().numpy(), HOP)
    for frame in range(1, 30, 4):
        target = around[frame * HOP : (frame + 2) * HOP] * window
        for place, likeness in zip(matches.offsets[frame].flatten(), matches.similarity[frame].flatten(), strict=True):
            if torch.isfinite(likeness):
                stretch = coarse[place - HOP : place + HOP].double().numpy() * window
                cosine = stretch @ target / np.linalg.norm(stretch) / np.linalg.norm(target)
                assert float(likeness) == pytest.approx(cosine, abs=5e-3)


def test_candidates_lie_in_different_hops_and_where_they_may(coarse: torch.Tensor) -> None:
    usable = torch.zeros(len(coarse), dtype=torch.bool)
    usable[5 * HOP : 12 * HOP] = True
    matches = indexed(coarse, usable).search(coarse[: 20 * HOP], candidates=24)
    allowed = matches.offsets[torch.isfinite(matches.similarity)]
    assert usable[allowed].all()
    assert torch.isfinite(matches.similarity).any(dim=2).sum(1).max() <= 8
    assert torch.isfinite(matches.similarity).flatten(1).any(1).all()


def test_any_number_of_samples(coarse: torch.Tensor) -> None:
    index = indexed(coarse)
    for samples in (1, HOP - 1, HOP, HOP + 1):
        assert len(index.search(coarse[:samples], candidates=2).levels) == -(-samples // HOP) + 1
