"""Training windows of the dilated generator: whole segments, or random crops that see their true surroundings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from caw_toolkit.generators.dilated import DilatedGenerator


@dataclass(frozen=True)
class Window:
    """Samples that a step trains on, and the segment that they lie in."""

    start: int
    stop: int
    segment_start: int
    segment_stop: int

    def input_range(self, generator: DilatedGenerator) -> tuple[int, int]:
        """Samples of the segment that the generator's output in the window depends on."""
        margin = generator.padding + generator.output_context
        return max(self.segment_start, self.start - margin), min(self.segment_stop, self.stop + margin)


def whole_segment(segments: Sequence[tuple[int, int]], step: int) -> Window:
    """The segments in turn."""
    start, stop = segments[step % len(segments)]
    return Window(start, stop, start, stop)


def random_crop(segments: Sequence[tuple[int, int]], crop_samples: int, random: torch.Generator) -> Window:
    """A crop at a position drawn evenly from all that lie within a segment; shorter segments are taken whole.

    Args:
        segments: `(start, stop)` ranges.
        crop_samples: length of the window.
        random: state to draw from.
    """
    positions = [max(1, stop - start - crop_samples + 1) for start, stop in segments]
    offset = int(torch.randint(sum(positions), (), generator=random))
    index = 0
    while offset >= positions[index]:
        offset -= positions[index]
        index += 1
    start, stop = segments[index]
    return Window(start + offset, min(start + offset + crop_samples, stop), start, stop)


def generate_window(generator: DilatedGenerator, window: Window, noise: Tensor, coarse: Tensor | None) -> Tensor:
    """Run the generator on a window with its surroundings: what a run on the whole segment gives there.

    Only the ends of the segment are padded with zeros. (Batch statistics, in training mode, are the window's own.)

    Args:
        generator: of the scale.
        window: where to generate.
        noise: for the samples of `window.input_range(generator)`.
        coarse: upsampled coarser signal for the same samples; None at the coarsest scale.

    Shape:
        noise, coarse: `(1, channels, samples of the input range)`; result: `(1, channels, samples of the window)`
    """
    start, stop = window.input_range(generator)
    length = window.stop - window.start
    before = min(generator.output_context, window.start - window.segment_start)
    after = min(generator.output_context, window.segment_stop - window.stop)
    zeros_before = generator.padding + before - (window.start - start)
    zeros_after = generator.padding + after - (stop - window.stop)
    signal = noise if coarse is None else noise + coarse
    detail = generator.detail(F.pad(signal, (zeros_before, zeros_after)))[..., before : before + length]
    if coarse is None:
        return detail
    return detail + coarse[..., window.start - start : window.start - start + length]
