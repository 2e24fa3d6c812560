"""The levels of exemplars that follow other audio than the recording: those that the recording would have there.

A segment that is most similar below a band need not be as loud in it. A regression learns how loud the recording is
above a coarser signal, in frames much shorter than the segments, and the segments are brought to that.
"""

from __future__ import annotations

import torch
from torch import Tensor

from caw_toolkit.dsp.lapped_transform import LappedTransform, smooth
from caw_toolkit.dsp.stereo import mid_side
from caw_toolkit.generators.base import new_band
from caw_toolkit.generators.envelope import STEP, EnvelopeRegression

#: Frames of the regression in a hop of the segments.
FRAMES_A_HOP = 3.5
#: The level of a segment is its mean power over so many bands and frames of the transform.
LEVEL_BANDS, LEVEL_FRAMES = 3, 5
#: Segments are turned up or down by at most so much.
MOST_DB = 20.0
#: Share of the coarser signal's band that resampling leaves as it is.
PASSBAND = 0.95
#: Bands are taken to have at least this share of the loudest one's level.
FLOOR = 1e-3
#: Power of nothing.
SILENCE = 1e-14


class ExemplarLevels:
    """Brings what exemplars add to a coarser signal to the levels that the recording would have.

    Args:
        real: the recording, `(channels, samples)`.
        coarse: its coarser version, of the same shape.
        usable: samples that may be learnt from, `(samples,)`.
        hop: of the segments, samples.
        ratio: rate of the scale over that of the coarser signal.
    """

    def __init__(self, real: Tensor, coarse: Tensor, usable: Tensor, *, hop: int, ratio: float) -> None:
        bands = frame_samples(hop) // STEP
        self._cutoff = PASSBAND / ratio
        self._first_band = int(bands * self._cutoff)
        self._transform = LappedTransform(bands).to(real.device)
        band = self._transform(mid_side(new_band(real, coarse)[None])).flatten(1, 2)[0]
        level = band.square().mean(-1, keepdim=True).sqrt()
        self._level = torch.maximum(level, level.max() * FLOOR).clamp_min(SILENCE)
        self._regression = EnvelopeRegression(coarse.sum(0), band / self._level, usable, hop=bands, ratio=ratio)

    def apply(self, made: Tensor, coarse: Tensor) -> Tensor:
        """The coarser signal with what is above it in `made`, at the levels expected there; `(channels, samples)`."""
        spectrum = torch.fft.rfft(made)
        spectrum[:, : round(self._cutoff * spectrum.shape[-1])] = 0
        coefficients = self._transform(mid_side(torch.fft.irfft(spectrum, made.shape[-1])[None]))
        expected = self._regression.predict(coarse.sum(0), coefficients.shape[-1]).exp() * self._level
        highs = coefficients[:, :, self._first_band :]
        level = (smooth(highs.square(), bands=LEVEL_BANDS, frames=LEVEL_FRAMES) + SILENCE).sqrt()
        most = 10 ** (MOST_DB / 20)
        gain = expected.reshape(coefficients.shape)[:, :, self._first_band :] / level
        coefficients = torch.cat(
            [torch.zeros_like(coefficients[:, :, : self._first_band]), highs * gain.clamp(1 / most, most)], dim=2
        )
        shaped: Tensor = mid_side(self._transform.inverse(coefficients))
        return coarse + shaped[0, :, : coarse.shape[-1]]


def frame_samples(hop: int) -> int:
    """Samples in a frame of the regression.

    Two hops are a whole number of them if that can be, so that blocks of audio, which begin with whole seconds, agree.

    >>> frame_samples(1470), frame_samples(500)
    (420, 100)
    """
    wanted = hop / FRAMES_A_HOP
    fitting = [size for size in range(STEP, 2 * hop + 1, STEP) if 2 * hop % size == 0]
    nearest = min(fitting, key=lambda size: abs(size - wanted), default=0)
    return nearest if 0.5 < nearest / wanted < 2 else STEP * max(1, round(wanted / STEP))
