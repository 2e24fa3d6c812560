"""How a recording's own band fades out below its cutoff: the response of the filter that kept aliases away.

A model knows its bands at full level. Where a filter has attenuated the recording mildly, that is undone; where it has
left little, generated content takes over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from caw_toolkit import Array, CawError, PyramidModel, read_audio
from caw_toolkit.dsp.spectra import windowed_frames

Spectrum = npt.NDArray[np.floating[Any]]

#: Attenuation in dB that is undone at most; beyond it, little but aliases and the noise of 16 bits is left.
MOST_UNDONE_DB = 20.0
#: A smaller fall than this below the cutoff is the source's own and not a filter's.
LEAST_FALL_DB = 12.0
#: The level from which a filter falls is found between these shares of the bandwidth; what falls is above them.
PASSBAND = (0.65, 0.8)

_FRAME_SECONDS = 0.064
_SMOOTHED_BINS = 5
_ACTIVE_DB = 40.0
_LONGEST_FILTER_SECONDS = 10


@dataclass(frozen=True, eq=False)
class RollOff:
    """Attenuation towards a cutoff.

    Attributes:
        frequencies: in Hz, rising from 0.
        gain_db: response there, at most 0 and never rising.
    """

    frequencies: Spectrum
    gain_db: Spectrum

    @property
    def reach(self) -> float:
        """The frequency in Hz up to which the attenuation can be undone."""
        return float(self.frequencies[self.gain_db > -MOST_UNDONE_DB].max(initial=0.0))

    def undo(self, samples: Array, sample_rate: int) -> Array:
        """Samples without the attenuation, as far as it is mild; zero phase.

        Args:
            samples: `(channels, samples)`.
            sample_rate: Hz.
        """
        if not self.gain_db.any():
            return samples
        frequencies = np.fft.rfftfreq(samples.shape[1], 1 / sample_rate)
        gain = np.minimum(-np.interp(frequencies, self.frequencies, self.gain_db), MOST_UNDONE_DB)
        spectrum = np.fft.rfft(samples, axis=1) * 10 ** (gain / 20)
        return np.fft.irfft(spectrum, samples.shape[1], axis=1).astype(np.float32)


def of_filter(path: Path) -> RollOff:
    """The roll-off of a filter whose impulse response is in an audio file; its level and phase do not count.

    Raises:
        CawError: if the file is no mono audio with sound, or longer than 10 s.
    """
    response = read_audio(path, longest_seconds=_LONGEST_FILTER_SECONDS)
    if response.channels != 1:
        raise CawError(f"{path} has {response.channels} channels; the impulse response of a filter is mono")
    if not response.samples.any():
        raise CawError(f"{path} is silent: it is not the impulse response of a filter")
    size = max(4096, response.samples.shape[1])
    magnitudes = np.abs(np.fft.rfft(response.samples[0].astype(np.float64), size))
    gain_db = 20 * np.log10(magnitudes / magnitudes.max() + 1e-10)
    return RollOff(np.fft.rfftfreq(size, 1 / response.sample_rate), _falling(gain_db))


@dataclass(frozen=True, eq=False)
class AverageSpectrum:
    """What a recording's frames with sound have on average.

    Attributes:
        frequencies: in Hz, rising from 0.
        level_db: mean of the log power there, smoothed.
    """

    frequencies: Spectrum
    level_db: Spectrum

    @classmethod
    def of(cls, samples: Array, sample_rate: int) -> AverageSpectrum:
        """That of `(channels, samples)` at a rate in Hz."""
        return cls.of_parts(lambda: [samples], sample_rate)

    @classmethod
    def of_parts(cls, read: Callable[[], Iterable[Array]], sample_rate: int) -> AverageSpectrum:
        """That of a signal of any length.

        Args:
            read: returns it from its beginning, `(channels, samples)` at a time; called twice.
            sample_rate: Hz.
        """
        size = 2 * round(_FRAME_SECONDS * sample_rate / 2)
        loudest = max(frame_powers(part, size).sum(1).max() for part in read())
        level, count = np.zeros(size // 2 + 1), 0
        for part in read():
            power = frame_powers(part, size)
            active = power[power.sum(1) >= loudest * 10 ** (-_ACTIVE_DB / 10)]
            level += (10 * np.log10(active + 1e-12)).sum(0)
            count += len(active)
        level /= count
        padded = np.pad(level, _SMOOTHED_BINS // 2, mode="edge")
        smoothed = np.convolve(padded, np.full(_SMOOTHED_BINS, 1 / _SMOOTHED_BINS), mode="valid")
        return cls(np.fft.rfftfreq(size, 1 / sample_rate), smoothed)

    @classmethod
    def of_training(cls, model: PyramidModel) -> AverageSpectrum | None:
        """That of the recording that a model was trained on, if it holds it."""
        recording = model.recording()
        return None if recording is None else cls.of(recording, model.sample_rate)


def measure(reference: AverageSpectrum | None, samples: Array, sample_rate: int, cutoff_hz: float) -> RollOff:
    """The roll-off of a recording beside that which a model was trained on.

    Args:
        reference: of the training recording.
        samples: `(channels, samples)` with sound.
        sample_rate: Hz.
        cutoff_hz: where the recording ends.
    """
    return compare(reference, AverageSpectrum.of(samples, sample_rate), cutoff_hz)


def compare(reference: AverageSpectrum | None, own: AverageSpectrum, cutoff_hz: float) -> RollOff:
    """The roll-off of a recording by its spectrum.

    Its difference to the reference falls where the recording was filtered. Without a reference, nothing is found.

    Args:
        reference: of the training recording.
        own: of the recording.
        cutoff_hz: where the recording ends.
    """
    frequencies = own.frequencies
    flat = RollOff(frequencies, np.zeros_like(frequencies))
    if reference is None:
        return flat
    relative = own.level_db - np.interp(frequencies, reference.frequencies, reference.level_db)
    share = frequencies / max(cutoff_hz, 1.0)  # 0 for a single sample
    passband = (share > PASSBAND[0]) & (share < PASSBAND[1])
    below_cutoff = share <= 1
    if not passband.any():
        return flat
    fall = _falling(relative[below_cutoff] - np.median(relative[passband]))
    if fall[-1] > -LEAST_FALL_DB:
        return flat
    gain_db = np.pad(fall, (0, int((~below_cutoff).sum())), mode="edge")
    return RollOff(frequencies, np.where(share < PASSBAND[1], 0.0, gain_db))


def frame_powers(samples: Array, size: int) -> Spectrum:
    """Power spectra of overlapping frames, summed over channels, `(frames, size // 2 + 1)`."""
    padded = np.pad(samples.astype(np.float64), ((0, 0), (0, max(0, size - samples.shape[1]))))
    frames = windowed_frames(padded, np.hanning(size), size // 2)
    powers: Spectrum = (np.abs(np.fft.rfft(frames, axis=2)) ** 2).sum(0)
    return powers


def _falling(gain_db: Spectrum) -> Spectrum:
    """At each frequency the largest response there or above, at most 0: dips within the band do not count."""
    return np.minimum(np.maximum.accumulate(gain_db[::-1])[::-1], 0.0)
