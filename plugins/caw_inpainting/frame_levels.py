"""The level of a recording from millisecond to millisecond, its constant runs, and what is beside a run of samples.

Levels are variances, so that rumble, hum and offset count for little in a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from caw_inpainting.gaps import SampleReader, find_runs, join_gaps
from caw_toolkit import Array, Gap

Levels = npt.NDArray[np.float32]
Sound = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

#: Length of a frame.
FRAME_SECONDS = 0.001
#: Shortest constant run.
SHORTEST_RUN_SECONDS = 0.003
#: Longer constant runs at the largest value of a channel are no clipped peaks.
LONGEST_PEAK_SECONDS = 0.02
#: Share of the largest value that is as good as it.
PEAK_SHARE = 0.98
#: The sound on each side of a run is looked at for so many frames.
EDGE_FRAMES = 10
#: Frames around a run on each side that are looked at for what is usual there.
AROUND_FRAMES = 10_000
#: Frames beside a silence that do not count as sound.
BESIDE_FRAMES = 300
#: Less sound around than this says nothing, in frames.
LEAST_FRAMES = 500
#: Longer stretches are pauses, in frames.
LONGEST_FRAMES = 1000
#: Frames next to a run that show whether sound fades there.
FADED_FRAMES = 3
#: It does if they are so far below the others of `FADE_FRAMES`.
FADE_DB = 18.0
#: Frames on each side that are compared for it.
FADE_FRAMES = 40
#: The quietest sound is this quantile of the levels around.
QUIETEST = 0.05
#: The edges of a dropout may be this much below the quietest sound.
EDGE_TOLERANCE_DB = 6.0
#: Sound is loud that is no more than this below the usual level.
LOUD_DB = 6.0
#: Where silences are more than this share of what is around, they are pauses, but for those that break off loud sound.
PAUSES_SHARE = 0.1
#: Where they are more than this share, they are all pauses.
LARGEST_SHARE = 0.25
_CHUNK_FRAMES = 20_000


@dataclass(frozen=True)
class FrameLevels:
    """The levels of a recording, and what is beside runs of its samples.

    Attributes:
        recording: that it is of.
        frame: samples of a frame.
        levels: variance in each frame, of all channels together, `(frames,)`.
        high_levels: variance of the second differences: the level of high frequencies, where noise is heard best.
        constant: runs of samples that are all the same.
    """

    recording: SampleReader
    frame: int
    levels: Levels
    high_levels: Levels
    constant: Sequence[Gap]

    def silent_frames(self, runs: Sequence[Gap]) -> Mask:
        """Which frames are silent, but for the beginning and the end of the recording."""
        silent = np.zeros(len(self.levels), bool)
        for start, stop in runs:
            if start > 0 and stop < self.recording.samples:
                silent[start // self.frame : -(-stop // self.frame)] = True
        return silent

    def around(self, run: Gap) -> slice:
        """The frames around a run that say what is usual there."""
        first, last = run[0] // self.frame, run[1] // self.frame
        return slice(max(0, first - AROUND_FRAMES), last + AROUND_FRAMES)

    def heard(self, around: slice, silent: Mask, levels: Levels | None = None) -> Levels:
        """Levels over `EDGE_FRAMES` each, away from silence."""
        count = len(self.levels[around]) // EDGE_FRAMES * EDGE_FRAMES
        levels = (self.levels if levels is None else levels)[around][:count].reshape(-1, EDGE_FRAMES).mean(axis=1)
        far: Levels = levels[~_widened(silent, around)[:count].reshape(-1, EDGE_FRAMES).any(axis=1)]
        return far

    def edges(self, run: Gap) -> tuple[float, float] | None:
        """Levels before and after a run; None if it is at the beginning or end of the recording."""
        first, last = run[0] // self.frame, -(-run[1] // self.frame)
        if first < EDGE_FRAMES or last + EDGE_FRAMES > len(self.levels):
            return None
        before, after = self.levels[first - EDGE_FRAMES : first], self.levels[last : last + EDGE_FRAMES]
        return float(before.mean()), float(after.mean())

    def beside(self, run: Gap) -> tuple[Sound, Sound]:
        """The samples before a run and after it."""
        length = EDGE_FRAMES * self.frame
        before, after = self.recording.read(run[0] - length, run[0]), self.recording.read(run[1], run[1] + length)
        return before.astype(np.float64), after.astype(np.float64)

    def _fades(self, run: Gap) -> bool:
        """Whether the sound fades out or in beside a run."""
        first, last = run[0] // self.frame, -(-run[1] // self.frame)
        before, after = self.levels[:first][::-1][:FADE_FRAMES], self.levels[last : last + FADE_FRAMES]
        return any(
            side[:FADED_FRAMES].mean() < side[FADED_FRAMES:].mean() * 10 ** (-FADE_DB / 10) for side in (before, after)
        )

    def is_loud(self, run: Gap, silent: Mask) -> bool:
        """Whether a run breaks off sound about as loud as it usually is around; pauses begin where it is quiet."""
        edges = self.edges(run)
        usual = float(np.median(self.heard(self.around(run), silent)))
        return edges is not None and edges[0] > usual * 10 ** (-LOUD_DB / 10)

    def breaks_off(self, run: Gap) -> bool:
        """Whether the samples beside a run move, and by more than the steps that they are stored in."""
        for samples in self.beside(run):
            differences = np.abs(np.diff(samples))
            moves = differences.max(axis=0) > 0
            step = differences[differences > 0].min(initial=np.inf)
            if 2 * moves.sum() < len(moves) or np.sqrt(np.mean(differences**2)) < 2 * step:
                return False
        return True

    def stands_out(self, run: Gap, silent: Mask) -> bool:
        """Whether both edges are as loud as sound is here, and silence is rare."""
        edges = self.edges(run)
        if edges is None or self._fades(run) or run[1] - run[0] > LONGEST_FRAMES * self.frame:
            return False
        around = self.around(run)
        heard = self.heard(around, silent)
        if len(heard) < LEAST_FRAMES // EDGE_FRAMES:
            return False
        share = float(np.mean(silent[around]))
        if share > PAUSES_SHARE:
            return share < LARGEST_SHARE and self.is_loud(run, silent)
        return min(edges) > float(np.quantile(heard, QUIETEST)) * 10 ** (-EDGE_TOLERANCE_DB / 10)


def _widened(silent: Mask, around: slice) -> Mask:
    """Silent frames and those beside them, of a part of all frames."""
    part = np.pad(silent[around], BESIDE_FRAMES)
    sums = np.concatenate([[0], np.cumsum(part)])
    near: Mask = sums[2 * BESIDE_FRAMES + 1 :] > sums[: -2 * BESIDE_FRAMES - 1]
    return near


def measure_levels(recording: SampleReader) -> FrameLevels:
    """Measure a recording in one pass."""
    frame = max(1, round(FRAME_SECONDS * recording.sample_rate))
    # One array each, filled bit by bit: hours have many frames.
    levels, high_levels = np.empty((2, recording.samples // frame), np.float32)
    least = round(SHORTEST_RUN_SECONDS * recording.sample_rate)
    still: list[Gap] = []  # samples that the next one is equal to
    peaks = np.zeros((recording.channels, 1), np.float32)
    for start in range(0, recording.samples, frame * _CHUNK_FRAMES):
        samples = recording.read(start, start + frame * _CHUNK_FRAMES + 1).astype(np.float32)
        peaks = np.maximum(peaks, np.abs(samples).max(axis=1, keepdims=True))
        here = _frame_levels(samples[:, : frame * _CHUNK_FRAMES], frame)
        frames = slice(start // frame, start // frame + len(here))
        levels[frames] = here
        bent = np.diff(samples, 2, prepend=samples[:, :1], append=samples[:, -1:])
        high_levels[frames] = _frame_levels(bent[:, : frame * _CHUNK_FRAMES], frame)
        same = (samples[:, 1:] == samples[:, :-1]).all(axis=0)
        still += [(start + first, start + last) for first, last in find_runs(same, shortest=least)]
    constant = [(start, stop + 1) for start, stop in join_gaps(still, recording.samples) if stop + 1 - start >= least]
    constant = [run for run in constant if not _is_clipped(run, recording, peaks)]
    return FrameLevels(recording, frame, levels, high_levels, constant)


def _is_clipped(run: Gap, recording: SampleReader, peaks: Array) -> bool:
    """Whether a constant run is the top of a wave that was cut off."""
    if run[1] - run[0] > LONGEST_PEAK_SECONDS * recording.sample_rate or not peaks.any():
        return False
    return bool((np.abs(recording.read(run[0], run[0] + 1)) >= PEAK_SHARE * peaks).all())


def _frame_levels(samples: Array, frame: int) -> Levels:
    """Variance in each frame, of all channels together."""
    count = samples.shape[1] // frame
    levels: Levels = samples[:, : count * frame].reshape(len(samples), count, frame).var(axis=2).sum(axis=0)
    return levels
