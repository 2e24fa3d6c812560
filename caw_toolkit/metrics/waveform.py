"""Ratios of signal to error, sample by sample."""

from __future__ import annotations

import numpy as np

from caw_toolkit.metrics.signals import Signal, common_length

_LEAST_ENERGY = 1e-15


def signal_to_noise_ratio(reference: Signal, estimate: Signal) -> float:
    """`10 log10(sum x^2 / sum (x - y)^2)` in dB, without any alignment of level or time.

    >>> round(signal_to_noise_ratio(np.ones(100), np.full(100, 0.9)), 6)
    20.0
    """
    reference, estimate = common_length(reference, estimate)
    return _decibels(reference @ reference, (reference - estimate) @ (reference - estimate))


def scale_invariant_sdr(reference: Signal, estimate: Signal) -> float:
    """Energy of the estimate's part that is a multiple of the reference, against that of the rest, in dB.

    Le Roux et al., "SDR: half-baked or well done?", 2019.
    """
    reference, estimate = common_length(reference, estimate)
    target = reference * (reference @ estimate) / (reference @ reference + _LEAST_ENERGY)
    return _decibels(target @ target, (estimate - target) @ (estimate - target))


def _decibels(numerator: float, denominator: float) -> float:
    return float(10 * np.log10((numerator + _LEAST_ENERGY) / (denominator + _LEAST_ENERGY)))
