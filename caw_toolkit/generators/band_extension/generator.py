"""Two generators for one scale: holding what the recording has, predicting what it has not.

What the pyramid makes from noise consists of the recording's own material, whose next band is best looked up. External
audio has no counterpart in the recording: the spectral envelope of its next band is better predicted than borrowed, and
the excitation that is shaped by it is better made from the sound below than from noise (source-filter model). The
prediction is an ensemble of a network and of a regression on what the exemplars hold, which needs no training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor

from caw_toolkit.dsp.lapped_transform import smooth
from caw_toolkit.dsp.stereo import mid_side
from caw_toolkit.generators.band_extension.excitation import Excitation
from caw_toolkit.generators.base import Guide, ScaleGenerator, Timing, new_band
from caw_toolkit.generators.envelope import LAPLACIAN, STEP, EnvelopeRegression
from caw_toolkit.generators.exemplar import ExemplarGenerator
from caw_toolkit.generators.gaussian import GaussianGenerator
from caw_toolkit.generators.registry import build_generator

#: Ensemble weight of the regression's log envelope beside that of the network
#: (docs/decisions.md#bandwidth-extension-the-inputs-roll-off-and-an-ensemble).
ENSEMBLE_WEIGHT = 0.6
#: Share of its planned training from which on the network has its full say. Before, it knows of no pauses and is loud
#: in them; the regression is as good from the first second on.
ENOUGH_TRAINING = 0.25
#: Shrinkage: share that is taken off the nepers by which a predicted level exceeds that of the recording's band. Highs
#: that are too loud disturb more than highs that are too quiet (Nilsson and Kleijn, "Avoiding over-estimation in
#: bandwidth extension of telephony speech", 2001).
SHRINKAGE = 0.3
#: Nepers by which quiet levels are raised at most.
RAISED = 0.1
#: Levels, in nepers beside the recording's own, from which on down they are raised, and below which all the way.
QUIET = (-1.0, -3.0)
#: Predictions are means of what is likely, in which formants are flatter than in any one case: deviations of an
#: envelope's levels from their means over the bands around are multiplied with this (global variance: Toda and Tokuda,
#: "A speech parameter generation algorithm considering global variance for HMM-based speech synthesis", 2007).
CONTRAST = 1.8
#: Over so many bands (docs/decisions.md#bandwidth-extension-what-predicted-opinion-punishes).
CONTRAST_BANDS = 5


class BandExtensionGenerator(ScaleGenerator):
    """Exemplars in `forward`; in `extend` an excitation shaped by a predicted spectral envelope.

    Args:
        exemplar: the architecture of an `ExemplarGenerator`, or one.
        gaussian: the architecture of a `GaussianGenerator`, or one.
        trained_share: share of its planned training that the Gaussian has had, from 0 to 1.
    """

    exemplar: ExemplarGenerator
    gaussian: GaussianGenerator
    selects_by_noise = True

    def __init__(
        self,
        exemplar: Mapping[str, Any] | ExemplarGenerator,
        gaussian: Mapping[str, Any] | GaussianGenerator,
        trained_share: float = 1.0,
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
            "trained_share": trained_share,
        }
        self.regression_weight = 1 + (ENSEMBLE_WEIGHT - 1) * min(1.0, trained_share / ENOUGH_TRAINING)
        bands = gaussian.transform.bands
        self.excitation = Excitation(gaussian.transform, exemplar.ratio).to(gaussian.band_level.device)
        self.receptive_field = max(
            exemplar.receptive_field,
            gaussian.receptive_field,
            EnvelopeRegression.receptive_field(bands),
            self.excitation.receptive_field,
        )
        self.total_stride = math.lcm(gaussian.total_stride, STEP * bands, self.excitation.total_stride)
        self._regression: EnvelopeRegression | None = None

    def recording(self) -> Tensor | None:
        return self.exemplar.recording()

    def forward(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        made: Tensor = self.exemplar(noise, coarse)
        return made

    def recompose(self, noise: Tensor, coarse: Tensor | None, guide: Guide) -> Tensor:
        return self.exemplar.recompose(noise, coarse, guide)

    def keep_time(self, noise: Tensor, coarse: Tensor | None, timing: Timing) -> Tensor:
        return self.exemplar.keep_time(noise, coarse, timing)

    def prepare_for_external(self) -> None:
        """Fit the regression, and the phase of the excitation, to the recording that the exemplars hold.

        Model files leave both out: they follow from the recording in a second.
        """
        if self._regression is None or self._regression.device != self.device:
            self.fit()

    def fit(self) -> None:
        """Learn the spectral envelope of the band and the phase of its excitation from the recording."""
        real, coarse, usable = self.exemplar.real, self.exemplar.coarse, self.exemplar.usable
        bands = self.gaussian.transform.bands
        # Coefficients of unit level in every row, as the network predicts them.
        band = self.gaussian.analyse(new_band(real, coarse)[None])[0] / self.gaussian.band_level
        levels = self.gaussian.band_level.reshape(-1, bands)
        self.excitation.fit(band.reshape(-1, bands, band.shape[-1]), mid_side(coarse[None])[0], usable, levels)
        self._regression = EnvelopeRegression(
            coarse.sum(0), band, usable, hop=bands, ratio=self.exemplar.ratio, kernel=LAPLACIAN
        )

    def extend(self, noise: Tensor, coarse: Tensor | None, ratio: float | None = None) -> Tensor:
        if coarse is None:
            raise ValueError("audio can be extended only from a coarser signal")
        if self._regression is None:
            raise RuntimeError("prepare_for_external() has to be called before extend()")
        regression = self._regression
        mean, log_std = self.gaussian.predict(self.gaussian.analyse(coarse))
        # An ensemble of two: the regression sees less than the network, and errs in other ways.
        regressed = torch.stack([regression.predict(each.sum(0), log_std.shape[-1]) for each in coarse])
        log_std = torch.lerp(log_std, regressed, self.regression_weight)
        quiet = ((QUIET[0] - log_std) / (QUIET[0] - QUIET[1])).clamp(0, 1)
        envelope = self._sharpen(log_std - SHRINKAGE * log_std.clamp_min(0) + RAISED * quiet)
        excitation = self.excitation(mid_side(coarse), self.gaussian.coarse_level.square().mean())
        return self.gaussian.add_band(coarse, mean, envelope, excitation.flatten(1, 2))

    def _sharpen(self, envelope: Tensor) -> Tensor:
        """An envelope, `(batch, channels * bands, frames)`, sharpened in the bands that are added."""
        first = self.excitation.first_band
        levels = self.gaussian.band_level.reshape(-1, self.gaussian.transform.bands)
        below, added = envelope.reshape(len(envelope), *levels.shape, -1).tensor_split([first], dim=2)
        return torch.cat([below, sharpen(added, levels[:, first:])], dim=2).flatten(1, 2)


def sharpen(envelope: Tensor, levels: Tensor) -> Tensor:
    """A log spectral envelope with clearer formants and the same power in every frame.

    Args:
        envelope: relative to the levels of the recording's bands, `(batch, channels, bands, frames)`.
        levels: of the recording's bands, `(channels, bands)`.

    Returns:
        of the envelope's shape.
    """
    sharp = envelope + (CONTRAST - 1) * (envelope - smooth(envelope, bands=CONTRAST_BANDS, frames=1))
    # Deviations in nepers that average to zero add power: without this, all frames would be louder.
    loudness = 2 * levels.log()[None, :, :, None]
    gained = (2 * sharp + loudness).logsumexp(2, keepdim=True) - (2 * envelope + loudness).logsumexp(2, keepdim=True)
    return sharp - gained / 2
