"""Two generators for one scale: remembering what the recording holds, predicting what it does not.

What the pyramid makes from noise consists of the recording's own material, whose next band is best looked up. Other
audio that enters the pyramid has no counterpart in the recording: its next band is better predicted than borrowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from caw_toolkit.exemplar import ExemplarGenerator
from caw_toolkit.gaussian import GaussianGenerator
from caw_toolkit.generators import build_generator
from caw_toolkit.objectives.base import ScaleGenerator


class ExemplarOrGaussianGenerator(ScaleGenerator):
    """Exemplars in `forward`, a conditional Gaussian in `extend`.

    Args:
        exemplar: the architecture of an `ExemplarGenerator`, or one.
        gaussian: the architecture of a `GaussianGenerator`, or one.
    """

    def __init__(
        self, exemplar: Mapping[str, Any] | ExemplarGenerator, gaussian: Mapping[str, Any] | GaussianGenerator
    ) -> None:
        super().__init__()
        self.exemplar = build_generator(exemplar) if isinstance(exemplar, Mapping) else exemplar
        self.gaussian = build_generator(gaussian) if isinstance(gaussian, Mapping) else gaussian
        self.architecture: dict[str, Any] = {
            "type": "exemplar_or_gaussian",
            "exemplar": self.exemplar.architecture,
            "gaussian": self.gaussian.architecture,
        }
        self.receptive_field = max(self.exemplar.receptive_field, self.gaussian.receptive_field)
        self.granule = self.gaussian.granule

    def recording(self) -> Tensor | None:
        return self.exemplar.recording()

    def forward(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        made: Tensor = self.exemplar(noise, coarse)
        return made

    def extend(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        made: Tensor = self.gaussian(noise, coarse)
        return made
