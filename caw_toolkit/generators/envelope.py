"""The spectral envelope of a missing band by kernel ridge regression (Saunders, Gammerman and Vovk, 1998).

For every frame of the coarser signal, the envelope above it is a mean over those of the recording's frames, weighted by
how near the spectra below are. It sees less than a network does and errs in other ways: the two are better together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from caw_toolkit.errors import CawError

#: Frames of the coefficients in one frame of the regression.
STEP = 4
#: Bands of the spectra that are compared.
COMPARED_BANDS = 24
#: Frames of context on each side.
CONTEXT_FRAMES = 3
#: Width of the Laplacian kernel, in median distances: so wide, it is about linear in the distance.
LAPLACIAN_WIDTH = 10.0
#: Least square of what counts as near, for recordings that are silent more than half of the time.
LEAST_NEAR = 1.0
#: Powers are raised by this share of their mean before their logarithm is taken.
FLOOR = 1e-4
#: Frames of the recording that are used at most, evenly spaced: the cost grows with their third power.
MOST_FRAMES = 4096


@dataclass(frozen=True)
class Kernel:
    """How much frames count for each other.

    Attributes:
        weigh: weights of frames, 1 for the same one, from distances and the square of what counts as near.
        ridge: added to the diagonal of the kernel matrix.
    """

    weigh: Callable[[Tensor, Tensor], Tensor]
    ridge: float


def _gaussian(distances: Tensor, near: Tensor) -> Tensor:
    return torch.exp(-distances.square() / near)


def _laplacian(distances: Tensor, near: Tensor) -> Tensor:
    return torch.exp(distances * (-near.rsqrt() / LAPLACIAN_WIDTH))


#: Frames that are unlike all of the recording's get their mean.
GAUSSIAN = Kernel(_gaussian, ridge=0.3)
#: Frames that are unlike all of the recording's still get what the nearest have, which is better for speech
#: (docs/decisions.md#bandwidth-extension-what-predicted-opinion-punishes).
LAPLACIAN = Kernel(_laplacian, ridge=0.01)


class EnvelopeRegression:
    """Predicts the log spectral envelope of coefficients from a coarser signal.

    Args:
        coarse: the recording's coarser signal, upsampled, `(samples,)`.
        coefficients: of the band above it by a lapped transform, `(rows, frames)`.
        usable: whether the regression may learn from the surroundings of a sample, `(samples,)`.
        hop: samples from one frame of the transform to the next.
        ratio: rate of the scale over that of the coarser one.
        kernel: `GAUSSIAN` or `LAPLACIAN`.
    """

    def __init__(
        self,
        coarse: Tensor,
        coefficients: Tensor,
        usable: Tensor,
        *,
        hop: int,
        ratio: float,
        kernel: Kernel = GAUSSIAN,
    ) -> None:
        self._hop = STEP * hop
        self._kernel = kernel
        self._ratio = ratio
        envelope = _log_envelope(coefficients)
        power = self._powers(coarse, len(envelope))
        self._floor = FLOOR * power.mean() + 1e-20
        # Frames at joins and gaps say nothing; of the others, at most MOST_FRAMES are kept.
        learnt = torch.arange(len(envelope), device=coarse.device)
        learnt = learnt[usable[(learnt * self._hop).clamp(max=len(usable) - 1)]]
        if not len(learnt):
            raise CawError("the recording is too short to learn the spectral envelope of its highs from")
        learnt = learnt[:: -(-len(learnt) // MOST_FRAMES)]
        self._features = self._describe(power)[learnt]
        distances = torch.cdist(self._features, self._features)
        # The median distance makes half of the frames count as near, whatever the features' scale.
        self._near = distances[::8].square().median().clamp_min(LEAST_NEAR)
        self._mean = envelope[learnt].mean(0)
        weights = kernel.weigh(distances, self._near).cpu()  # not all devices have the solver
        weights.diagonal().add_(kernel.ridge)
        targets = (envelope[learnt] - self._mean).cpu()
        self._weights = torch.cholesky_solve(targets, torch.linalg.cholesky(weights)).to(coarse.device)

    @staticmethod
    def receptive_field(hop: int) -> int:
        """Samples that a prediction depends on, with `hop` samples from frame to frame of the transform."""
        return (2 * CONTEXT_FRAMES + 3) * STEP * hop

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self._weights.device

    def predict(self, coarse: Tensor, frames: int) -> Tensor:
        """The log envelope of the coefficients above a coarser signal, `(samples,)` -> `(rows, frames)`."""
        features = self._describe(self._powers(coarse, (frames - 1) // STEP + 2))
        weights = self._kernel.weigh(torch.cdist(features, self._features), self._near)
        envelope = weights @ self._weights + self._mean
        # One frame of the regression covers several of the transform: what lies between is interpolated.
        positions = torch.arange(frames, device=envelope.device) / STEP
        before = positions.long()
        return torch.lerp(envelope[before], envelope[before + 1], (positions - before)[:, None]).T

    def _powers(self, coarse: Tensor, count: int) -> Tensor:
        """Powers of the coarser band around the first frames, `(count, COMPARED_BANDS)`."""
        padded = functional.pad(coarse, (0, max(0, count * self._hop - len(coarse))))
        size = 2 * self._hop
        window = torch.hann_window(size, device=coarse.device)
        spectrum = torch.stft(padded, size, self._hop, window=window, pad_mode="constant", return_complex=True)
        bins = spectrum.abs().square()[: int(size / 2 / self._ratio), :count].T
        return functional.adaptive_avg_pool1d(bins, COMPARED_BANDS)

    def _describe(self, powers: Tensor) -> Tensor:
        """Log powers with those of the frames around, `(frames, features)`."""
        logs = (powers + self._floor).log()
        padded = functional.pad(logs.T[None], (CONTEXT_FRAMES, CONTEXT_FRAMES), mode="replicate")[0]
        return padded.unfold(1, 2 * CONTEXT_FRAMES + 1, 1).permute(1, 0, 2).flatten(1)


def _log_envelope(coefficients: Tensor) -> Tensor:
    """Logarithms of the root mean squares around every `STEP`-th frame, `(frames, rows)`."""
    padded = functional.pad(coefficients.square()[None], (STEP, STEP), mode="replicate")
    return (functional.avg_pool1d(padded, 2 * STEP + 1, STEP)[0].T + 1e-7).log() / 2
