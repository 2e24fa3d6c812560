"""Guides of variations: harmony and level are compared, and what is barred is not taken."""

from __future__ import annotations

import pytest
import torch

from caw_toolkit.generators.exemplar import ExemplarGenerator
from caw_toolkit.generators.guide import FAR, FRAMES_A_SECOND, Guide

RATE, HOP = 4000, 128


def tone(pitch: float, seconds: float) -> torch.Tensor:
    return torch.sin(2 * torch.pi * pitch * torch.arange(round(seconds * RATE)) / RATE)


def nothing_taken(seconds: int) -> torch.Tensor:
    return torch.zeros(seconds * FRAMES_A_SECOND, 2 * FRAMES_A_SECOND, dtype=torch.bool)


def test_the_same_note_is_nearest_in_whatever_octave() -> None:
    recording = torch.cat([tone(440, 1), tone(380, 1)])[None]
    guide = Guide(tone(880, 1)[None], RATE, nothing_taken(1))
    distances = guide.distances(recording, HOP, RATE // HOP, 2 * RATE // HOP)
    half = RATE // HOP
    assert distances[4:-4, 4 : half - 4].mean() < distances[4:-4, half + 4 : -4].mean()


def test_louder_moments_are_nearest_to_louder_ones() -> None:
    recording = torch.cat([tone(440, 1), 0.1 * tone(440, 1)])[None]
    distances = Guide(recording, RATE, nothing_taken(2)).distances(recording, HOP, 60, 60)
    assert distances[5:25, 5:25].mean() < distances[5:25, 36:56].mean()
    assert distances.diagonal().max() < 1e-2


def test_taken_frames_at_the_hops_of_a_scale() -> None:
    taken = nothing_taken(1)
    taken[:, FRAMES_A_SECOND:] = True
    far = Guide(tone(440, 1)[None], RATE, taken).distances(tone(440, 2)[None], HOP, 32, 63) >= FAR
    assert far.shape == (32, 63)
    assert not far[:, :31].any() and far[:, 32:].all()


def test_without_weight_only_what_is_taken_counts() -> None:
    taken = nothing_taken(1)
    taken[:, FRAMES_A_SECOND:] = True
    distances = Guide(tone(440, 1)[None], RATE, taken, 0).distances(tone(380, 2)[None], HOP, 32, 63)
    assert set(distances.flatten().tolist()) == {0, FAR}


@pytest.mark.parametrize("barred", [False, True])
def test_a_barred_place_is_not_taken(barred: bool) -> None:
    noise = torch.randn(1, 2 * RATE, generator=torch.Generator().manual_seed(0))
    generator = ExemplarGenerator(
        audio_channels=1, samples=2 * RATE, hop=HOP, ratio=2, shift=16, candidates=24,
        concatenation_cost=0.1, selection_noise=0.0,
    )  # fmt: skip
    generator.hold(noise, noise, ((0, 2 * RATE),))
    taken = nothing_taken(2)
    if barred:
        taken.view(2, FRAMES_A_SECOND, 2, FRAMES_A_SECOND)[[0, 1], :, [0, 1]] = True  # each second's own
    made = generator.recompose(torch.zeros(1, 1, 2 * RATE), noise[None], Guide(noise, RATE, taken))[0]
    inside = slice(2 * HOP, -2 * HOP)
    likeness = torch.nn.functional.cosine_similarity(made[0, inside], noise[0, inside], dim=0)
    assert likeness < 0.5 if barred else likeness > 0.99
