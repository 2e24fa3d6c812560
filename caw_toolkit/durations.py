"""Durations for people: in words, in the largest unit that is sensible, and as a clock shows them."""

from __future__ import annotations

import math

#: Unit, its seconds, and from how many seconds on it is used.
_UNITS = (("days", 86400, 2 * 86400), ("hours", 3600, 2 * 3600), ("minutes", 60, 100))


def in_words(seconds: float) -> str:
    """A duration in words, with two figures or all of a whole number.

    Args:
        seconds: of it, 0 or more.

    >>> in_words(0.42), in_words(45.2), in_words(200), in_words(5400), in_words(9000), in_words(3_700_000)
    ('0.4 s', '45 s', '3.3 minutes', '90 minutes', '2.5 hours', '43 days')
    """
    for unit, length, least in _UNITS:
        if seconds >= least:
            return f"{_rounded(seconds / length)} {unit}"
    return f"{_rounded(seconds)} s"


def as_clock(seconds: float) -> str:
    """A duration as `m:ss` or `h:mm:ss`.

    Args:
        seconds: of it, 0 or more; rounded up, so that only nothing is 0:00.

    >>> as_clock(75.2), as_clock(3725)
    ('1:16', '1:02:05')
    """
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _rounded(number: float) -> str:
    return f"{number:.0f}" if number >= 9.95 else f"{number:.1f}".removesuffix(".0")
