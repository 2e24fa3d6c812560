"""What a missing band consists of, made from the band below it.

Levels say how loud a band is. Noise of these levels hisses where a voice has harmonics. The band below, flattened and
rectified, has harmonics where there are harmonics, pulses where there are pulses, and noise where there is noise
(Makhoul and Berouti, "High-frequency regeneration in speech coding systems", 1979).
"""

from __future__ import annotations

from torch import Tensor, nn

from caw_toolkit.lapped_transform import LappedTransform, averaged

#: The band below is flattened in a transform of so many times as many bands.
FINER = 8
#: It is divided by its mean power over so many of those bands and frames.
FLATTENED_BANDS, FLATTENED_FRAMES = 5, 3
#: Share of the coarser signal's band that is taken; resamplers leave little of what is above.
PASSBAND = 0.98
#: Weight of what is not rectified beside what is. The short windows of the lapped transform leak, which makes copies of
#: it that are shifted by multiples of the frame rate (spectral translation).
LINEAR_PART = 2.0
#: Coefficients are divided by their mean power over so many bands and frames. Next to the cutoff that includes the loud
#: linear part below it, and leaves a dip of some decibels above.
LEVELLED_BANDS, LEVELLED_FRAMES = 3, 5
#: What they are multiplied with: chosen for the log-spectral distance, as levels are predicted for noise.
GAIN = 1.1
#: Powers so much below that of the recording, or of what has been flattened, are silence.
FLOOR = 1e-6


class FineStructure(nn.Module):
    """Makes coefficients of about unit level, to be shaped into a band.

    Args:
        transform: of the band.
        ratio: rate of the scale over that of the coarser one, rounded up.
    """

    def __init__(self, transform: LappedTransform, ratio: int) -> None:
        super().__init__()
        self.transform = transform
        self.finer = LappedTransform(FINER * transform.bands)
        self.passband = int(PASSBAND * self.finer.bands / ratio)
        self.granule = self.finer.bands
        self.receptive_field = (FLATTENED_FRAMES + 2) * self.finer.bands + (LEVELLED_FRAMES + 2) * transform.bands

    def forward(self, coarse: Tensor, power: Tensor) -> Tensor:
        """Coefficients above a coarser signal; zero where it is silent.

        Args:
            coarse: upsampled to the rate of the scale.
            power: mean square of the recording's coarser signal, a scalar.

        Shape:
            `(batch, channels, samples)` -> `(batch, channels, bands, frames)`.
        """
        flat = self._flattened(coarse, power)
        excitation: Tensor = self.transform(flat.abs() + LINEAR_PART * flat)
        return GAIN * _levelled(excitation, LEVELLED_BANDS, LEVELLED_FRAMES, FLOOR)

    def _flattened(self, coarse: Tensor, power: Tensor) -> Tensor:
        """The signal with a level spectrum in its passband, and nothing above; its fine structure stays."""
        coefficients = _levelled(self.finer(coarse), FLATTENED_BANDS, FLATTENED_FRAMES, FLOOR * power)
        coefficients[:, :, self.passband :] = 0
        waveform: Tensor = self.finer.inverse(coefficients)
        return waveform[..., : coarse.shape[-1]]


def _levelled(coefficients: Tensor, bands: int, frames: int, floor: float | Tensor) -> Tensor:
    """Coefficients divided by the root of their mean power around each."""
    return coefficients * (averaged(coefficients.square(), bands=bands, frames=frames) + floor).rsqrt()
