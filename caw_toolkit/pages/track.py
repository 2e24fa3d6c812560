"""What a page lets one hear: recordings, takes, results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.errors import CawError
from caw_toolkit.metrics.closeness import flatness_bias, frechet_distance
from caw_toolkit.metrics.copying import copied_share
from caw_toolkit.metrics.signals import in_scoring_steps
from caw_toolkit.metrics.source_map import SourceSegment, source_map

#: Shorter ones have too few frames to compare.
SHORTEST_SCORED_SECONDS = 0.5


@dataclass(frozen=True)
class Track:
    """Audio on a page, and what is said of it.

    Attributes:
        name: shown above it.
        clip: the audio.
        facts: how it was made.
        scores: figures by name, with the unit if there is one.
        sources: where in the recording of the page it comes from; None if there is none, or if it is that.
        role: whether it is the recording that others come from.
    """

    name: str
    clip: AudioClip
    facts: Mapping[str, object] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    sources: tuple[SourceSegment, ...] | None = None
    role: Literal["recording", "take"] = "take"


def compared(take: Track, recording: Track) -> Track:
    """A take with its scores against a recording, and the places of the recording that it comes from.

    Args:
        take: whose clip may be at another rate.
        recording: at whose rate they are compared, in mono, as 16-bit files would hold them.

    Raises:
        CawError: the recording is silent, or shorter than half a second.
    """
    rate = recording.clip.sample_rate
    known, made = in_scoring_steps(recording.clip, rate), in_scoring_steps(take.clip, rate)
    if len(known) < SHORTEST_SCORED_SECONDS * rate or not known.any():
        raise CawError(f"nothing can be compared with {recording.name}: it is silent or shorter than half a second")
    sources = source_map(made, known, rate)
    if len(made) < SHORTEST_SCORED_SECONDS * rate:
        return replace(take, sources=sources)
    scores = {
        "distance to the recording": frechet_distance(known, made, rate),
        "copied": copied_share(known, made, rate),
        "hiss, dB": flatness_bias(known, made),
    }
    return replace(take, sources=sources, scores={**take.scores, **scores})


def share_with_a_source(track: Track) -> float:
    """Share of a track's time that comes from a place of the recording."""
    return float(np.sum([part.stop - part.start for part in track.sources or ()])) / track.clip.seconds
