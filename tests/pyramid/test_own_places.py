"""Where audio lies in the recording, and what must not be taken from there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from caw_toolkit.generators.guide import FRAMES_A_SECOND
from caw_toolkit.pyramid.own_places import bar, own_places

RATE = 4000


class TestOwnPlaces:
    random = torch.Generator().manual_seed(0)
    recording = torch.randn(6 * RATE, generator=random)

    def marked(self, signal: torch.Tensor, second: float) -> np.ndarray:
        """Seconds of the recording that belong to a moment."""
        row = own_places(signal, self.recording, RATE)[round(second * FRAMES_A_SECOND)]
        return np.flatnonzero(row.numpy()) / FRAMES_A_SECOND

    def test_a_part_is_found(self) -> None:
        seconds = self.marked(0.3 * self.recording[2 * RATE : 4 * RATE], 1.0)
        assert seconds.min() == pytest.approx(2, abs=0.1) and seconds.max() == pytest.approx(4, abs=0.1)

    def test_other_audio_is_not(self) -> None:
        assert self.marked(torch.randn(2 * RATE, generator=self.random), 1.0).size == 0
        assert self.marked(torch.zeros(2 * RATE), 1.0).size == 0

    def test_repetitions_are_found(self) -> None:
        twice = torch.cat([self.recording[:RATE], torch.zeros(2 * RATE), self.recording[: 2 * RATE]])
        frames = own_places(self.recording[:RATE], twice, RATE)[FRAMES_A_SECOND // 2]
        assert frames[FRAMES_A_SECOND // 2] and frames[3 * FRAMES_A_SECOND + FRAMES_A_SECOND // 2]

    def test_repetitions_are_found_beneath_other_sounds(self) -> None:
        bars = [self.recording[:RATE] + 0.5 * torch.randn(RATE, generator=self.random) for _ in range(2)]
        song = torch.cat([bars[0], torch.zeros(2 * RATE), bars[1]])
        frame = own_places(song, song, RATE)[FRAMES_A_SECOND // 2]
        assert frame[3 * FRAMES_A_SECOND + FRAMES_A_SECOND // 2]

    def test_places_that_sound_alike_are_found(self) -> None:
        def chord(*partials: float, phase: float = 0) -> torch.Tensor:
            time = torch.arange(2 * RATE) / RATE
            return torch.stack([torch.sin(2 * np.pi * hertz * time + phase * hertz) for hertz in partials]).sum(0)

        song = torch.cat([chord(150, 440, 660), chord(150, 520, 780), chord(150, 440, 660, phase=1)])
        found = own_places(song[: 2 * RATE], song, RATE)[FRAMES_A_SECOND]
        assert found[5 * FRAMES_A_SECOND]
        assert not found[3 * FRAMES_A_SECOND]

    def test_shorter_than_a_window(self) -> None:
        assert own_places(self.recording[:100], self.recording, RATE).shape[0] == 2


def test_own_places_are_barred_in_a_share_of_the_seconds() -> None:
    own = torch.eye(100 * FRAMES_A_SECOND, 10 * FRAMES_A_SECOND, dtype=torch.bool)
    assert not bar(own, 0.0, seed=1, first_second=0).any()
    assert bar(own, 1.0, seed=1, first_second=0)[own].all()
    half = bar(own, 0.5, seed=1, first_second=0)
    assert 0.3 < half.view(100, -1).any(1).float().mean() < 0.7
    part = bar(own[10 * FRAMES_A_SECOND :], 0.5, seed=1, first_second=10)
    assert (part == half[10 * FRAMES_A_SECOND :]).all() or own[10 * FRAMES_A_SECOND :].any() == 0
