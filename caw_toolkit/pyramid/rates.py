"""The rates of a pyramid's scales (paper, section 3 "Automatic scales selection" and supplement A.2).

The coarsest rate decides the structure that a model can learn, so it is the one chosen from the signal: the lowest
candidate that holds enough of its energy. This module does not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from caw_toolkit.dsp.resampling import resample, resampled_length
from caw_toolkit.errors import CawError, CawUsageError

#: The paper's potential rates, Hz.
PAPER_RATES = (320, 400, 500, 640, 800, 1000, 1280, 1600, 2000, 2500, 4000, 8000, 10000, 12000, 14400, 16000)

#: Continuation above the paper's 16 kHz, in steps of about 1.2 to 1.4, Hz.
HIGH_RATES = (20000, 24000, 32000, 44100, 48000, 64000, 88200, 96000)

CANDIDATE_RATES = PAPER_RATES + HIGH_RATES

_MOST_SCALES = 50


@dataclass(frozen=True)
class ScaleRules:
    """How the rates of a pyramid are chosen from the candidates.

    Attributes:
        candidate_rates: rates to choose from, Hz, ascending.
        largest_ratio: greatest step from one scale to the next; None keeps every candidate.
        energy_threshold: mean square that the peak-normalised signal must keep at the coarsest rate (equation 8).
        lowest_speech_rate: coarsest rate of speech, Hz; speech is not tested for energy.
        fallback_rate: coarsest rate when none passes the energy test, Hz.
        smallest_ratio: least step from the last candidate to the clip's own rate.
        minimum_samples: least length of the signal at the coarsest rate.
    """

    candidate_rates: tuple[int, ...] = CANDIDATE_RATES
    largest_ratio: float | None = None
    energy_threshold: float = 0.0025
    lowest_speech_rate: int = 500
    fallback_rate: int = 500
    smallest_ratio: float = 1.0
    minimum_samples: int = 0

    def __post_init__(self) -> None:
        rates = self.candidate_rates
        if any(rate <= 0 for rate in rates) or any(a >= b for a, b in pairwise(rates)):
            raise CawUsageError(f"candidate_rates must be positive and ascending, not {_list(rates)}")
        _require_few(rates, "candidate_rates")
        if self.largest_ratio is not None and self.largest_ratio <= 1:
            raise CawUsageError(f"largest_ratio must be above 1, not {self.largest_ratio:g}")
        if self.smallest_ratio < 1:
            raise CawUsageError(f"smallest_ratio must be at least 1, not {self.smallest_ratio:g}")
        if self.minimum_samples < 0:
            raise CawUsageError(f"minimum_samples must not be negative, not {self.minimum_samples}")


def choose_rates(samples: np.ndarray, sample_rate: int, rules: ScaleRules, *, is_speech: bool) -> tuple[int, ...]:
    """Choose the rates of a clip's pyramid.

    Args:
        samples: the clip, `(channels, samples)` float32, peak-normalised.
        sample_rate: of the clip, Hz.
        rules: candidates and thresholds.
        is_speech: start at `rules.lowest_speech_rate` instead of testing for energy.

    Returns:
        Rates in Hz, coarsest first; the last is `sample_rate`.

    Raises:
        CawError: if the clip has fewer than `rules.minimum_samples` samples at its own rate.

    Example:
        >>> choose_rates(np.ones((1, 16000), dtype=np.float32), 16000, ScaleRules(largest_ratio=4), is_speech=True)
        (500, 2000, 8000, 16000)
    """
    length = samples.shape[1]
    if length < rules.minimum_samples:
        raise CawError(
            f"the recording is too short: it has {length} samples ({length / sample_rate:.2f} s), "
            f"and training needs at least {rules.minimum_samples}"
        )
    long_enough = [
        rate
        for rate in (*(r for r in rules.candidate_rates if r < sample_rate), sample_rate)
        if resampled_length(length, sample_rate, rate) >= rules.minimum_samples
    ]
    first = _first_rate(samples, sample_rate, long_enough, rules, is_speech=is_speech)
    following = [
        rate for rate in long_enough if first < rate < sample_rate and sample_rate / rate >= rules.smallest_ratio
    ]
    if first == sample_rate:
        return (sample_rate,)
    return _thin([first, *following, sample_rate], rules.largest_ratio)


def check_rates(rates: Sequence[int], sample_rate: int) -> tuple[int, ...]:
    """Check rates given by the user, and end them with the clip's own rate.

    Args:
        rates: Hz, ascending; the clip's own rate may be left out.
        sample_rate: of the clip, Hz.

    Raises:
        CawUsageError: if there is none, one is not positive or above the clip's rate, or they do not ascend.

    Example:
        >>> check_rates([500, 4000], 16000)
        (500, 4000, 16000)
    """
    if not rates:
        raise CawUsageError("no scales were given: list at least one rate in Hz")
    _require_few(rates, "scales")
    if min(rates) <= 0:
        raise CawUsageError(f"a scale's rate must be positive, not {min(rates)} Hz")
    if max(rates) > sample_rate:
        raise CawUsageError(
            f"a scale of {max(rates)} Hz is above the recording's rate of {sample_rate} Hz: leave it out"
        )
    if any(lower >= upper for lower, upper in pairwise(rates)):
        raise CawUsageError(f"scales must ascend, coarsest first, not {_list(rates)}")
    return (*rates, sample_rate) if rates[-1] < sample_rate else tuple(rates)


def _first_rate(
    samples: np.ndarray, sample_rate: int, rates: Sequence[int], rules: ScaleRules, *, is_speech: bool
) -> int:
    if is_speech:
        return next((rate for rate in rates if rate >= rules.lowest_speech_rate), sample_rate)
    for rate in rates:
        energy = np.mean(np.square(resample(samples, sample_rate, rate), dtype=np.float64))
        if energy >= rules.energy_threshold:
            return rate
    return next((rate for rate in rates if rate >= rules.fallback_rate), sample_rate)


def _thin(rates: Sequence[int], largest_ratio: float | None) -> tuple[int, ...]:
    """Keep as few of the rates as steps of at most `largest_ratio` allow; the first and the last are kept."""
    if largest_ratio is None:
        return tuple(rates)
    kept = [rates[0]]
    while kept[-1] < rates[-1]:
        above = [rate for rate in rates if rate > kept[-1]]
        reachable = [rate for rate in above if rate <= kept[-1] * largest_ratio]
        kept.append(reachable[-1] if reachable else above[0])
    return tuple(kept)


def _require_few(rates: Sequence[int], what: str) -> None:
    if len(rates) > _MOST_SCALES:
        raise CawUsageError(f"{what} may be up to {_MOST_SCALES}, not {len(rates)}")


def _list(rates: Sequence[int]) -> str:
    return ", ".join(map(str, rates))
