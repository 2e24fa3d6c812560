"""What a missing band consists of, regenerated from the band below it.

Levels say how loud a band is. Noise of these levels hisses where a voice has harmonics. The band below, flattened and
rectified, has harmonics where there are harmonics, pulses where there are pulses, and noise where there is noise
(Makhoul and Berouti, "High-frequency regeneration in speech coding systems", 1979).
"""

from __future__ import annotations

import torch
from torch import Tensor

from caw_toolkit.lapped_transform import LappedTransform, averaged

#: Spectra are flattened in windows as long as so many bands of the transform, with so many windows over each sample, by
#: their mean power over so many bins and windows.
WINDOW_BANDS, WINDOWS_OVERLAP = 16, 4
SMOOTHED = (5, 3)
#: Share of the coarser band that is taken; resamplers leave little of what is above.
PASSBAND = 0.98
#: Weight of what is not rectified. The short windows of the lapped transform leak, which makes copies of it that are
#: shifted by multiples of the frame rate (spectral translation), and a dip next to the cutoff.
LINEAR_PART = 2.0
#: Coefficients are brought to one level, measured over so many bands and frames around each.
LEVELLED = (3, 5)
#: Powers this far below those of the recording, and below unit level, are taken for silence.
FLOOR = 1e-6


def regenerated(coarse: Tensor, transform: LappedTransform, *, ratio: float, power: float) -> Tensor:
    """Coefficients of about unit level to be shaped into a band.

    Args:
        coarse: the signal below the band, upsampled, `(batch, channels, samples)`.
        transform: analyses the band.
        ratio: rate of the scale over that of the coarser one.
        power: mean square of the recording's coarser signal.

    Returns:
        `(batch, channels, bands, frames)`; zero where the coarser signal is silent.
    """
    flat = _flattened(coarse, WINDOW_BANDS * transform.bands, PASSBAND / ratio, power)
    excitation: Tensor = transform(flat.abs() + LINEAR_PART * flat)
    return excitation * (averaged(excitation.square(), *LEVELLED) + FLOOR).rsqrt()


def receptive_field(bands: int) -> int:
    """Samples that a coefficient of a transform of so many bands depends on."""
    hop_bands = WINDOW_BANDS // WINDOWS_OVERLAP
    return (WINDOW_BANDS + (SMOOTHED[1] - 1) * hop_bands + LEVELLED[1] + 1) * bands


def _flattened(signal: Tensor, window_samples: int, passband: float, power: float) -> Tensor:
    """A signal whose spectrum is level within a share of the whole band, fine structure kept; silent above."""
    hop, window = window_samples // WINDOWS_OVERLAP, torch.hann_window(window_samples, device=signal.device)
    waveforms = signal.flatten(0, 1)
    spectra = torch.stft(waveforms, window_samples, hop, window=window, pad_mode="constant", return_complex=True)
    powers = averaged(spectra.abs().square()[:, None], *SMOOTHED)[:, 0]
    spectra = spectra * (powers + FLOOR * power * window.square().sum()).rsqrt()
    spectra[:, int(passband * spectra.shape[1]) :] = 0
    return torch.istft(spectra, window_samples, hop, window=window, length=signal.shape[-1]).view_as(signal)
