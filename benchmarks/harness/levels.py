"""How far levels of a band that was added are from the true ones."""

from __future__ import annotations

import numpy as np

from baselines.transforms import Signal, transform
from caw_bandwidth_extension.task import bandwidth

_WINDOW, _HOP = 1024, 512
#: What is not audio but the end of a filter.
_HIGHEST_HZ = 20_000.0
#: Frames this far below the loudest count as pauses.
_QUIET_DB = 45.0


def band_error(reference: Signal, output: Signal, rate: int, cutoff: float) -> float:
    """Mean absolute error in dB of the levels of half octaves from `cutoff` Hz on, in frames of 23 ms.

    Frames in which the reference has next to nothing above the cutoff do not count.

    Args:
        reference: the full-bandwidth recording, `(samples,)`.
        output: the extended one, as long.
        rate: of both, Hz.
        cutoff: where the band begins, below what the reference has.
    """
    top = min(_HIGHEST_HZ, bandwidth(reference[None].astype(np.float32), rate))
    octaves = np.log2(top / cutoff)
    edges = [*(cutoff * 2 ** (step / 2) for step in range(max(1, round(2 * octaves)))), top]
    real, made = (np.abs(transform(signal, _WINDOW, _HOP)) ** 2 for signal in (reference, output))
    frequencies = np.arange(len(real)) * rate / _WINDOW

    def levels(power: np.ndarray, low: float, high: float) -> np.ndarray:
        return np.asarray(10 * np.log10(power[(frequencies >= low) & (frequencies < high)].sum(0) + 1e-10))

    total = levels(real, cutoff, top)
    heard = total > total.max() - _QUIET_DB
    bands = list(zip(edges, edges[1:], strict=False))
    return float(np.mean([np.abs(levels(made, *band) - levels(real, *band))[heard] for band in bands]))
