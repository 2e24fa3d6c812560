"""What a page lets one hear: recordings, takes, results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.audio.reading import read_audio
from caw_toolkit.errors import CawError, harmless_line
from caw_toolkit.metrics.closeness import flatness_bias, frechet_distance
from caw_toolkit.metrics.copying import copied_share
from caw_toolkit.metrics.signals import in_scoring_steps
from caw_toolkit.metrics.source_map import LOWEST_RATE, SourceSegment, source_map
from caw_toolkit.pyramid.model import PyramidModel

#: Shorter ones have too few frames to compare.
SHORTEST_SCORED_SECONDS = 0.5

_LONGEST_TAG = 300
#: Of a comparison; most of the rest is the search for copies.
_SHARE_OF_SOURCES = 0.2


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


def track_of_file(
    path: Path,
    facts: Mapping[str, object] | None = None,
    *,
    scores: Mapping[str, float] | None = None,
    role: Literal["recording", "take"] = "take",
) -> Track:
    """A file as a track, with its tags among the facts.

    Args:
        path: of the file.
        facts: what else is known of it.
        scores: as of `Track`.
        role: as of `Track`.

    Raises:
        CawError: as `read_audio`.
    """
    clip = read_audio(path)
    tags = {} if clip.source is None else clip.source.metadata.tagging.tags
    told = {name: harmless_line("; ".join(values), _LONGEST_TAG) for name, values in tags.items()}
    return Track(path.name, clip, {**told, **(facts or {})}, scores or {}, role=role)


def recording_of_model(model: PyramidModel) -> Track | None:
    """The recording that a model was trained on, if it holds it."""
    samples = model.recording()
    if samples is None:
        return None
    names = [str(source.get("name")) for source in model.training.get("sources", ())]
    return Track(", ".join(names) or "recording", AudioClip(samples, model.sample_rate), role="recording")


def compared(take: Track, recording: Track, on_progress: Callable[[float], None] = lambda share: None) -> Track:
    """A take with its scores against a recording, and the places of the recording that it comes from.

    Args:
        take: whose clip may be at another rate.
        recording: at whose rate they are compared, in mono, as 16-bit files would hold them.
        on_progress: called with the share that is done, from 0 to 1.

    Raises:
        CawError: the recording is silent, or shorter than half a second, or at a rate below 200 Hz.
    """
    rate = recording.clip.sample_rate
    if rate < LOWEST_RATE:
        raise CawError(f"nothing can be compared with {recording.name}: it is at {rate} Hz")
    known, made = in_scoring_steps(recording.clip, rate), in_scoring_steps(take.clip, rate)
    if len(known) < SHORTEST_SCORED_SECONDS * rate or not known.any():
        raise CawError(f"nothing can be compared with {recording.name}: it is silent or shorter than half a second")
    sources = source_map(made, known, rate)
    on_progress(_SHARE_OF_SOURCES)
    if len(made) < SHORTEST_SCORED_SECONDS * rate:
        return replace(take, sources=sources, facts={**take.facts, "scores": "too short to compare"})
    scores = {
        "distance to the recording": frechet_distance(known, made, rate),
        "copied": copied_share(
            known, made, rate, on_progress=lambda done: on_progress(_SHARE_OF_SOURCES + (1 - _SHARE_OF_SOURCES) * done)
        ),
        "hiss, dB": flatness_bias(known, made),
    }
    return replace(take, sources=sources, scores={**take.scores, **scores})


def said_of_sources(track: Track) -> str:
    """How much of a track comes from a place of the recording."""
    sources = track.sources or ()
    share = sum(part.stop - part.start for part in sources) / track.clip.seconds
    return f"{share:.0%} in {len(sources)} {'stretch' if len(sources) == 1 else 'stretches'}"
