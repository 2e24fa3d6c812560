"""Exemplar generators that hold a recording: nothing has to be trained."""

from __future__ import annotations

from torch import Tensor

from caw_toolkit.generators.exemplar import ExemplarGenerator


def exemplar_of(
    real: Tensor, coarse: Tensor, *, hop: int, segments: tuple[tuple[int, int], ...] | None = None
) -> ExemplarGenerator:
    """A generator of four times the rate of the scale below, with the settings of the fast preset.

    Args:
        real: the recording, `(channels, samples)`.
        coarse: its coarser version, upsampled.
        hop: samples from frame to frame.
        segments: of the recording; default: one.
    """
    samples = real.shape[1]
    made = ExemplarGenerator(
        audio_channels=len(real),
        samples=samples,
        hop=hop,
        ratio=4,
        shift=24,
        candidates=24,
        concatenation_cost=0.1,
        selection_noise=0.08,
    )
    made.hold(real, coarse, segments or ((0, samples),))
    return made
