"""The similarity of each moment of a take with each moment of its recording: the matrix of the paper's equation (9).

What is copied runs along its diagonals. The matrix of a minute by a minute does not fit into memory: it is made block
by block, and only its runs and a smaller picture of it are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from caw_toolkit.dsp.spectra import Spectrogram, power_blocks
from caw_toolkit.metrics.signals import Signal
from caw_toolkit.metrics.source_map import SourceSegment

WINDOW, HOP = 4096, 128
#: Cosine above which frames are alike, and how long a run of them is a copy.
SIMILARITY, SHORTEST_SECONDS = 0.9, 0.5

_BLOCK_FRAMES = 256
#: Frames this far below the mean energy (40 dB) are silence, which is like nothing.
_SILENCE = 1e-4
_MOST_CELLS = 320

_Matrix = npt.NDArray[np.float32]
_Frames = npt.NDArray[np.int64]


class UnitSpectra:
    """Magnitude spectra of unit norm of a signal's frames, made when they are asked for: ten minutes are gigabytes.

    Args:
        signal: `(samples,)`.

    Attributes:
        heard: which frames are no silence, `(frames,)`.
    """

    def __init__(self, signal: Signal) -> None:
        self._signal = signal
        energies = np.concatenate([power.sum(0) for power in self._power()])
        self.heard = energies > energies.mean() * _SILENCE

    def blocks(self) -> Iterator[_Matrix]:
        """All frames in order, `(frames, bins)` each."""
        for power in self._power():
            power /= np.maximum(power.sum(0), 1e-18)
            yield np.sqrt(power).T.astype(np.float32)

    def heard_frames(self) -> _Matrix:
        """All frames, those of silence 0, `(frames, bins)`."""
        frames = np.concatenate(list(self.blocks()))
        frames[~self.heard] = 0
        return frames

    def _power(self) -> Iterator[Spectrogram]:
        return power_blocks(self._signal, WINDOW, HOP, block_frames=_BLOCK_FRAMES)


class Runs(NamedTuple):
    """Stretches of frame after frame of a take that are like frame after frame of a recording.

    Attributes:
        starts: in the take, in frames.
        sources: in the recording.
        lengths: of both.
    """

    starts: _Frames
    sources: _Frames
    lengths: _Frames


@dataclass(frozen=True)
class SimilarityMatrix:
    """A similarity matrix, made smaller, and the lines in it.

    Attributes:
        cells: the highest similarity in each cell, `(places of the recording, moments of the take)`, from 0 to 1.
        lines: copied runs in order of time; each moment of the take is on one at the most.
        take_seconds: that the take is long.
        recording_seconds: that the recording is long.

    Example:
        >>> copied = SourceSegment(start=0.0, stop=1.5, source=3.0)
        >>> cells = np.zeros((1, 1), np.float32)
        >>> SimilarityMatrix(cells, (copied,), take_seconds=2, recording_seconds=9).longest_line_seconds
        1.5

    .. versionadded:: 0.2
    """

    cells: npt.NDArray[np.float32]
    lines: tuple[SourceSegment, ...]
    take_seconds: float
    recording_seconds: float

    @property
    def longest_line_seconds(self) -> float:
        """How long the longest line is, s; 0 if there is none."""
        return max((line.stop - line.start for line in self.lines), default=0.0)


def similarity_matrix(real: Signal, generated: Signal, sample_rate: int) -> SimilarityMatrix:
    """The similarity matrix of a take and its recording, as in figures 8 and 18 of the paper, and the lines in it.

    Similarity is the cosine of magnitude spectra (window 4096, hop 128). A line is a run along a diagonal, of at least
    half a second above 0.9; of runs at the same moments of the take, which lie side by side around a copy, the longest.

    Args:
        real: the recording, `(samples,)`.
        generated: what was learnt from it, `(samples,)`.
        sample_rate: of both, Hz.

    Returns:
        The matrix in at most 320 by 320 cells, and its lines.

    Raises:
        ValueError: if a signal is not one-dimensional.

    Example:
        >>> noise = np.random.default_rng(0).standard_normal(48000)
        >>> take = np.concatenate([noise[32000:], noise[:16000]])
        >>> matrix = similarity_matrix(noise, take, 16000)
        >>> [(round(line.start, 1), round(line.source, 1)) for line in matrix.lines]
        [(0.0, 2.0), (1.0, 0.0)]

    .. versionadded:: 0.2
    """
    known, made = UnitSpectra(real).heard_frames(), UnitSpectra(generated)
    finder = RunFinder(len(known), shortest_frames(SHORTEST_SECONDS, sample_rate))
    rows, columns = min(len(known), _MOST_CELLS), min(len(made.heard), _MOST_CELLS)
    cells = np.zeros((columns, rows), np.float32)
    edges = np.arange(rows) * len(known) // rows
    for start, block in similarity_blocks(known, made):
        frames = np.arange(start, start + len(block))
        block[~made.heard[frames]] = 0
        finder.add(block > SIMILARITY)
        np.maximum.at(cells, frames * columns // len(made.heard), np.maximum.reduceat(block, edges, axis=1))
    seconds, recording_seconds = len(generated) / sample_rate, len(real) / sample_rate
    return SimilarityMatrix(cells.T, _lines(finder.found(), HOP / sample_rate), seconds, recording_seconds)


def similarity_blocks(known: _Matrix, made: UnitSpectra) -> Iterator[tuple[int, _Matrix]]:
    """The matrix, block by block: its first frame of the take, and `(frames of the take, frames of the recording)`."""
    start = 0
    for frames in made.blocks():
        yield start, frames @ known.T
        start += len(frames)


def shortest_frames(seconds: float, sample_rate: int) -> int:
    """How many frames a run of so many seconds has at least."""
    return int(np.ceil(seconds * sample_rate / HOP))


class RunFinder:
    """Follows the diagonals of a matrix, frame after frame of the take.

    Args:
        places: frames of the recording.
        shortest: frames that a run has at least; above 0.
    """

    def __init__(self, places: int, shortest: int) -> None:
        self._shortest = shortest
        self._frame = 0
        self._lengths = np.zeros(places, np.int64)  # of the run that has come to each place
        self._found: list[_Frames] = []

    def add(self, alike: npt.NDArray[np.bool_]) -> None:
        """Go on with which frames are alike, `(frames of the take, places)`."""
        for row in alike:
            self._keep_those_that_end(np.append(row[1:], False))
            self._lengths[1:] = self._lengths[:-1] + 1
            self._lengths[0] = 1
            self._lengths *= row
            self._frame += 1

    def found(self) -> Runs:
        """All runs, once the take is over."""
        self._keep_those_that_end(np.zeros(len(self._lengths), bool))
        return Runs(*np.concatenate([np.zeros((3, 0), np.int64), *self._found], axis=1))

    def _keep_those_that_end(self, goes_on: npt.NDArray[np.bool_]) -> None:
        places = np.flatnonzero((self._lengths >= self._shortest) & ~goes_on)
        if len(places):
            lengths = self._lengths[places]
            self._found.append(np.stack([self._frame - lengths, places + 1 - lengths, lengths]))


def _lines(runs: Runs, hop_seconds: float) -> tuple[SourceSegment, ...]:
    """The longest runs, but none that shares more than a window's length of the take with a longer one."""
    starts, sources, lengths = runs
    order = np.argsort(-lengths, kind="stable")
    lines = []
    while len(order):
        start, length = starts[order[0]], lengths[order[0]]
        first, count = float(start * hop_seconds), float(length * hop_seconds)
        lines.append(SourceSegment(first, first + count, float(sources[order[0]] * hop_seconds)))
        shared = np.minimum(starts + lengths, start + length)[order] - np.maximum(starts, start)[order]
        order = order[shared <= WINDOW // HOP]
    return tuple(sorted(lines, key=lambda line: line.start))
