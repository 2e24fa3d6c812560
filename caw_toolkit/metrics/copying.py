"""How much of a generated signal is a copy of the recording that it was learnt from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from caw_toolkit.metrics.signals import Signal
from caw_toolkit.metrics.similarity import (
    SHORTEST_SECONDS,
    SIMILARITY,
    RunFinder,
    UnitSpectra,
    shortest_frames,
    similarity_blocks,
)


def copied_share(
    real: Signal,
    generated: Signal,
    sample_rate: int,
    *,
    shortest_seconds: float = SHORTEST_SECONDS,
    similarity: float = SIMILARITY,
    on_progress: Callable[[float], None] | None = None,
) -> float:
    """Share of generated frames that lie on a copied run.

    A run is a diagonal of the similarity matrix of the paper's equation (9): frame after frame of the generated signal
    is like frame after frame of the recording. Silent frames do not count.

    Args:
        real: the recording, `(samples,)`.
        generated: what was learnt from it, `(samples,)`.
        sample_rate: of both, Hz.
        shortest_seconds: runs shorter than this are no copies; above 0.
        similarity: cosine of the magnitude spectra (window 4096, hop 128) above which two frames are alike.
        on_progress: called with the share that is done, from 0 to 1.

    Returns:
        From 0 to 1; NaN where the generated signal is silent.

    Raises:
        ValueError: if a signal is not one-dimensional, or `shortest_seconds` is NaN.

    Example:
        >>> noise = np.random.default_rng(0).standard_normal(32000)
        >>> copied_share(noise[:16000], noise[:16000], 16000), copied_share(noise[:16000], noise[16000:], 16000)
        (1.0, 0.0)
    """
    known, made = UnitSpectra(real).heard_frames(), UnitSpectra(generated)
    count = len(made.heard)
    finder = RunFinder(len(known), shortest_frames(shortest_seconds, sample_rate))
    for start, block in similarity_blocks(known, made):
        finder.add(block > similarity)
        if on_progress is not None:
            on_progress((start + len(block)) / count)
    runs = finder.found()
    begun = np.zeros(count + 1, np.int64)  # runs that begin at a frame, less those that end
    np.add.at(begun, runs.starts, 1)
    np.add.at(begun, runs.starts + runs.lengths, -1)
    copied = np.cumsum(begun[:-1]) > 0
    return float(copied[made.heard].mean()) if made.heard.any() else float("nan")
