"""The interface of generators: what every scale of a pyramid is made by (paper, equation 2)."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from caw_toolkit.generators.grains import Scattering
from caw_toolkit.generators.guide import Guide
from caw_toolkit.generators.timing import Timing

#: For plugins that add a generator.
__all__ = ["Filter", "Guide", "ScaleGenerator", "Scattering", "Timing", "new_band"]

#: Makes a signal of another one, of any shape that ends with the samples.
Filter = Callable[[Tensor], Tensor]


class ScaleGenerator(nn.Module, ABC):
    """Generator of one scale: a deterministic function of noise and the coarser signal.

    A subclass sets `architecture` and `receptive_field` when it is made, and implements `forward`. Whatever a trained
    copy needs beside `architecture` belongs into its `state_dict`: parameters and buffers.

    Attributes:
        architecture: plain types only, with a "type" key: enough for `build_generator` to make an untrained copy.
        receptive_field: samples of the input that one output sample depends on, at this scale's rate. Half of it is
            rendered as context on each side: a reach to one side only counts twice.
        total_stride: samples of the grid on which the network's strides lie: stretches that begin on it are computed
            alike.
        can_edit: whether signals can be led back towards noise, so that there are `revise` and `fill`.
        can_scatter: whether it makes textures of grains of the recording, so that there is `scatter`.
        can_renoise: whether it knows the noise that it maps to a signal, so that there is `renoise`.
        memorises_edges: whether it hears where the recording begins and ends, and learns how.
        selects_by_noise: whether its noise does no more than decide between segments that fit about equally well, so
            that there may be any amount of it.
        extends_any_band: whether `extend` goes by all that the coarser signal has, and takes `ratio`.
        noise_gain_for_given_audio: factor of the noise where the scale follows audio that is given, and should be like
            it, instead of what the coarser scales have made.

    Example:
        >>> class Hiss(ScaleGenerator):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.architecture, self.receptive_field = {"type": "hiss"}, 1
        ...
        ...     def forward(self, noise, coarse):
        ...         return noise if coarse is None else coarse + noise
        >>> Hiss()(torch.zeros(1, 1, 3), torch.ones(1, 1, 3))
        tensor([[[1., 1., 1.]]])
    """

    architecture: dict[str, Any]
    receptive_field: int
    total_stride: int = 1
    can_edit: bool = False
    can_scatter: bool = False
    can_renoise: bool = False
    memorises_edges: bool = False
    selects_by_noise: bool = False
    extends_any_band: bool = False
    noise_gain_for_given_audio: float = 1.0

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        tensor = next(itertools.chain(self.parameters(), self.buffers()), None)
        return torch.device("cpu") if tensor is None else tensor.device

    @abstractmethod
    def forward(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        """Generate the scale's signal.

        Args:
            noise: white Gaussian noise, already of the scale's standard deviation.
            coarse: coarser signal upsampled to this scale's rate; None at the coarsest scale.

        Shape:
            noise, coarse and the result: `(batch, channels, samples)`.
        """

    def prepare_for_external(self) -> None:
        """Called before `extend`: compute what that needs and a model file does not hold; once is enough."""

    def extend(self, noise: Tensor, coarse: Tensor | None, ratio: float | None = None) -> Tensor:
        """As `forward`, where the coarser signal is other audio than the recording or what is made from it.

        Args:
            noise: as in `forward`; it may go unused.
            coarse: as in `forward`.
            ratio: the scale's rate over that of the coarser signal before it was upsampled, where it may be another one
                than that of the scale below; only if `extends_any_band`.
        """
        made: Tensor = self(noise, coarse)
        return made

    def recompose(self, noise: Tensor, coarse: Tensor | None, guide: Guide) -> Tensor:
        """As `forward`, where the coarser signal is of audio that a variation is made of. The guide may go unused."""
        made: Tensor = self(noise, coarse)
        return made

    def keep_time(self, noise: Tensor, coarse: Tensor | None, timing: Timing) -> Tensor:
        """As `forward`, where what is made is to keep to the beat of the recording. The timing may go unused."""
        made: Tensor = self(noise, coarse)
        return made

    def scatter(self, scattering: Scattering, rate: int, start: int, stop: int) -> Tensor:
        """Make a texture of grains of the recording, without a coarser signal (if `can_scatter`).

        Args:
            scattering: where they come from.
            rate: of the scale, Hz.
            start: first sample of the take that is to be made; may be negative.
            stop: one past the last.

        Returns:
            `(1, channels, stop - start)`.
        """
        raise NotImplementedError(f"{type(self).__name__} makes no grains")

    def revise(self, signal: Tensor, noise: Tensor, strength: float, keep: Filter | None = None) -> Tensor:
        """Lead a signal of the coarsest scale back towards noise by `strength`, and forth again (if `can_edit`).

        Args:
            signal: given, `(batch, channels, samples)`.
            noise: as in `forward`.
            strength: from 0, which gives the signal back, to 1, which generates from the noise alone.
            keep: a linear filter; what it passes is kept of the signal.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot edit")

    def fill(self, signal: Tensor, known: Tensor, noise: Tensor, strength: float = 1.0) -> Tensor:
        """Complete a signal of the coarsest scale where it is not known (if `can_edit`).

        Args:
            signal: with an initial guess in place of what is missing; anything, if `strength` is 1.
            known: true where `signal` is known, `(samples,)`.
            noise: as in `forward`.
            strength: how far the guess is led back towards noise first, as in `revise`.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot edit")

    def renoise(self, signal: Tensor, noise: Tensor) -> Tensor:
        """Noise that is mapped to about a signal of the coarsest scale, and is distributed as noise is (`can_renoise`).

        Args:
            signal: `(batch, channels, samples)`.
            noise: white, of the same shape: what the signal does not decide.

        Returns:
            The noise, of the same shape; samples may be cut to whole frames.
        """
        raise NotImplementedError(f"{type(self).__name__} knows no noise of a signal")

    def recording(self) -> Tensor | None:
        """The scale's training signal, `(channels, samples)`, in a generator that holds it."""
        return None

    def folded(self) -> ScaleGenerator:
        """The same function in its fastest form for generation (normalisation folded into the convolutions)."""
        return self


def new_band(real: Tensor, coarse: Tensor | None) -> Tensor:
    """What a scale adds to the upsampled coarser signal: all of it at the coarsest scale, where that is None.

    >>> new_band(torch.tensor([3.0, 4.0]), torch.tensor([1.0, 1.0]))
    tensor([2., 3.])
    """
    return real if coarse is None else real - coarse
