"""Two generators for one scale: remembering what the recording holds, predicting what it does not.

What the pyramid makes from noise consists of the recording's own material, whose next band is best looked up. Other
audio that enters the pyramid has no counterpart in the recording: the levels of its next band are better predicted than
borrowed, and what has these levels is better made from the sound below than from noise. What the exemplars remember
gives the prediction a second opinion, which needs no training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor

from caw_toolkit.generators.band_extension.envelope import STEP, EnvelopeRegression
from caw_toolkit.generators.band_extension.excitation import FineStructure
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.generators.exemplar import ExemplarGenerator
from caw_toolkit.generators.gaussian import GaussianGenerator, rotated
from caw_toolkit.generators.registry import build_generator

#: Weight of the regression's log levels beside those of the network.
SECOND_OPINION = 0.6
#: Share that is taken off the nepers by which a predicted level exceeds that of the recording's band: highs that are
#: too loud disturb more than highs that are too quiet (Nilsson and Kleijn, "Avoiding over-estimation in bandwidth
#: extension of telephony speech", 2001).
RESTRAINT = 0.3


class ExemplarOrGaussianGenerator(ScaleGenerator):
    """Exemplars in `forward`; in `extend` fine structure at the levels of a conditional Gaussian and a regression.

    Args:
        exemplar: the architecture of an `ExemplarGenerator`, or one.
        gaussian: the architecture of a `GaussianGenerator`, or one.
    """

    exemplar: ExemplarGenerator
    gaussian: GaussianGenerator

    def __init__(
        self, exemplar: Mapping[str, Any] | ExemplarGenerator, gaussian: Mapping[str, Any] | GaussianGenerator
    ) -> None:
        super().__init__()
        if isinstance(exemplar, Mapping):
            exemplar = cast(ExemplarGenerator, build_generator(exemplar))
        if isinstance(gaussian, Mapping):
            gaussian = cast(GaussianGenerator, build_generator(gaussian))
        self.exemplar, self.gaussian = exemplar, gaussian
        self.architecture: dict[str, Any] = {
            "type": "exemplar_or_gaussian",
            "exemplar": exemplar.architecture,
            "gaussian": gaussian.architecture,
        }
        bands = gaussian.transform.bands
        self.fine_structure = FineStructure(gaussian.transform, exemplar.ratio).to(gaussian.band_level.device)
        self.receptive_field = max(
            exemplar.receptive_field,
            gaussian.receptive_field,
            EnvelopeRegression.receptive_field(bands),
            self.fine_structure.receptive_field,
        )
        self.granule = math.lcm(gaussian.granule, STEP * bands, self.fine_structure.granule)
        self._regression: EnvelopeRegression | None = None

    def recording(self) -> Tensor | None:
        return self.exemplar.recording()

    def forward(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        made: Tensor = self.exemplar(noise, coarse)
        return made

    def extend(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        if coarse is None:
            raise ValueError("audio can be extended only from a coarser signal")
        mean, log_std = self.gaussian.predict(self.gaussian.analyse(coarse))
        regression = self._learnt(coarse.device)
        second = torch.stack([regression.predict(each.sum(0), log_std.shape[-1]) for each in coarse])
        log_std = torch.lerp(log_std, second, SECOND_OPINION)
        log_std = log_std - RESTRAINT * log_std.clamp_min(0)
        fine = self.fine_structure(rotated(coarse), self.gaussian.coarse_level.square().mean())
        return self.gaussian.with_band(coarse, mean, log_std, fine.flatten(1, 2))

    def _learnt(self, device: torch.device) -> EnvelopeRegression:
        """What is learnt from what the exemplars remember, when it is first needed."""
        if self._regression is None or self._regression.device != device:
            real, coarse, usable = self.exemplar.real, self.exemplar.coarse, self.exemplar.usable
            bands = self.gaussian.transform.bands
            band = self.gaussian.analyse((real - coarse)[None])[0] / self.gaussian.band_level
            self.fine_structure.fit(band.reshape(-1, bands, band.shape[-1]), rotated(coarse[None])[0], usable)
            self._regression = EnvelopeRegression(coarse.sum(0), band, usable, hop=bands, ratio=self.exemplar.ratio)
        return self._regression
