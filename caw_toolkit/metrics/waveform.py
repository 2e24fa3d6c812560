"""Ratios of signal to error, sample by sample."""

from __future__ import annotations

import numpy as np

from caw_toolkit.metrics.signals import Signal, common_length

_LEAST_ENERGY = 1e-15


def signal_to_noise_ratio(reference: Signal, estimate: Signal) -> float:
    """`10 log10(sum x^2 / sum (x - y)^2)` in dB, without any alignment of level or time.

    Args:
        reference: the truth, `(samples,)`.
        estimate: what is compared with it, `(samples,)`.

    Returns:
        In dB; finite, as 1e-15 is added to both energies.

    Raises:
        ValueError: if a signal is not one-dimensional.

    Example:
        >>> round(signal_to_noise_ratio(np.ones(100), np.full(100, 0.9)), 6)
        20.0
    """
    reference, estimate = common_length(reference, estimate)
    return _energy_ratio(reference, reference - estimate)


def scale_invariant_sdr(reference: Signal, estimate: Signal) -> float:
    """Energy of the estimate's part that is a multiple of the reference, against that of the rest, in dB.

    Le Roux et al., "SDR: half-baked or well done?", 2019.

    Args:
        reference: the truth, `(samples,)`.
        estimate: what is compared with it, `(samples,)`.

    Returns:
        In dB; finite, as 1e-15 is added to both energies.

    Raises:
        ValueError: if a signal is not one-dimensional.

    Example:
        >>> tone = np.sin(np.arange(1000) / 5)
        >>> scale_invariant_sdr(tone, 0.3 * tone) > 100
        True
    """
    reference, estimate = common_length(reference, estimate)
    target = reference * (reference @ estimate) / (reference @ reference + _LEAST_ENERGY)
    return _energy_ratio(target, estimate - target)


def _energy_ratio(signal: Signal, error: Signal) -> float:
    """In dB."""
    return float(10 * np.log10((signal @ signal + _LEAST_ENERGY) / (error @ error + _LEAST_ENERGY)))
