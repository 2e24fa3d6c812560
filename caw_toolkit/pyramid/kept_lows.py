"""How low the band is of given audio that is kept: it follows the audio from moment to moment.

Below 1 kHz most of the power is to be the audio's own, or what is made would not follow it there. Of the whole power
only about half, or what is made would be a copy. Both ask for other frequencies of a bass, a voice and an orchestra,
and of a vowel and a consonant (docs/decisions.md#the-lows-of-variations).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from caw_toolkit.dsp.spectra import fast_length
from caw_toolkit.generators.base import Filter
from caw_toolkit.generators.guide import FRAMES_A_SECOND

#: Up to here what is made has to follow the audio.
FOLLOWED_BELOW_HZ = 1000.0
#: Share of the power up to there that is kept, if that is not too much of the whole.
FOLLOWED_SHARE = 0.6
#: What is below is kept however weak it is, if that is not too much of the whole.
LEAST_KEPT_HZ = 350.0
#: A larger share of the whole power is too much.
MOST_SHARE = 0.48
#: A bass, which is what is below, is never too much: all of it is kept.
BASS_BELOW_HZ = 200.0
#: Where a bass is almost alone, it is so much beyond its share of the whole power that is too much.
BEYOND_BASS = 0.1
#: Windows of the spectra, about.
WINDOW_SECONDS = 0.25
#: What powers are averaged over.
POWER_SECONDS = 0.5
#: What the frequency is averaged over.
SMOOTHING_SECONDS = 0.28
#: Share of the filters' edge frequency over which they fall, on each side.
TRANSITION = 0.15


def kept_below(signal: Tensor, rate: int, share: float = 1.0) -> Tensor:
    """The frequency in Hz below which audio is kept at each moment.

    Args:
        signal: `(channels, samples)`.
        rate: Hz.
        share: of the power that is kept, to be kept: less ends at a lower frequency, of a bass lower than of a voice.

    Returns:
        `(frames,)`, with `FRAMES_A_SECOND`.

    Example:
        >>> time = torch.arange(8000) / 4000
        >>> bass, voice = (torch.sin(2 * math.pi * hertz * time)[None] for hertz in (60, 250))
        >>> [round(float(kept_below(tone, 4000)[32]), -1) for tone in (bass, voice)]
        [350.0, 250.0]
    """
    powers = _CumulatedPowers.of(signal, rate)
    enough = powers.reach(FOLLOWED_SHARE * powers.below(FOLLOWED_BELOW_HZ)).clamp_min(LEAST_KEPT_HZ)
    whole, bass = powers.power[:, -1], powers.below(BASS_BELOW_HZ)
    most_share = max(MOST_SHARE, BEYOND_BASS + float(bass.sum() / (whole.sum() + 1e-20)))
    most = powers.reach(most_share * whole).clamp_min(BASS_BELOW_HZ)
    hertz = torch.minimum(enough, most)
    if share < 1:
        hertz = torch.minimum(hertz, powers.reach(share * powers.below(enough)))
    reach = round(SMOOTHING_SECONDS * FRAMES_A_SECOND / 2)
    padded = functional.pad(hertz[None, None], (reach, reach), mode="replicate")
    return functional.avg_pool1d(padded, 2 * reach + 1, 1)[0, 0]


def low_pass(rate: int, hertz: float | Tensor) -> Filter | None:
    """A filter of zero phase that passes what is below a frequency; None if that is 0.

    Args:
        rate: of the signals to filter, Hz.
        hertz: the frequency, or one for each moment, as `kept_below` gives it.

    Example:
        >>> apply = low_pass(4000, torch.full((33,), 300.0))
        >>> apply(torch.randn(2, 4000)).shape
        torch.Size([2, 4000])
    """
    if isinstance(hertz, Tensor):
        return _moving_low_pass(rate, hertz)
    if hertz <= 0:
        return None

    def apply(signal: Tensor) -> Tensor:
        samples = signal.shape[-1]
        length = fast_length(samples + round(2 * rate / (TRANSITION * hertz)))
        frequencies = torch.fft.rfftfreq(length, 1 / rate, device=signal.device)
        gain = ((1 + TRANSITION - frequencies / hertz) / (2 * TRANSITION)).clamp(0, 1)
        filtered: Tensor = torch.fft.irfft(torch.fft.rfft(signal, length) * gain, length)[..., :samples]
        return filtered

    return apply


def _moving_low_pass(rate: int, hertz: Tensor) -> Filter:
    size = _window_samples(rate)
    hop = size // 4

    def apply(signal: Tensor) -> Tensor:
        window = torch.hann_window(size, device=signal.device)
        channels = signal.reshape(-1, signal.shape[-1])
        spectra = torch.stft(channels, size, hop, window=window, pad_mode="constant", return_complex=True)
        frames = (torch.arange(spectra.shape[-1]) * hop * FRAMES_A_SECOND / rate).round().long()
        edges = hertz[frames.clamp_max(len(hertz) - 1)].clamp_min(1e-3).to(signal.device)
        frequencies = torch.fft.rfftfreq(size, 1 / rate, device=signal.device)
        gain = ((1 + TRANSITION - frequencies[:, None] / edges) / (2 * TRANSITION)).clamp(0, 1)
        filtered = torch.istft(spectra * gain, size, hop, window=window, length=signal.shape[-1])
        return filtered.reshape(signal.shape)

    return apply


@dataclass(frozen=True)
class _CumulatedPowers:
    """Powers of moments below each frequency.

    Attributes:
        power: `(frames, frequencies)`.
        step: from frequency to frequency, Hz.
    """

    power: Tensor
    step: float

    @classmethod
    def of(cls, signal: Tensor, rate: int) -> _CumulatedPowers:
        power = torch.stack([magnitudes(each, rate).square() for each in signal]).sum(0)
        reach = round(POWER_SECONDS * FRAMES_A_SECOND / 2)
        window = torch.hann_window(2 * reach + 3, periodic=False)[1:-1]
        averaged = functional.conv1d(power.T[:, None], (window / window.sum())[None, None], padding=reach)
        return cls(averaged[:, 0].cumsum(0).T.contiguous(), rate / _window_samples(rate))

    def below(self, hertz: float | Tensor) -> Tensor:
        """The power below a frequency, `(frames,)`."""
        position = torch.as_tensor(hertz / self.step).expand(len(self.power)).clamp_max(self.power.shape[1] - 1)
        left = position.long().clamp_max(self.power.shape[1] - 2)[:, None]
        low, high = (self.power.gather(1, bins)[:, 0] for bins in (left, left + 1))
        return low + (high - low) * (position - left[:, 0])

    def reach(self, power: Tensor) -> Tensor:
        """The lowest frequency in Hz below which there is so much, `(frames,)`."""
        right = torch.searchsorted(self.power, power[:, None].contiguous()).clamp(1, self.power.shape[1] - 1)
        low, high = (self.power.gather(1, bins)[:, 0] for bins in (right - 1, right))
        return (right[:, 0] - 1 + ((power - low) / (high - low + 1e-20)).clamp(0, 1)) * self.step


def magnitudes(signal: Tensor, rate: int) -> Tensor:
    """Of the spectra around each of `FRAMES_A_SECOND`, from the first sample to beyond the last.

    Args:
        signal: `(samples,)`.
        rate: Hz.

    Returns:
        `(frames, size // 2 + 1)` of windows of `size` samples, about a quarter of a second.
    """
    size = _window_samples(rate)
    starts = (torch.arange(frame_count(len(signal), rate)) * rate / FRAMES_A_SECOND).round().long()
    padded = functional.pad(signal.cpu(), (size // 2, size + rate)).unfold(0, size, 1)
    window = torch.hann_window(size)
    spectra = [torch.fft.rfft(padded[some] * window).abs() for some in torch.split(starts, FRAMES_A_SECOND)]
    return torch.cat(spectra)


def frame_count(samples: int, rate: int) -> int:
    """How many of `FRAMES_A_SECOND` a signal takes."""
    return math.ceil(samples / rate * FRAMES_A_SECOND) + 1


def _window_samples(rate: int) -> int:
    return int(2 ** round(math.log2(WINDOW_SECONDS * rate)))
