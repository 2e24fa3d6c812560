"""How much of a generated signal is a copy of the recording that it was learnt from."""

from __future__ import annotations

import numpy as np

from caw_toolkit.metrics.signals import Signal
from caw_toolkit.metrics.similarity import (
    SHORTEST_SECONDS,
    SIMILARITY,
    RunFinder,
    shortest_frames,
    similarity_blocks,
    unit_spectra,
)


def copied_share(
    real: Signal,
    generated: Signal,
    sample_rate: int,
    *,
    shortest_seconds: float = SHORTEST_SECONDS,
    similarity: float = SIMILARITY,
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

    Returns:
        From 0 to 1; NaN where the generated signal is silent.

    Raises:
        ValueError: if a signal is not one-dimensional, or `shortest_seconds` is NaN.

    Example:
        >>> noise = np.random.default_rng(0).standard_normal(32000)
        >>> copied_share(noise[:16000], noise[:16000], 16000), copied_share(noise[:16000], noise[16000:], 16000)
        (1.0, 0.0)
    """
    known, made = unit_spectra(real), unit_spectra(generated)
    known.frames[~known.heard] = 0
    finder = RunFinder(len(known.frames), shortest_frames(shortest_seconds, sample_rate))
    for _, block in similarity_blocks(known.frames, made.frames):
        finder.add(block > similarity)
    runs = finder.found()
    begun = np.zeros(len(made.frames) + 1, np.int64)  # runs that begin at a frame, less those that end
    np.add.at(begun, runs.starts, 1)
    np.add.at(begun, runs.starts + runs.lengths, -1)
    copied = np.cumsum(begun[:-1]) > 0
    return float(copied[made.heard].mean()) if made.heard.any() else float("nan")
