"""Training windows: they stay in their segments and equal their part of a run on the whole segment."""

from __future__ import annotations

import pytest
import torch

from caw_toolkit.generators.dilated import DilatedGenerator
from caw_toolkit.training.objectives.critic import initialise
from caw_toolkit.training.objectives.windows import Window, generate_window, random_crop, whole_segment


@pytest.mark.parametrize("start", [0, 1, 3, 5, 30, 65, 66, 300, 630, 637, 640])
@pytest.mark.parametrize("with_coarse", [True, False])
def test_a_window_equals_its_part_of_the_segment(start: int, with_coarse: bool) -> None:
    """Evaluation mode, a segment of 800 samples that starts at 100, windows of 160 samples."""
    generator = DilatedGenerator(hidden_channels=4, blocks=4)
    random = torch.Generator().manual_seed(0)
    initialise(generator, random)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.2)
    generator.double().eval()
    noise = torch.randn(1, 1, 1000, generator=random, dtype=torch.float64)
    coarse = torch.randn(1, 1, 1000, generator=random, dtype=torch.float64) if with_coarse else None
    whole = generator(noise[..., 100:900], coarse[..., 100:900] if coarse is not None else None)
    window = Window(100 + start, 100 + start + 160, 100, 900)
    first, last = window.input_range(generator)
    part = generate_window(
        generator, window, noise[..., first:last], coarse[..., first:last] if coarse is not None else None
    )
    torch.testing.assert_close(part, whole[..., start : start + 160])


def test_segments_take_turns() -> None:
    segments = [(0, 500), (700, 1200)]
    assert [whole_segment(segments, step).start for step in range(4)] == [0, 700, 0, 700]


def test_crops_lie_in_segments_and_reach_their_ends() -> None:
    random = torch.Generator().manual_seed(0)
    segments = [(0, 130), (200, 250), (300, 420)]
    windows = {random_crop(segments, 100, random) for _ in range(2000)}
    assert all(w.segment_start <= w.start < w.stop <= w.segment_stop for w in windows)
    assert {(w.start, w.stop) for w in windows if w.segment_start == 200} == {(200, 250)}
    assert {w.start for w in windows if w.segment_start == 0} == set(range(31))
    assert {w.start for w in windows if w.segment_start == 300} == set(range(300, 321))
