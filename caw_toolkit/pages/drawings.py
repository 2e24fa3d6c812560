"""What is drawn around a spectrogram, as SVG: waveform, axes, places of the recording.

Without styles, which the page's content security policy allows in its style sheet only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from caw_toolkit.arrays import FloatArray
from caw_toolkit.metrics.source_map import SourceSegment
from caw_toolkit.pages.templates import Html, filled, joined

_WAVEFORM_POINTS = 800
_MOST_LABELS = 6
_KEY_PARTS = 60
_FIRST_HUE = 265


def waveform(samples: FloatArray) -> Html:
    """The range of a signal over time; `(channels, samples)`."""
    columns = min(_WAVEFORM_POINTS, samples.shape[1])
    starts = np.linspace(0, samples.shape[1], columns, endpoint=False).astype(int)
    highest = np.maximum.reduceat(samples.max(0), starts)
    lowest = np.minimum.reduceat(samples.min(0), starts)
    scale = max(float(np.abs(samples).max()), 1e-9)
    upper = [f"{x},{-y / scale:.3f}" for x, y in enumerate(highest.tolist())]
    lower = [f"{x},{-y / scale + 0.01:.3f}" for x, y in enumerate(lowest.tolist())]
    return filled(
        '<svg class="waveform" viewBox="0 -1 $width 2" preserveAspectRatio="none" aria-hidden="true">'
        '<path fill="currentColor" d="M$points Z"/></svg>',
        width=max(columns - 1, 1),
        points="L".join([*upper, *reversed(lower)]),
    )


def frequency_axis(labels: Iterable[tuple[str, float]]) -> Html:
    """Lines across a spectrogram with their frequencies; places are 0 at the bottom and 1 at the top."""
    marks = joined(
        filled(
            '<line x1="0" x2="100%" y1="$y%" y2="$y%"/><text x="4" y="$y%" dy="-3">$label</text>',
            y=f"{100 * (1 - place):.2f}",
            label=label,
        )
        for label, place in labels
    )
    return filled('<svg aria-hidden="true">$marks</svg>', marks=marks)


def time_axis(seconds: float) -> Html:
    """Marks below a picture, at round times."""
    step = _round_step(seconds / _MOST_LABELS)
    marks = joined(
        filled(
            '<line x1="$x%" x2="$x%" y1="0" y2="4"/><text x="$x%" y="1.1em" text-anchor="$anchor">$label</text>',
            x=f"{100 * number * step / seconds:.2f}",
            anchor="middle" if number else "start",
            label=f"{number * step:g} s",
        )
        for number in range(math.ceil(0.96 * seconds / step))
    )
    return filled('<svg class="times" aria-hidden="true">$marks</svg>', marks=marks)


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, ... and their tenths that is no smaller.

    >>> _round_step(3.1), _round_step(0.13), _round_step(1)
    (5.0, 0.2, 1.0)
    """
    unit = 10.0 ** math.floor(math.log10(least))
    return float(f"{next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= least * 0.9999):.3g}")


def source_strip(segments: Iterable[SourceSegment], seconds: float, recording_seconds: float, label: str) -> Html:
    """Where in a recording each moment comes from, by colour.

    Args:
        segments: of a take, in s.
        seconds: that the take is long.
        recording_seconds: that the recording is long.
        label: says it in words.
    """
    parts = joined(
        (
            filled(
                '<rect x="$x%" width="$width%" height="100%" fill="hsl($hue 70% 55%)" data-start="$start" '
                'data-stop="$stop" data-source="$source"><title>from $source s of the recording</title></rect>',
                x=f"{100 * part.start / seconds:.3f}",
                width=f"{100 * (part.stop - part.start) / seconds:.3f}",
                hue=round(_FIRST_HUE * (1 - part.source / recording_seconds)),
                start=f"{part.start:.3f}",
                stop=f"{part.stop:.3f}",
                source=f"{part.source:.3f}",
            )
            for part in segments
        ),
        "",
    )
    return filled('<svg class="sources" role="img" aria-label="$label">$parts</svg>', label=label, parts=parts)


def source_key(seconds: float) -> Html:
    """The colours of all places of a recording."""
    edges = np.linspace(0, seconds, _KEY_PARTS + 1).tolist()
    parts = [SourceSegment(start, stop, start) for start, stop in zip(edges, edges[1:], strict=False)]
    return source_strip(parts, seconds, seconds, "colours of the places of the recording")
