"""Gaps: where they are, and what is left around them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from caw_toolkit import Array, AudioClip, CawError, CawUsageError

Gap = tuple[int, int]

#: Parts of the recording shorter than this are not trained on.
SHORTEST_PART_SECONDS = 2.0
#: Runs of digital silence that are taken for gaps.
SHORTEST_SILENCE_SECONDS = 0.02


def checked(gaps: Sequence[Gap], clip: AudioClip) -> list[Gap]:
    """Gaps in samples, sorted.

    Raises:
        CawUsageError: if one is empty, outside the file, or overlaps another.
        CawError: if they leave too little to learn from.
    """
    ordered = sorted(gaps)
    total = clip.samples.shape[1]
    for start, stop in ordered:
        if not 0 <= start < stop <= total:
            raise CawUsageError(
                f"a hole from {start / clip.sample_rate:g} s to {stop / clip.sample_rate:g} s does not lie within the "
                f"file, which is {clip.seconds:g} s long"
            )
    for (_, stop), (start, _) in zip(ordered, ordered[1:], strict=False):
        if start < stop:
            raise CawUsageError(f"two holes overlap at {start / clip.sample_rate:g} s: join them into one")
    if not parts(clip, ordered):
        raise CawError(f"the holes leave no stretch of {SHORTEST_PART_SECONDS:g} s to learn from")
    return ordered


def parts(clip: AudioClip, gaps: Sequence[Gap]) -> list[AudioClip]:
    """What is left around the gaps and long enough to train on; the gaps themselves are never seen."""
    edges = [0, *(edge for gap in gaps for edge in gap), clip.samples.shape[1]]
    return [
        AudioClip(clip.samples[:, start:stop], clip.sample_rate)
        for start, stop in zip(edges[::2], edges[1::2], strict=True)
        if stop - start >= SHORTEST_PART_SECONDS * clip.sample_rate
    ]


def silences(clip: AudioClip) -> list[Gap]:
    """Runs of digital silence, zero in all channels."""
    least = SHORTEST_SILENCE_SECONDS * clip.sample_rate
    return [(start, stop) for start, stop in runs((clip.samples == 0).all(axis=0)) if stop - start >= least]


def runs(mask: npt.NDArray[np.bool_]) -> list[Gap]:
    """Where a mask `(samples,)` is true, in order."""
    edges = np.flatnonzero(np.diff(np.pad(mask, 1).astype(np.int8))).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def silenced(samples: Array, gaps: Sequence[Gap]) -> Array:
    """A copy with zeros in the gaps."""
    silent: Array = samples.copy()
    for start, stop in gaps:
        silent[:, start:stop] = 0
    return silent
