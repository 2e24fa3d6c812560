"""Generation by cutting and pasting (paper, section 4.1): crops of the recording joined by crossfades."""

from __future__ import annotations

import numpy as np

from baselines.transforms import Signal, rising

#: Crops are between the receptive fields of the paper's finest and coarsest scales in length.
_SHORTEST_SECONDS, _LONGEST_SECONDS, _FADE_SECONDS = 0.13, 4.0, 0.02


def generate(training: Signal, rate: int, seconds: float, rng: np.random.Generator) -> Signal:
    """Stitch together `seconds` of the recording."""
    fade, wanted = round(_FADE_SECONDS * rate), round(seconds * rate)
    longest = min(_LONGEST_SECONDS, 0.5 * len(training) / rate)
    stitched = training[:fade].copy()
    while len(stitched) < wanted:
        count = round(rng.uniform(_SHORTEST_SECONDS, longest) * rate) + fade
        start = rng.integers(0, len(training) - count)
        crop = training[start : start + count]
        joint = stitched[-fade:] + rising(fade) * (crop[:fade] - stitched[-fade:])
        stitched = np.concatenate([stitched[:-fade], joint, crop[fade:]])
    return stitched[:wanted]
