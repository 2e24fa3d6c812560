"""Dropouts that are silent: constant samples, and stretches far below the noise of a recording.

Pauses are silent as well, where a gate or an editor has made them so. What tells a dropout: the sound ends and begins
at once, at no less than the level of the quietest sound around; and such stretches are rare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from caw_inpainting.gaps import SampleReader, find_runs, gaps_within, join_gaps
from caw_inpainting.repeats import NOISELESS_SAMPLES, is_noiseless
from caw_toolkit import Array, Gap

Levels = npt.NDArray[np.float32]
Sound = npt.NDArray[np.float64]

#: Levels are variances in frames of this length: rumble, hum and offset count for little.
FRAME_SECONDS = 0.001
#: Shortest constant run and shortest level dropout.
SHORTEST_RUN_SECONDS, SHORTEST_DROPOUT_FRAMES = 0.003, 5
#: The sound on each side of a constant run is looked at for so long.
EDGE_FRAMES = 10
#: What is within so many frames this far below what is beside them fades.
FADED_FRAMES, FADE_FRAMES, FADE_DB = 3, 40, 18.0
#: How far around a dropout the quietest sound is looked for, in frames, and how near to other silences it is not.
AROUND_FRAMES, BESIDE_FRAMES = 10_000, 300
#: The quietest sound is this quantile of the levels; edges may be this much below it.
QUIETEST, EDGE_TOLERANCE_DB = 0.05, 6.0
#: Less sound around than this says nothing about it, in frames.
LEAST_FRAMES = 500
#: Where silences are more than this share of what is around, they are pauses; but for those that break off loud sound,
#: which is no more than this below the usual level. Where they are more than the last, they are all pauses.
PAUSES_SHARE, LOUD_DB, LARGEST_SHARE = 0.1, 6.0, 0.25
#: A dropout ends where the level is up, and in more than this share of as many frames as the shortest has.
MOSTLY_UP = 0.5
#: What is before a dropout and after it has been steady for so many frames, and the dropout is so far below.
STEADY_FRAMES, DROPOUT_DEPTH_DB = 20, 20.0
#: Where it is quiet, it is so far below any pause, too: this quantile of its levels below that of those around.
QUIET_QUANTILE, PAUSE_QUANTILE, BELOW_PAUSES_DB = 0.2, 0.005, 6.0
#: Noise is steady that is as loud on both sides to this, and whose levels differ by no more than that.
SAME_DB, SPREAD_DB = 3.0, 6.0
#: What is held is so many steps of the file's bit depth, and no more than this below the usual level, away from the
#: middle of what is so far around; and of the samples beside it this share moves.
HELD_STEPS, HELD_DB, MIDDLE_FRAMES, MOVING_SHARE = 16, 20.0, 1000, 0.25
#: Shorter runs at the largest value of a channel are clipped peaks.
LONGEST_PEAK_SECONDS, PEAK_SHARE = 0.02, 0.98
#: So many frames of a dropout, those at its edges included, do not stay the same.
BESIDE_CONSTANT_FRAMES = 5
#: Longer stretches are pauses, and shorter silences none.
LONGEST_FRAMES, SHORTEST_PAUSE_FRAMES = 1000, 30
#: Where there are no more pauses than so many for each silence that breaks off loud sound, those that break off quiet
#: sound are dropouts as well; where there are a quarter as many, those in which it fades; where there are more than the
#: last, all are pauses.
FEW_PAUSES, RARE_PAUSES, MANY_PAUSES = 2, 0.25, 6
_CHUNK_FRAMES = 20_000


@dataclass(frozen=True)
class QuietRuns:
    """Stretches of a recording that may be dropouts.

    Attributes:
        recording: that they are in.
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

    def silences(self) -> list[Gap]:
        """Runs of digital silence, or of another constant, that break sound off.

        Those that break off loud sound do. Those that begin where it is quiet are pauses rather; but where many break
        off loud sound, those that begin in quiet places are dropouts as well: pauses are not silent there. No pause is
        held at a value far from the middle.
        """
        silent = self._near_frames(self.constant)
        held = [run for run in self.constant if self._is_held(run, silent)]
        inner = [run for run in self.constant if self._edges(run) is not None and run not in held]
        sudden = [run for run in inner if self._stands_out(run, silent) and self._breaks_off(run)]
        if 2 * sum(map(self._is_in_computed_sound, sudden)) > len(sudden):
            return held
        loud = [run for run in sudden if self._is_loud(run, silent)]
        shortest_pause = SHORTEST_PAUSE_FRAMES * self.frame
        quiet = [run for run in inner if run not in loud and run[1] - run[0] >= shortest_pause]
        pauses = [run for run in quiet if run in sudden or self._breaks_off(run)]
        certain = len(loud) + len(held)
        if len(pauses) > MANY_PAUSES * certain:
            return held
        if len(pauses) > FEW_PAUSES * certain:
            return [*held, *loud]
        fading = [run for run in pauses if run not in sudden and run[1] - run[0] <= LONGEST_FRAMES * self.frame]
        return [*held, *sudden, *(fading if len(pauses) <= RARE_PAUSES * certain else [])]

    def _is_held(self, run: Gap, silent: npt.NDArray[np.bool_]) -> bool:
        """Whether a value that sound has only in passing is held, on and on."""
        value = self.recording.read(run[0], run[0] + 1)[:, 0]
        is_too_long = run[1] - run[0] > LONGEST_FRAMES * self.frame
        if not value.any() or is_too_long or self._edges(run) is None:
            return False
        around = self._around(run)
        heard = self._heard(around, silent)
        if len(heard) < LEAST_FRAMES // EDGE_FRAMES or np.mean(silent[around]) > PAUSES_SHARE:
            return False
        moves = all((np.diff(side) != 0).any(axis=0).mean() > MOVING_SHARE for side in self._beside(run))
        return moves and self._is_far_from_middle(run, value, float(np.median(heard)))

    def _is_far_from_middle(self, run: Gap, value: npt.NDArray[np.floating], usual: float) -> bool:
        """Whether the value of a run is far from the mean around it, by the usual level and the steps of the file."""
        reach = MIDDLE_FRAMES * self.frame
        middle = self.recording.read(run[0] - reach, run[1] + reach).mean(axis=1)
        offset = np.where(value == 0, 0, value - middle)
        differences = np.abs(np.concatenate([np.diff(side) for side in self._beside(run)], axis=1))
        step = differences[differences > 0].min(initial=np.inf)
        return bool(np.abs(offset).max() > HELD_STEPS * step and np.sum(offset**2) > usual * 10 ** (-HELD_DB / 10))

    def level_dropouts(self) -> list[Gap]:
        """Stretches far below what is on both sides that begin and end at once; one more frame on each side."""
        runs = [run for run in self._falls() if self._is_level_dropout(run)]
        stretches = [((start - 1) * self.frame, (stop + 1) * self.frame) for start, stop in runs]
        stretches = [stretch for stretch in stretches if not self._is_constant(stretch)]
        silent = self._near_frames([*stretches, *self.constant])
        return [
            stretch
            for stretch in stretches
            if (self._stands_out(stretch, silent) or self._is_in_steady_noise(stretch, silent))
            and self._is_below(stretch, silent)
            and self._breaks_off(stretch)
        ]

    def _is_constant(self, stretch: Gap) -> bool:
        """Whether a stretch is a constant run, which is judged as such."""
        runs = gaps_within(self.constant, *stretch)
        longest = max((stop - start for start, stop in runs), default=0)
        return longest > stretch[1] - stretch[0] - BESIDE_CONSTANT_FRAMES * self.frame

    def _is_below(self, stretch: Gap, silent: npt.NDArray[np.bool_]) -> bool:
        """Whether a dropout is below the noise of any pause around it."""
        inside = slice(stretch[0] // self.frame + 1, stretch[1] // self.frame - 1)
        return any(
            np.quantile(levels[inside], QUIET_QUANTILE)
            < np.quantile(self._heard(self._around(stretch), silent, levels), PAUSE_QUANTILE)
            * 10 ** (-BELOW_PAUSES_DB / 10)
            for levels in (self.levels, self.high_levels)
        )

    def _falls(self) -> list[Gap]:
        """Runs of frames that begin with a sudden fall, and end where the level is up again."""
        if len(self.levels) < 2 * STEADY_FRAMES:
            return []
        before = sliding_window_view(self.levels, STEADY_FRAMES // 2).min(axis=1)  # the least, from its frame on
        before *= 10 ** (-DROPOUT_DEPTH_DB / 10)  # in place: hours have many frames
        first = STEADY_FRAMES // 2 + 1  # where the first dropout may begin: one frame may be half in it
        runs: list[Gap] = []
        for start in (np.flatnonzero(self.levels[first:] < before[: len(self.levels) - first]) + first).tolist():
            if (runs and start < runs[-1][1]) or start + SHORTEST_DROPOUT_FRAMES > len(self.levels):
                continue
            ahead = self.levels[start : start + LONGEST_FRAMES]
            is_up = sliding_window_view(ahead > before[start - first], SHORTEST_DROPOUT_FRAMES)
            up = np.flatnonzero(is_up[:, 0] & (is_up.mean(axis=1) > MOSTLY_UP))
            if len(up) and up[0] >= SHORTEST_DROPOUT_FRAMES:
                runs.append((start, start + int(up[0])))
        return runs

    def _is_level_dropout(self, run: Gap) -> bool:
        """Whether the level in a run of frames is far below what is steadily before and after it."""
        start, stop = run
        before, after = (
            self.levels[max(0, start - 1 - STEADY_FRAMES) : start - 1],
            self.levels[stop + 1 :][:STEADY_FRAMES],
        )
        if min(len(before), len(after)) < STEADY_FRAMES:
            return False
        steady = min(np.quantile(before, 0.2), np.quantile(after, 0.2))
        inside = self.recording.read((start + 1) * self.frame, (stop - 1) * self.frame).var(axis=1).sum()
        return bool(np.median(self.levels[start:stop]) < steady * 10 ** (-DROPOUT_DEPTH_DB / 10) and inside < steady)

    def _stands_out(self, run: Gap, silent: npt.NDArray[np.bool_]) -> bool:
        """Whether both edges are as loud as sound is here, and silence is rare."""
        edges = self._edges(run)
        if edges is None or self._fades(run) or run[1] - run[0] > LONGEST_FRAMES * self.frame:
            return False
        around = self._around(run)
        heard = self._heard(around, silent)
        if len(heard) < LEAST_FRAMES // EDGE_FRAMES:
            return False
        share = float(np.mean(silent[around]))
        if share > PAUSES_SHARE:
            return share < LARGEST_SHARE and self._is_loud(run, silent)
        return min(edges) > float(np.quantile(heard, QUIETEST)) * 10 ** (-EDGE_TOLERANCE_DB / 10)

    def _is_in_steady_noise(self, run: Gap, silent: npt.NDArray[np.bool_]) -> bool:
        """Whether noise that is steady breaks off and comes back as it was, as quiet as it may be; silence is rare."""
        first, last = run[0] // self.frame, run[1] // self.frame
        sides = self.levels[max(0, first - EDGE_FRAMES) : first], self.levels[last : last + EDGE_FRAMES]
        if min(map(len, sides)) < EDGE_FRAMES or np.mean(silent[self._around(run)]) > PAUSES_SHARE:
            return False
        means = [side.mean() for side in sides]
        steady = all(np.quantile(side, 0.9) < np.quantile(side, 0.1) * 10 ** (SPREAD_DB / 10) for side in sides)
        return bool(steady and max(means) < min(means) * 10 ** (SAME_DB / 10))

    def _is_loud(self, run: Gap, silent: npt.NDArray[np.bool_]) -> bool:
        """Whether a run breaks off sound about as loud as it usually is around; pauses begin where it is quiet."""
        edges = self._edges(run)
        usual = float(np.median(self._heard(self._around(run), silent)))
        return edges is not None and edges[0] > usual * 10 ** (-LOUD_DB / 10)

    def _breaks_off(self, run: Gap) -> bool:
        """Whether the samples beside a run move, and by more than the steps that they are stored in."""
        for samples in self._beside(run):
            differences = np.abs(np.diff(samples))
            moves = differences.max(axis=0) > 0
            step = differences[differences > 0].min(initial=np.inf)
            if 2 * moves.sum() < len(moves) or np.sqrt(np.mean(differences**2)) < 2 * step:
                return False
        return True

    def _is_in_computed_sound(self, run: Gap) -> bool:
        """Whether sound beside a run has no noise: the rests of a synthesizer are sudden."""
        reach = NOISELESS_SAMPLES
        sides = self.recording.read(run[0] - reach, run[0]), self.recording.read(run[1], run[1] + reach)
        mono = [side.sum(axis=0, dtype=np.float64) for side in sides]
        return any(is_noiseless(side) for side in mono if np.diff(side).any())

    def _beside(self, run: Gap) -> tuple[Sound, Sound]:
        """The samples before a run and after it."""
        length = EDGE_FRAMES * self.frame
        before, after = self.recording.read(run[0] - length, run[0]), self.recording.read(run[1], run[1] + length)
        return before.astype(np.float64), after.astype(np.float64)

    def _edges(self, run: Gap) -> tuple[float, float] | None:
        """Levels before and after a run; None if it is at the beginning or end of the recording."""
        first, last = run[0] // self.frame, -(-run[1] // self.frame)
        if first < EDGE_FRAMES or last + EDGE_FRAMES > len(self.levels):
            return None
        before, after = self.levels[first - EDGE_FRAMES : first], self.levels[last : last + EDGE_FRAMES]
        return float(before.mean()), float(after.mean())

    def _fades(self, run: Gap) -> bool:
        """Whether the sound fades out or in beside a run."""
        first, last = run[0] // self.frame, -(-run[1] // self.frame)
        before, after = self.levels[:first][::-1][:FADE_FRAMES], self.levels[last : last + FADE_FRAMES]
        return any(
            side[:FADED_FRAMES].mean() < side[FADED_FRAMES:].mean() * 10 ** (-FADE_DB / 10) for side in (before, after)
        )

    def _around(self, run: Gap) -> slice:
        first, last = run[0] // self.frame, run[1] // self.frame
        return slice(max(0, first - AROUND_FRAMES), last + AROUND_FRAMES)

    def _heard(self, around: slice, silent: npt.NDArray[np.bool_], levels: Levels | None = None) -> Levels:
        """Levels over `EDGE_FRAMES` each, away from silence."""
        count = len(self.levels[around]) // EDGE_FRAMES * EDGE_FRAMES
        levels = (self.levels if levels is None else levels)[around][:count].reshape(-1, EDGE_FRAMES).mean(axis=1)
        far: Levels = levels[~_widened(silent, around)[:count].reshape(-1, EDGE_FRAMES).any(axis=1)]
        return far

    def _near_frames(self, runs: Sequence[Gap]) -> npt.NDArray[np.bool_]:
        """Which frames are silent, but for the beginning and the end of the recording."""
        silent = np.zeros(len(self.levels), bool)
        for start, stop in runs:
            if start > 0 and stop < self.recording.samples:
                silent[start // self.frame : -(-stop // self.frame)] = True
        return silent


def _widened(silent: npt.NDArray[np.bool_], around: slice) -> npt.NDArray[np.bool_]:
    """Silent frames and those beside them, of a part of all frames."""
    part = np.pad(silent[around], BESIDE_FRAMES)
    sums = np.concatenate([[0], np.cumsum(part)])
    near: npt.NDArray[np.bool_] = sums[2 * BESIDE_FRAMES + 1 :] > sums[: -2 * BESIDE_FRAMES - 1]
    return near


def quiet_runs(recording: SampleReader) -> QuietRuns:
    """What may be a silent dropout in a recording, in one pass."""
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
    return QuietRuns(recording, frame, levels, high_levels, constant)


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
