"""The coarser signals that a scale is trained on: drawn from the scales below it, as generation draws them."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.pyramid.noise import Noise, NoiseSource


def coarse_signals(below: PyramidModel, rate: int, seconds: float) -> Callable[[int, int, int | None], Tensor]:
    """What draws the coarser signal of a scale (`ScaleTask.generate_coarse`).

    Args:
        below: the scales trained so far.
        rate: of the scale to train, Hz.
        seconds: length of the recording. Signals begin and end with it, so that networks hear the same silence around
            them in training as in generation.

    Returns:
        A function of the first sample, the first after the last, and the seed of the noise, or None for the
        reconstruction; it returns `(1, channels, samples)`.

    Raises:
        CawError: from that function, if the reconstruction is asked for and the scales hold no noise of it.
    """

    def draw(start: int, stop: int, seed: int | None) -> Tensor:
        noise: Noise = below.reconstruction() if seed is None else NoiseSource(seed, below.channels)
        return below.renderer(noise).upsample(rate, start, stop, seconds=seconds)[None]

    return draw
