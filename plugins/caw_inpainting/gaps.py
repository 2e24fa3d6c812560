"""Gaps: where they are, and what is left around them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from caw_toolkit import Array, AudioClip, CawError, CawUsageError, Gap

#: Parts of the recording shorter than this are not trained on.
SHORTEST_PART_SECONDS = 2.0
#: Runs of digital silence that are taken for gaps.
SHORTEST_SILENCE_SECONDS = 0.02


def check_gaps(gaps: Sequence[Gap], clip: AudioClip) -> list[Gap]:
    """Gaps in order, those that touch or overlap joined.

    Args:
        gaps: in samples.
        clip: that they are in.

    Raises:
        CawUsageError: if one is empty or outside the file.
        CawError: if they leave too little to learn from.
    """
    total = clip.samples.shape[1]
    for start, stop in sorted(gaps):
        if not 0 <= start < stop <= total:
            raise CawUsageError(
                f"a hole from {start / clip.sample_rate:g} s to {stop / clip.sample_rate:g} s does not lie within the "
                f"file, which is {clip.seconds:g} s long"
            )
    joined = join_gaps(gaps, total)
    if joined and not remaining_parts(clip, joined):
        raise CawError(f"the holes leave no stretch of {SHORTEST_PART_SECONDS:g} s to learn from")
    return joined


def join_gaps(gaps: Sequence[Gap], samples: int) -> list[Gap]:
    """Gaps in order, those that touch or overlap joined, what lies beyond the end of the signal left out.

    >>> join_gaps([(5, 9), (1, 3), (2, 4)], samples=8)
    [(1, 4), (5, 8)]
    """
    missing = np.zeros(samples, bool)
    for start, stop in gaps:
        missing[start:stop] = True
    return find_runs(missing)


def remaining_parts(clip: AudioClip, gaps: Sequence[Gap]) -> list[AudioClip]:
    """What is left around the gaps and long enough to train on; the gaps themselves are never seen."""
    edges = [0, *(edge for gap in gaps for edge in gap), clip.samples.shape[1]]
    return [
        AudioClip(clip.samples[:, start:stop], clip.sample_rate)
        for start, stop in zip(edges[::2], edges[1::2], strict=True)
        if stop - start >= SHORTEST_PART_SECONDS * clip.sample_rate
    ]


def find_silences(clip: AudioClip) -> list[Gap]:
    """Runs of digital silence, zero in all channels."""
    least = SHORTEST_SILENCE_SECONDS * clip.sample_rate
    return [(start, stop) for start, stop in find_runs((clip.samples == 0).all(axis=0)) if stop - start >= least]


def find_runs(mask: npt.NDArray[np.bool_]) -> list[Gap]:
    """Where a mask `(samples,)` is true, in order."""
    edges = np.flatnonzero(np.diff(np.pad(mask, 1).astype(np.int8))).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def silence(samples: Array, gaps: Sequence[Gap]) -> Array:
    """A copy with zeros in the gaps."""
    silent: Array = samples.copy()
    for start, stop in gaps:
        silent[:, start:stop] = 0
    return silent
