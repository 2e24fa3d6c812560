"""How far a band that was added is from the true one, as far as there is one."""

from __future__ import annotations

import numpy as np

from baselines.transforms import Signal, transform
from caw_bandwidth_extension.task import bandwidth

_WINDOW, _HOP = 1024, 512
_LONG_WINDOW = 2048
#: What is not audio but the end of a filter.
_HIGHEST_HZ = 20_000.0
#: Frames this far below the loudest count as pauses.
_QUIET_DB = 45.0


def distance_within_band(reference: Signal, output: Signal, rate: int) -> float:
    """Log-spectral distance as in the paper, over the bins up to where the reference has content.

    What an encoder has emptied is a matter of the encoder. In natural logarithms of power.

    Args:
        reference: the full-bandwidth recording, `(samples,)`.
        output: the extended one, as long.
        rate: of both, Hz.
    """
    bins = int(_top(reference, rate) / rate * _LONG_WINDOW) + 1
    logs = [
        np.log(np.abs(transform(signal, _LONG_WINDOW, _LONG_WINDOW, padding="reflect")[:bins]) ** 2 + 1e-15)
        for signal in (reference, output)
    ]
    return float(np.sqrt(((logs[0] - logs[1]) ** 2).mean(0)).mean())


def band_error(reference: Signal, output: Signal, rate: int, cutoff: float) -> float:
    """Mean absolute error in dB of the levels of half octaves from `cutoff` Hz on, in frames of 23 ms.

    Frames in which the reference has next to nothing above the cutoff do not count.

    Args:
        reference: the full-bandwidth recording, `(samples,)`.
        output: the extended one, as long.
        rate: of both, Hz.
        cutoff: where the band begins, below what the reference has.
    """
    top = min(_HIGHEST_HZ, _top(reference, rate))
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


def _top(reference: Signal, rate: int) -> float:
    return bandwidth(reference[None].astype(np.float32), rate)
