"""Dropouts that are holes in the noise floor: the level falls far below it at once, and comes back at once."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from caw_inpainting.frame_levels import EDGE_FRAMES, LONGEST_FRAMES, PAUSES_SHARE, FrameLevels, Mask
from caw_inpainting.gaps import gaps_within
from caw_toolkit import Gap

#: Shortest dropout.
SHORTEST_FRAMES = 5
#: A dropout ends where the level is up, and in more than this share of as many frames as the shortest has.
MOSTLY_UP = 0.5
#: What is before a dropout and after it has been steady for so many frames.
STEADY_FRAMES = 20
#: A dropout is so far below that.
DEPTH_DB = 20.0
#: Quantile of a dropout's levels that counts where it is quiet.
QUIET_QUANTILE = 0.2
#: Quantile of the levels around that is the quietest of all pauses.
PAUSE_QUANTILE = 0.005
#: Where it is quiet, a dropout is so far below any pause, too.
BELOW_PAUSES_DB = 6.0
#: Noise is steady that is as loud on both sides to this.
SAME_DB = 3.0
#: Noise is steady whose levels differ by no more than this.
SPREAD_DB = 6.0
#: So many frames of a dropout, those at its edges included, do not stay the same.
BESIDE_CONSTANT_FRAMES = 5


def level_dropouts(sound: FrameLevels) -> list[Gap]:
    """Stretches far below what is on both sides that begin and end at once; one more frame on each side."""
    runs = [run for run in _falls(sound) if _is_level_dropout(sound, run)]
    stretches = [((start - 1) * sound.frame, (stop + 1) * sound.frame) for start, stop in runs]
    stretches = [stretch for stretch in stretches if not _is_constant(sound, stretch)]
    silent = sound.silent_frames([*stretches, *sound.constant])
    return [
        stretch
        for stretch in stretches
        if (sound.stands_out(stretch, silent) or _is_in_steady_noise(sound, stretch, silent))
        and _is_below(sound, stretch, silent)
        and sound.breaks_off(stretch)
    ]


def _is_constant(sound: FrameLevels, stretch: Gap) -> bool:
    """Whether a stretch is a constant run, which is judged as such."""
    runs = gaps_within(sound.constant, *stretch)
    longest = max((stop - start for start, stop in runs), default=0)
    return longest > stretch[1] - stretch[0] - BESIDE_CONSTANT_FRAMES * sound.frame


def _is_below(sound: FrameLevels, stretch: Gap, silent: Mask) -> bool:
    """Whether a dropout is below the noise of any pause around it."""
    inside = slice(stretch[0] // sound.frame + 1, stretch[1] // sound.frame - 1)
    return any(
        np.quantile(levels[inside], QUIET_QUANTILE)
        < np.quantile(sound.heard(sound.around(stretch), silent, levels), PAUSE_QUANTILE)
        * 10 ** (-BELOW_PAUSES_DB / 10)
        for levels in (sound.levels, sound.high_levels)
    )


def _falls(sound: FrameLevels) -> list[Gap]:
    """Runs of frames that begin with a sudden fall, and end where the level is up again."""
    if len(sound.levels) < 2 * STEADY_FRAMES:
        return []
    before = sliding_window_view(sound.levels, STEADY_FRAMES // 2).min(axis=1)  # the least, from its frame on
    before *= 10 ** (-DEPTH_DB / 10)  # in place: hours have many frames
    first = STEADY_FRAMES // 2 + 1  # where the first dropout may begin: one frame may be half in it
    runs: list[Gap] = []
    for start in (np.flatnonzero(sound.levels[first:] < before[: len(sound.levels) - first]) + first).tolist():
        if (runs and start < runs[-1][1]) or start + SHORTEST_FRAMES > len(sound.levels):
            continue
        ahead = sound.levels[start : start + LONGEST_FRAMES]
        is_up = sliding_window_view(ahead > before[start - first], SHORTEST_FRAMES)
        up = np.flatnonzero(is_up[:, 0] & (is_up.mean(axis=1) > MOSTLY_UP))
        if len(up) and up[0] >= SHORTEST_FRAMES:
            runs.append((start, start + int(up[0])))
    return runs


def _is_level_dropout(sound: FrameLevels, run: Gap) -> bool:
    """Whether the level in a run of frames is far below what is steadily before and after it."""
    start, stop = run
    before, after = (
        sound.levels[max(0, start - 1 - STEADY_FRAMES) : start - 1],
        sound.levels[stop + 1 :][:STEADY_FRAMES],
    )
    if min(len(before), len(after)) < STEADY_FRAMES:
        return False
    steady = min(np.quantile(before, 0.2), np.quantile(after, 0.2))
    inside = sound.recording.read((start + 1) * sound.frame, (stop - 1) * sound.frame).var(axis=1).sum()
    return bool(np.median(sound.levels[start:stop]) < steady * 10 ** (-DEPTH_DB / 10) and inside < steady)


def _is_in_steady_noise(sound: FrameLevels, run: Gap, silent: Mask) -> bool:
    """Whether noise that is steady breaks off and comes back as it was, as quiet as it may be; silence is rare."""
    first, last = run[0] // sound.frame, run[1] // sound.frame
    sides = sound.levels[max(0, first - EDGE_FRAMES) : first], sound.levels[last : last + EDGE_FRAMES]
    if min(map(len, sides)) < EDGE_FRAMES or np.mean(silent[sound.around(run)]) > PAUSES_SHARE:
        return False
    means = [side.mean() for side in sides]
    steady = all(np.quantile(side, 0.9) < np.quantile(side, 0.1) * 10 ** (SPREAD_DB / 10) for side in sides)
    return bool(steady and max(means) < min(means) * 10 ** (SAME_DB / 10))
