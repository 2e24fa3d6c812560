"""Signals as the metrics take them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.audio.reading import read_audio
from caw_toolkit.dsp.resampling import resample

#: A mono signal, `(samples,)` float64, full scale 1.0.
Signal = npt.NDArray[np.float64]

_STEPS = 2**15


def scoring_signal(path: str | Path, sample_rate: int | None = None) -> tuple[Signal, int]:
    """Read a file for scoring: channels averaged, resampled if asked for, in steps of 16 bits.

    The steps matter: what a file of more bits holds below them would count as a spectral difference in silence.

    Args:
        path: audio file.
        sample_rate: rate wanted, Hz; None for the file's own.

    Returns:
        The signal and its rate in Hz.

    Raises:
        CawError: as `read_audio`.

    Example:
        >>> import tempfile
        >>> from caw_toolkit import write_audio
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = write_audio(Path(folder, "tone.wav"), np.full((2, 8000), 0.3), 8000).path
        ...     signal, rate = scoring_signal(path, 4000)
        >>> signal.shape, rate, bool((signal * 2**15 % 1 == 0).all())
        ((4000,), 4000, True)
    """
    clip = read_audio(path)
    rate = sample_rate or clip.sample_rate
    return in_scoring_steps(clip, rate), rate


def in_scoring_steps(clip: AudioClip, sample_rate: int) -> Signal:
    """A clip as `scoring_signal` gives the file that holds it.

    Args:
        clip: in memory.
        sample_rate: rate wanted, Hz.
    """
    mono = clip.samples.mean(0, keepdims=True, dtype=np.float64)
    if sample_rate != clip.sample_rate:
        mono = resample(mono, clip.sample_rate, sample_rate)
    signal: Signal = mono[0].astype(np.float64, copy=False)  # in place from here on: ten minutes are 230 MB
    signal *= _STEPS
    np.round(signal, out=signal)
    np.clip(signal, -_STEPS, _STEPS - 1, out=signal)
    signal /= _STEPS
    return signal


def common_length(*signals: Signal) -> tuple[Signal, ...]:
    """Cut signals to the length of the shortest.

    Args:
        signals: one or more, `(samples,)`.

    Returns:
        Views of their beginnings, in the same order.

    Raises:
        ValueError: if none is given.

    Example:
        >>> [len(signal) for signal in common_length(np.zeros(3), np.zeros(5))]
        [3, 3]
    """
    length = min(map(len, signals))
    return tuple(signal[:length] for signal in signals)
