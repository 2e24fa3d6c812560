"""Where in its recording each moment of a take comes from.

Takes are pieced together from their recording, piece by piece, or drift along it. The most likely path is found as in
unit selection (Hunt and Black, "Unit selection in a concatenative speech synthesis system", ICASSP 1996): every frame
of the take is compared with every frame of the recording, and whoever leaves a place pays for the join.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from caw_toolkit.metrics.signals import Signal
from caw_toolkit.metrics.spectral import mel_filters, mel_spectrogram

#: Hz; below, there is nothing to compare.
LOWEST_RATE = 200

_HOP_SECONDS, _WINDOW_SECONDS = 0.01, 0.04
_BANDS, _LOWEST_HZ = 40, 60.0
_BLOCK_FRAMES = 256
#: Powers this far below the mean (60 dB) are all alike.
_FLOOR = 1e-6
#: How much of a frame's level is left out of account, so that its spectrum decides.
_LEVEL_LEFT_OUT = 0.7
#: Costs are mean squared differences, relative to the variance of the recording: takes of trained models are at 0.01 to
#: 0.15 from their recording, other material is above 0.3.
_COST_OF_NOTHING, _COST_OF_A_JOIN = 0.25, 0.5
_SHORTEST_SECONDS = 0.05

_Frames = npt.NDArray[np.float32]
#: For each frame of a take, the frame of the recording that it follows, or `_NOTHING`.
_Path = npt.NDArray[np.int64]
_NOTHING = -1


@dataclass(frozen=True)
class SourceSegment:
    """A stretch of a take that follows its recording.

    Attributes:
        start: where it begins in the take, s.
        stop: where it ends there, s.
        source: what second of the recording it begins with.

    Example:
        >>> segment = SourceSegment(start=0.5, stop=2.0, source=7.25)
        >>> segment.source + 1.0 - segment.start  # what second of the recording is heard after a second of the take
        7.75

    .. versionadded:: 0.2
    """

    start: float
    stop: float
    source: float


def source_map(take: Signal, recording: Signal, sample_rate: int) -> tuple[SourceSegment, ...]:
    """Which second of the recording each moment of a take came from.

    Frames of 40 ms are compared in 40 mel bands, every 10 ms; the level of the whole does not count.

    Args:
        take: `(samples,)`.
        recording: what the take was made from, `(samples,)`.
        sample_rate: of both, Hz; at least 200.

    Returns:
        Stretches of at least 50 ms, in order of time and without overlap. What resembles nothing in the recording is
        in none.

    Raises:
        ValueError: if a signal is not one-dimensional, or the rate is below 200 Hz.

    Example:
        >>> noise = np.random.default_rng(0).standard_normal(32000)
        >>> take = np.concatenate([noise[24000:], noise[:16000]])
        >>> [(round(part.start, 1), round(part.source, 1)) for part in source_map(take, noise, 16000)]
        [(0.0, 1.5), (0.5, 0.0)]

    .. versionadded:: 0.2
    """
    if sample_rate < LOWEST_RATE:
        raise ValueError(f"a source map needs a rate of at least {LOWEST_RATE} Hz, not {sample_rate}")
    if not take.any() or not recording.any():
        return ()
    known, made = _spectra(recording, sample_rate), _spectra(take, sample_rate)
    mean = known.mean(0)
    spread = (known - mean).std() + 1e-9
    path = _cheapest_path((made - mean) / spread, (known - mean) / spread)
    hop = round(_HOP_SECONDS * sample_rate) / sample_rate
    return tuple(_segments(path, hop, len(take) / sample_rate))


def _spectra(signal: Signal, sample_rate: int) -> _Frames:
    """Mel bands in dB of a signal at a level of 1, those of a frame less part of their mean; `(frames, bands)`."""
    window = 2 ** round(np.log2(_WINDOW_SECONDS * sample_rate))
    filters, hop = mel_filters(sample_rate, window, _BANDS, _LOWEST_HZ), round(_HOP_SECONDS * sample_rate)
    mels = mel_spectrogram(signal, filters, window, hop, level=np.sqrt(np.mean(signal**2)))
    decibels = 10 * np.log10(mels + mels.mean() * _FLOOR).T
    shapes: _Frames = (decibels - _LEVEL_LEFT_OUT * decibels.mean(1, keepdims=True)).astype(np.float32)
    return shapes


def _cheapest_path(made: _Frames, known: _Frames) -> _Path:
    """The frame of the recording for each frame of the take, by dynamic programming.

    A path goes on from frame to frame for nothing and jumps for the price of a join. Only whether it jumped has to be
    kept for each pair of frames: where a jump comes from is the same for all of a frame.
    """
    count, places = len(made), len(known) + 1  # the last place is that of nothing
    jumped = np.empty((count, (places + 7) // 8), np.uint8)
    best_before = np.empty(count, np.int64)
    totals = np.zeros(places, np.float32)
    for start in range(0, count, _BLOCK_FRAMES):
        for frame, costs in enumerate(_costs(made[start : start + _BLOCK_FRAMES], known), start):
            best_before[frame] = totals.argmin()
            by_jump = totals[best_before[frame]] + _COST_OF_A_JOIN
            going_on = np.concatenate([[np.inf], totals[:-2], totals[-1:]])
            jumped[frame] = np.packbits(by_jump < going_on)
            totals = np.minimum(going_on, by_jump) + costs
            totals -= totals.min()
    return _traced_back(int(totals.argmin()), jumped, best_before, places)


def _costs(made: _Frames, known: _Frames) -> _Frames:
    """Mean squared difference of frames, and the cost of nothing beside it; `(frames, places)`."""
    products = made @ known.T
    energies = (made**2).sum(1)[:, None] + (known**2).sum(1)
    distances = (energies - 2 * products) / made.shape[1]
    return np.pad(distances, ((0, 0), (0, 1)), constant_values=_COST_OF_NOTHING)


def _traced_back(place: int, jumped: npt.NDArray[np.uint8], best_before: npt.NDArray[np.int64], places: int) -> _Path:
    nothing = places - 1
    path = np.empty(len(jumped), np.int64)
    for frame in range(len(jumped) - 1, -1, -1):
        path[frame] = _NOTHING if place == nothing else place
        if jumped[frame, place // 8] >> (7 - place % 8) & 1:
            place = int(best_before[frame])
        elif place != nothing:
            place -= 1
    return path


def _segments(path: _Path, hop: float, seconds: float) -> list[SourceSegment]:
    """Runs of a path, long enough to count. A frame stands for the time around its centre."""
    goes_on = (np.diff(path) == 1) | ((path[1:] == _NOTHING) & (path[:-1] == _NOTHING))
    edges = [0, *(np.flatnonzero(~goes_on) + 1).tolist(), len(path)]
    segments = []
    for first, end in zip(edges, edges[1:], strict=False):
        start, stop = max(0.0, (first - 0.5) * hop), min(seconds, (end - 0.5) * hop)
        if path[first] != _NOTHING and stop - start >= _SHORTEST_SECONDS:
            segments.append(SourceSegment(start, stop, max(0.0, start + float(path[first] - first) * hop)))
    return segments
