"""A clip of audio in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import Array
from caw_toolkit.audio.source_format import SourceFormat
from caw_toolkit.errors import CawError

_SHORTEST_SECONDS = 0.1
_SILENCE = 2.0**-14  # two steps of 16 bits: dither alone stays below it


@dataclass(frozen=True, eq=False)
class AudioClip:
    """A stretch of audio.

    Attributes:
        samples: `(channels, samples)` float32, full scale 1.0.
        sample_rate: Hz.
        source: how the file was stored that it was read from; None if it comes from elsewhere.
        exact: `(channels, samples)` float64, whose rounding `samples` is; only of files of 32-bit integer and of double
            samples, None of others.

    Raises:
        ValueError: The samples are not a two-dimensional float32 array.

    Example:
        >>> clip = AudioClip(np.full((2, 8000), 0.5, np.float32), 16000)
        >>> clip.channels, clip.seconds, clip.peak
        (2, 0.5, 0.5)
    """

    samples: Array
    sample_rate: int
    source: SourceFormat | None = None
    exact: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            raise ValueError(f"expected (channels, samples) float32, got {self.samples.shape} {self.samples.dtype}")

    @property
    def channels(self) -> int:
        """The number of channels."""
        return int(self.samples.shape[0])

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return float(self.samples.shape[1] / self.sample_rate)

    @property
    def peak(self) -> float:
        """The largest magnitude; full scale is 1.0."""
        return float(np.max(np.abs(self.samples), initial=0.0))

    @property
    def rms(self) -> float:
        """The root of the mean square over all channels."""
        return float(np.sqrt(np.mean(np.square(self.samples, dtype=np.float64)))) if self.samples.size else 0.0


def require_trainable(clip: AudioClip) -> None:
    """Raise where a clip holds nothing to learn from.

    Raises:
        CawError: It is shorter than 0.1 s, silent (no sample above -84 dB full scale), or constant in every channel.
    """
    if clip.seconds < _SHORTEST_SECONDS:
        raise CawError(f"the recording is {clip.seconds:.3f} s long: at least {_SHORTEST_SECONDS:g} s are needed")
    if clip.peak <= _SILENCE:
        raise CawError("the recording is silent: there is nothing to learn from")
    if float(np.max(np.ptp(clip.samples, axis=1))) <= _SILENCE:
        raise CawError(
            f"the recording is constant (every sample is about {clip.samples[0, 0]:.3g}): nothing to learn from"
        )
