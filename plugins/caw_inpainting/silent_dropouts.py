"""Silent dropouts: constant samples that break sound off.

Pauses are silent as well, where a gate or an editor has made them so. What tells a dropout: the sound ends and begins
at once, at no less than the level of the quietest sound around; and such stretches are rare.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from caw_inpainting.frame_levels import EDGE_FRAMES, LEAST_FRAMES, LONGEST_FRAMES, PAUSES_SHARE, FrameLevels, Mask
from caw_inpainting.repeats import NOISELESS_SAMPLES, is_noiseless
from caw_toolkit import Gap

#: What is held is at least so many steps of the file's bit depth away from the middle.
HELD_STEPS = 16
#: What is held is no more than this below the usual level away from the middle.
HELD_DB = 20.0
#: The middle is that of so many frames around, on each side.
MIDDLE_FRAMES = 1000
#: Share of the samples beside what is held that move.
MOVING_SHARE = 0.25
#: Shorter silences are no pauses, in frames.
SHORTEST_PAUSE_FRAMES = 30
#: Where there are no more pauses than so many for each silence that breaks off loud sound, those that break off quiet
#: sound are dropouts as well.
FEW_PAUSES = 2
#: Where there are no more than so many, those in which sound fades are, too.
RARE_PAUSES = 0.25
#: Where there are more than so many, all are pauses.
MANY_PAUSES = 6


def silent_dropouts(sound: FrameLevels) -> list[Gap]:
    """Runs of digital silence, or of another constant, that break sound off.

    Those that break off loud sound do. Those that begin where it is quiet are pauses rather; but where many break
    off loud sound, those that begin in quiet places are dropouts as well: pauses are not silent there. No pause is
    held at a value far from the middle.
    """
    silent = sound.silent_frames(sound.constant)
    held = [run for run in sound.constant if _is_held(sound, run, silent)]
    inner = [run for run in sound.constant if sound.edges(run) is not None and run not in held]
    sudden = [run for run in inner if sound.stands_out(run, silent) and sound.breaks_off(run)]
    if 2 * sum(_is_in_computed_sound(sound, run) for run in sudden) > len(sudden):
        return held
    loud = [run for run in sudden if sound.is_loud(run, silent)]
    shortest_pause = SHORTEST_PAUSE_FRAMES * sound.frame
    quiet = [run for run in inner if run not in loud and run[1] - run[0] >= shortest_pause]
    pauses = [run for run in quiet if run in sudden or sound.breaks_off(run)]
    certain = len(loud) + len(held)
    if len(pauses) > MANY_PAUSES * certain:
        return held
    if len(pauses) > FEW_PAUSES * certain:
        return [*held, *loud]
    fading = [run for run in pauses if run not in sudden and run[1] - run[0] <= LONGEST_FRAMES * sound.frame]
    return [*held, *sudden, *(fading if len(pauses) <= RARE_PAUSES * certain else [])]


def _is_held(sound: FrameLevels, run: Gap, silent: Mask) -> bool:
    """Whether a value that sound has only in passing is held, on and on."""
    value = sound.recording.read(run[0], run[0] + 1)[:, 0]
    is_too_long = run[1] - run[0] > LONGEST_FRAMES * sound.frame
    if not value.any() or is_too_long or sound.edges(run) is None:
        return False
    around = sound.around(run)
    heard = sound.heard(around, silent)
    if len(heard) < LEAST_FRAMES // EDGE_FRAMES or np.mean(silent[around]) > PAUSES_SHARE:
        return False
    moves = all((np.diff(side) != 0).any(axis=0).mean() > MOVING_SHARE for side in sound.beside(run))
    return moves and _is_far_from_middle(sound, run, value, float(np.median(heard)))


def _is_far_from_middle(sound: FrameLevels, run: Gap, value: npt.NDArray[np.floating], usual: float) -> bool:
    """Whether the value of a run is far from the mean around it, by the usual level and the steps of the file."""
    reach = MIDDLE_FRAMES * sound.frame
    middle = sound.recording.read(run[0] - reach, run[1] + reach).mean(axis=1)
    offset = np.where(value == 0, 0, value - middle)
    differences = np.abs(np.concatenate([np.diff(side) for side in sound.beside(run)], axis=1))
    step = differences[differences > 0].min(initial=np.inf)
    return bool(np.abs(offset).max() > HELD_STEPS * step and np.sum(offset**2) > usual * 10 ** (-HELD_DB / 10))


def _is_in_computed_sound(sound: FrameLevels, run: Gap) -> bool:
    """Whether sound beside a run has no noise: the rests of a synthesizer are sudden."""
    reach = NOISELESS_SAMPLES
    sides = sound.recording.read(run[0] - reach, run[0]), sound.recording.read(run[1], run[1] + reach)
    mono = [side.sum(axis=0, dtype=np.float64) for side in sides]
    return any(is_noiseless(side) for side in mono if np.diff(side).any())
