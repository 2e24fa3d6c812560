"""Generation by cutting and pasting (paper, section 4.1): crops of the recording joined by crossfades.

What takes are compared with: every moment of it is a copy.
"""

from __future__ import annotations

import numpy as np

from caw_toolkit.metrics import Signal

#: Crops are at least as long as the receptive field of the paper's finest scale.
_SHORTEST_SECONDS = 0.13
#: They are at most as long as that of its coarsest.
_LONGEST_SECONDS = 4.0
#: Crossfade from one to the next.
_FADE_SECONDS = 0.02


def generate(training: Signal, sample_rate: int, seconds: float, rng: np.random.Generator) -> Signal:
    """Stitch together `seconds` of the recording.

    Args:
        training: the recording, `(samples,)`, at least 0.5 s.
        sample_rate: Hz.
        seconds: how much.
        rng: chooses the crops.
    """
    fade, wanted = round(_FADE_SECONDS * sample_rate), round(seconds * sample_rate)
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)
    longest = min(_LONGEST_SECONDS, 0.5 * len(training) / sample_rate)
    stitched = training[:fade].copy()
    while len(stitched) < wanted:
        count = round(rng.uniform(_SHORTEST_SECONDS, longest) * sample_rate) + fade
        start = rng.integers(0, len(training) - count)
        crop = training[start : start + count]
        joint = stitched[-fade:] + rise * (crop[:fade] - stitched[-fade:])
        stitched = np.concatenate([stitched[:-fade], joint, crop[fade:]])
    return np.asarray(stitched[:wanted])
