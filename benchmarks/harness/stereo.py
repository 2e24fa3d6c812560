"""Channels: reading them for scoring, and what a stereo image is made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfiltfilt

from baselines.transforms import Signal
from caw_toolkit import AudioClip, read_audio
from caw_toolkit.metrics.signals import in_scoring_steps
from harness.task import Column, Scores, mean_scores

#: `(channels, samples)` float64, full scale 1.0.
Channels = npt.NDArray[np.float64]

IMAGE_COLUMNS = (Column("image_correlation", "channels' correlation"), Column("image_balance_db", "balance, dB"))

#: Octaves from 125 Hz to 16 kHz, and what counts as silence in one.
_EDGES = tuple(125 * 2**octave for octave in range(8))
_SILENCE = 1e-9
#: One channel alone is infinitely louder than the other.
_MOST_BALANCE_DB = 30.0


def scoring_channels(path: Path, sample_rate: int | None = None) -> tuple[Channels, int]:
    """A file as `scoring_signal` reads it, but each channel for itself."""
    clip = read_audio(path)
    rate = sample_rate or clip.sample_rate
    mono = (AudioClip(channel[None], clip.sample_rate) for channel in clip.samples)
    return np.stack([in_scoring_steps(channel, rate) for channel in mono]), rate


def each_channel(method: Callable[..., Signal], *recordings: Channels) -> Channels:
    """A method for mono signals, applied to each channel of one or more recordings."""
    return np.stack([method(*channels) for channels in zip(*recordings, strict=True)])


def mean_of_channels(score: Callable[[Signal, Signal], Scores], reference: Channels, output: Channels) -> Scores:
    """Scores of each channel, averaged, over the length of the shorter recording."""
    length = min(reference.shape[1], output.shape[1])
    rows = [score(*pair) for pair in zip(reference[:, :length], output[:, :length], strict=True)]
    return mean_scores(rows)


def image_distance(reference: Channels, output: Channels, rate: int) -> Scores:
    """How far the image of an output is from that of a reference; nothing for mono.

    Args:
        reference: of two channels, or one.
        output: the same; of any length.
        rate: of both, Hz.

    Returns:
        Mean absolute differences over the octaves that the reference has sound in: of the correlation of the channels,
        and of the level of the left over that of the right in dB.
    """
    if len(reference) != 2 or len(output) != 2:
        return {}
    bands = [(low, high) for low, high in zip(_EDGES, _EDGES[1:], strict=False) if high < 0.49 * rate]
    wanted, found = (np.stack([_image(_octave(x, band, rate)) for band in bands]) for x in (reference, output))
    heard = np.array([(_octave(reference, band, rate) ** 2).mean() > _SILENCE for band in bands])
    correlation, balance = np.average(np.abs(wanted - found), axis=0, weights=heard + 1e-12)
    return {"image_correlation": float(correlation), "image_balance_db": float(balance)}


def _octave(recording: Channels, band: tuple[int, int], rate: int) -> Channels:
    return np.asarray(sosfiltfilt(butter(4, band, "bandpass", fs=rate, output="sos"), recording))


def _image(recording: Channels) -> tuple[float, float]:
    left, right = recording
    powers = (recording**2).sum(1) + 1e-12
    balance = 10 * np.log10(powers[0] / powers[1])
    return float(left @ right / np.sqrt(powers.prod())), float(np.clip(balance, -_MOST_BALANCE_DB, _MOST_BALANCE_DB))
