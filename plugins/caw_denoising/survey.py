"""A first look at all of a long recording: how long it is, the noise that it has where, its rumble and its hum."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain, islice

import numpy as np

from caw_denoising.hum import Prominence, least_prominence, lows, prominence_of_lines
from caw_denoising.noise import Noise, find_noise
from caw_denoising.rumble import BESIDE, FIRST_BINS, Flatness, least_power
from caw_denoising.stft import OVERLAPS, Power, power_as_one, spectra_of, window_size
from caw_denoising.stretches import FADE_SECONDS, lengths
from caw_denoising.views import WINDOW_SECONDS
from caw_toolkit import Array
from caw_toolkit.arrays import FloatArray
from caw_toolkit.dsp.queues import rechunked
from caw_toolkit.dsp.resampling import resample

#: The window in which the noise is measured, and the stretches that are measured together.
NOISE_WINDOW_SECONDS, TOGETHER = 0.128, 3
#: Rumble is looked for at this rate at the most, in Hz.
RUMBLE_RATE = 4000


@dataclass(frozen=True)
class Survey:
    """What is known of a recording before it is cleaned.

    Attributes:
        samples: in each channel.
        noises: where in seconds there is a noise that can be told from the sound; none of a recording that is
            cleaned as a whole.
        rumble_hz: up to which frequency there is rumble and no note; None of a recording that is cleaned as a whole.
        hum: what of it is there all along, as for `find_hum`; nothing of a recording that is cleaned as a whole.
    """

    samples: int
    noises: tuple[tuple[float, Noise], ...] = ()
    rumble_hz: float | None = None
    hum: Prominence = field(default_factory=dict)

    @classmethod
    def of(cls, blocks: Iterable[FloatArray], sample_rate: int, *, channels: int) -> Survey:
        """That of a recording.

        Args:
            blocks: `(channels, samples)` each.
            sample_rate: Hz.
            channels: of the blocks.
        """
        whole, stretch = (seconds * sample_rate for seconds in lengths(sample_rate, channels))
        parts = rechunked((np.asarray(block, np.float32) for block in blocks), stretch)
        first = list(islice(parts, whole // stretch + 1))
        samples = sum(part.shape[1] for part in first)
        if samples <= whole + FADE_SECONDS * sample_rate:
            return cls(samples)
        samples, noises, lines, rumble = 0, [], [], _Rumble(sample_rate)
        powers: deque[Power] = deque(maxlen=TOGETHER)
        for number, part in enumerate(chain(first, parts), 1):
            samples += part.shape[1]
            if part.shape[1] < stretch:
                break
            powers.append(power_as_one(spectra_of(part, window_size(NOISE_WINDOW_SECONDS, part, sample_rate))))
            low, rate = lows(part, sample_rate)
            rumble.look_at(part)
            lines.append(prominence_of_lines(low.mean(0), rate))
            if number >= TOGETHER:
                middle = samples - TOGETHER * stretch / 2
                noises.append((middle / sample_rate, find_noise(np.concatenate(powers, axis=1))))
        heard = tuple((second, noise) for second, noise in noises if noise.is_heard)
        return cls(samples, heard, rumble.highest_hz, least_prominence(lines))

    def noise_near(self, second: float) -> Noise | None:
        """The noise that was found nearest to a time; None without any."""
        return min(self.noises, key=lambda found: abs(found[0] - second), default=(0.0, None))[1]


class _Rumble:
    """The rumble of all parts of a recording together: one alone may well have no low notes."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._flatness: Flatness | None = None
        self._bin_hz = 0.0

    def look_at(self, part: Array) -> None:
        """Add a part, `(channels, samples)`."""
        rate = min(self._sample_rate, RUMBLE_RATE)
        # the resolution of the longest window, by which the rumble of a short recording is found
        size = window_size(WINDOW_SECONDS, part, self._sample_rate) * rate / self._sample_rate
        size = OVERLAPS * round(size / OVERLAPS)
        power = power_as_one(spectra_of(resample(part, self._sample_rate, rate), size))[: FIRST_BINS + BESIDE]
        found = Flatness.of(power, least_power(power))
        self._flatness = found if self._flatness is None else self._flatness + found
        self._bin_hz = rate / size

    @property
    def highest_hz(self) -> float:
        """Up to where there is no note; 0 if that is all that was looked at."""
        if self._flatness is None:
            return 0.0
        flat = self._flatness.bins(self._bin_hz)[:FIRST_BINS]
        return 0.0 if flat.all() else float(np.argmin(flat) * self._bin_hz)
