"""Gap filling by autoregressive extrapolation from both sides, crossfaded over the whole gap."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter, lfiltic

from baselines.transforms import Signal, rising

_ORDER, _CONTEXT_SECONDS = 1024, 2.0


def fill(broken: Signal, rate: int, gap: tuple[int, int]) -> Signal:
    """Fill a gap, `(start, stop)` in samples, that has signal on both sides."""
    start, stop = gap
    context, count = int(_CONTEXT_SECONDS * rate), stop - start
    forward = _continued(broken[max(0, start - context) : start], count)
    backward = _continued(broken[stop : stop + context][::-1], count)[::-1]
    filled = broken.copy()
    filled[start:stop] = forward + rising(count) * (backward - forward)
    return filled


def _continued(past: Signal, count: int) -> Signal:
    coefficients = burg(past, min(_ORDER, len(past) // 3))
    state = lfiltic([1.0], coefficients, past[::-1][: len(coefficients) - 1])
    return np.asarray(lfilter([1.0], coefficients, np.zeros(count), zi=state)[0])


def burg(signal: Signal, order: int) -> Signal:
    """Prediction-error filter by Burg's method, `(order + 1,)`, beginning with 1."""
    coefficients = np.ones(1)
    forward, backward = signal[1:].copy(), signal[:-1].copy()
    for _ in range(order):
        energy = forward @ forward + backward @ backward
        reflection = -2 * (forward @ backward) / (energy + 1e-30)
        extended = np.append(coefficients, 0.0)
        coefficients = extended + reflection * extended[::-1]
        forward, backward = (forward + reflection * backward)[1:], (backward + reflection * forward)[:-1]
    return coefficients
