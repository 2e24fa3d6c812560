"""The interface of generators: what every scale of a pyramid is made by (paper, equation 2)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn


class ScaleGenerator(nn.Module, ABC):
    """Generator of one scale: a deterministic function of noise and the coarser signal (paper, equation 2)."""

    #: Plain types only, with a "type" key: enough for `build_generator` to make an untrained copy.
    architecture: dict[str, Any]

    #: Samples of the input that one output sample depends on, at this scale's rate.
    receptive_field: int

    #: Samples of the grid on which the network's strides lie: stretches that begin on it are computed alike.
    granule: int = 1

    @abstractmethod
    def forward(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        """Generate the scale's signal.

        Args:
            noise: white Gaussian noise, already of the scale's standard deviation.
            coarse: coarser signal upsampled to this scale's rate; None at the coarsest scale.

        Shape:
            noise, coarse and the result: `(batch, channels, samples)`.
        """

    def extend(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        """As `forward`, where the coarser signal is other audio than the recording or what is made from it.

        The noise may go unused.
        """
        made: Tensor = self(noise, coarse)
        return made

    def recording(self) -> Tensor | None:
        """The scale's training signal, `(channels, samples)`, in a generator that remembers it."""
        return None

    def folded(self) -> ScaleGenerator:
        """The same function in its fastest form for generation (normalisation folded into the convolutions)."""
        return self
