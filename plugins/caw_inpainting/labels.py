"""Labels of Audacity: lines of start, end and text, separated by tabs, in seconds.

A label of a single channel names it at the end of its text: `silence (left)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from caw_inpainting.gaps import CHANNEL_NAMES, ListedGap
from caw_toolkit import CawError, CawUsageError

#: What a line begins with that gives the frequencies of the label above it.
_SPECTRAL = "\\"
_OF_ONE_CHANNEL = re.compile(rf"(.*?)\s*\(({'|'.join(CHANNEL_NAMES)})\)", re.IGNORECASE)


def read_labels(path: Path, sample_rate: int) -> list[ListedGap]:
    """The gaps that a file of labels marks; their texts say what they are.

    Args:
        path: of the file.
        sample_rate: of the gaps, Hz.

    Raises:
        CawUsageError: a line is no label, or one that marks a point; or there is none.
        CawError: the file cannot be read.
    """
    try:
        lines = path.read_text("utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        raise CawError(f"cannot read {path}: {error.strerror or error}") from error
    labels = [
        _read_line(line, f"{path}, line {number}", sample_rate)
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.startswith(_SPECTRAL)
    ]
    if not labels:
        raise CawUsageError(f"{path} holds no labels")
    return labels


def _read_line(line: str, place: str, sample_rate: int) -> ListedGap:
    start, _, rest = line.partition("\t")
    stop, _, text = rest.partition("\t")
    named = _OF_ONE_CHANNEL.fullmatch(text.strip())
    kind, channel = (named[1], CHANNEL_NAMES.index(named[2].lower())) if named else (text.strip(), None)
    try:
        gap = ListedGap(round(float(start) * sample_rate), round(float(stop) * sample_rate), kind or "label", channel)
    except (ValueError, OverflowError):
        raise CawUsageError(f"{place}: not a label of Audacity: start, end and text, separated by tabs") from None
    if gap.start == gap.stop:
        raise CawUsageError(f"{place}: the label marks a point: drag it open over the gap, or delete it")
    return gap


def format_labels(gaps: Iterable[ListedGap], sample_rate: int) -> str:
    r"""Gaps as a file of labels.

    >>> format_labels([ListedGap(48_000, 49_200, "silence")], 48_000)
    '1.000000\t1.025000\tsilence\n'
    """
    return "".join(f"{gap.start / sample_rate:.6f}\t{gap.stop / sample_rate:.6f}\t{gap.text}\n" for gap in gaps)
