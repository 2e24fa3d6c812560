"""Extended short-time objective intelligibility (Jensen and Taal, 2016)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from caw_toolkit.dsp.overlap_add import add_halves
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.dsp.spectra import windowed_frames
from caw_toolkit.metrics.signals import Signal, common_length

_RATE = 10_000
_FRAME, _HOP, _TRANSFORM = 256, 128, 512
_BANDS, _LOWEST_CENTRE_HZ = 15, 150.0
_SEGMENT_FRAMES = 30
#: Frames this far below the loudest one of the reference are left out.
_DYNAMIC_RANGE_DB = 40.0
_TINY = np.finfo(np.float64).eps


def extended_stoi(reference: Signal, estimate: Signal, sample_rate: int) -> float:
    """Mean correlation of third-octave envelopes over segments of 384 ms, each normalised over time and over bands.

    Args:
        reference: clean speech, `(samples,)`.
        estimate: the same speech, processed, `(samples,)`.
        sample_rate: of both, Hz.

    Returns:
        At most 1; speech and unrelated noise give about 0, and so does silence. NaN where the reference has less than
        0.41 s of speech, or a signal holds NaN.

    Raises:
        ValueError: if a signal is not one-dimensional.

    Example:
        >>> noise = np.random.default_rng(0).standard_normal(10000)
        >>> round(extended_stoi(noise, noise, 10000), 3)
        1.0
    """
    at_rate = [
        resample(signal[None], sample_rate, _RATE)[0].astype(np.float64)
        for signal in common_length(reference, estimate)
    ]
    frames = [_frames(signal) for signal in at_rate]
    energies = 20 * np.log10(np.linalg.norm(frames[0], axis=1) + _TINY)
    speech = energies > energies.max(initial=-np.inf) - _DYNAMIC_RANGE_DB
    bands = [_third_octaves(_frames(_overlap_add(part[speech]))) for part in frames]
    if bands[0].shape[1] < _SEGMENT_FRAMES:
        return float("nan")
    windows = [np.lib.stride_tricks.sliding_window_view(part, _SEGMENT_FRAMES, axis=1) for part in bands]
    normalised = [_normalise(_normalise(part, axis=2), axis=0) for part in windows]
    return float((normalised[0] * normalised[1]).sum(0).mean())


def _frames(signal: Signal) -> npt.NDArray[np.float64]:
    """Windowed frames, `(frames, samples)`."""
    if len(signal) <= _FRAME:
        return np.zeros((0, _FRAME))
    return np.asarray(windowed_frames(signal[:-1], np.hanning(_FRAME + 2)[1:-1], _HOP))


def _overlap_add(frames: npt.NDArray[np.float64]) -> Signal:
    """The signal of frames, the first and the last half included."""
    return np.asarray(add_halves(np.pad(frames, ((1, 1), (0, 0)))))


def _third_octaves(frames: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Amplitudes, `(bands, frames)`."""
    power = np.abs(np.fft.rfft(frames, _TRANSFORM, axis=1)) ** 2
    centres = _LOWEST_CENTRE_HZ * 2 ** (np.arange(_BANDS) / 3)
    edges = np.round(np.stack([centres * 2 ** (-1 / 6), centres * 2 ** (1 / 6)]) * _TRANSFORM / _RATE).astype(int)
    return np.asarray(np.sqrt([power[:, low:high].sum(1) for low, high in edges.T]))


def _normalise(values: npt.NDArray[np.float64], axis: int) -> npt.NDArray[np.float64]:
    """Zero mean and unit norm along an axis."""
    centred = values - values.mean(axis, keepdims=True)
    normalised: npt.NDArray[np.float64] = centred / (np.linalg.norm(centred, axis=axis, keepdims=True) + _TINY)
    return normalised
