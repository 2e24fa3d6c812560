"""The analysis pyramid: the training recording at every rate (paper, section 3, equation 1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from caw_toolkit.arrays import Array
from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.errors import CawError

Segments = tuple[tuple[int, int], ...]

#: Limits of a recording.
SHORTEST_SECONDS = 2.0
LONGEST_SECONDS = 600.0

#: Windows of training hold up to 2 s, and none crosses the end of a segment: a shorter one would be left out.
_SHORTEST_SEGMENT_SECONDS = 2.1
#: Where clips meet within a segment.
_FADE_SECONDS = 0.005


@dataclass(frozen=True)
class Recording:
    """What a model is trained on: one or several clips of a source, joined and peak-normalised.

    Attributes:
        samples: `(channels, samples)` float32, peak 1.
        sample_rate: Hz.
        segments: `(start, stop)` sample ranges that no training window crosses the end of.
        peak: peak of the clips before normalisation; what is generated is multiplied by it.
    """

    samples: np.ndarray
    sample_rate: int
    segments: Segments
    peak: float

    @property
    def channels(self) -> int:
        return int(self.samples.shape[0])

    @property
    def level(self) -> float:
        """Root mean square at the level of the clips."""
        return float(np.sqrt(np.mean(self.samples**2))) * self.peak

    @property
    def seconds(self) -> float:
        return float(self.samples.shape[1] / self.sample_rate)

    def at(self, rate: int) -> np.ndarray:
        """The recording at another rate; each segment is resampled by itself, so that nothing rings across a join."""
        parts = [resample(self.samples[:, start:stop], self.sample_rate, rate) for start, stop in self.segments]
        return np.concatenate(parts, axis=1)

    def segments_at(self, rate: int) -> Segments:
        """The segments in samples of another rate, matching `at`."""
        return _segments([round((stop - start) * rate / self.sample_rate) for start, stop in self.segments])

    def align(self, rates: Sequence[int]) -> Recording:
        """The recording with every segment but the last cut to a length that is whole at all of `rates`.

        Otherwise rounding would shift the scales against each other, further with every join.
        """
        if len(self.segments) < 2:
            return self
        unit = self.sample_rate // math.gcd(self.sample_rate, *rates)
        parts = [self.samples[:, start : stop - (stop - start) % unit] for start, stop in self.segments[:-1]]
        parts.append(self.samples[:, slice(*self.segments[-1])])
        segments = _segments([part.shape[1] for part in parts])
        return replace(self, samples=np.concatenate(parts, axis=1), segments=segments)


def join(clips: Sequence[AudioClip], sample_rate: int | None = None) -> Recording:
    """Join clips of one source into a recording.

    Each clip is a segment; one that is shorter than windows of training, such as a short sentence, is in one segment
    with its neighbours, with short fades where they meet.

    Args:
        clips: with equally many channels; they are resampled to a common rate.
        sample_rate: of the recording; default: that of the first clip.

    Raises:
        CawError: if the clips have different numbers of channels.
    """
    rate = sample_rate or clips[0].sample_rate
    channels = {clip.channels for clip in clips}
    if len(channels) > 1:
        raise CawError("the clips are partly mono and partly stereo: convert them to the same number of channels")
    parts = [resample(clip.samples, clip.sample_rate, rate) for clip in clips]
    peak = max(float(np.abs(part).max()) for part in parts)
    groups = _groups(parts, math.ceil(_SHORTEST_SEGMENT_SECONDS * rate))
    samples = np.concatenate([_faded(group, round(_FADE_SECONDS * rate)) for group in groups], axis=1) / peak
    return Recording(samples.astype(np.float32), rate, _segments([_samples_in(group) for group in groups]), peak)


def _groups(parts: Sequence[Array], shortest: int) -> list[list[Array]]:
    """Successive clips, as many as it takes for at least `shortest` samples."""
    groups: list[list[Array]] = [[]]
    for part in parts:
        if _samples_in(groups[-1]) >= shortest:
            groups.append([])
        groups[-1].append(part)
    if len(groups) > 1 and _samples_in(groups[-1]) < shortest:
        rest = groups.pop()
        groups[-1].extend(rest)
    return groups


def _samples_in(group: Sequence[Array]) -> int:
    return sum(part.shape[1] for part in group)


def _faded(group: Sequence[Array], fade: int) -> Array:
    """Clips joined with a fade to silence where they meet."""
    joined = np.concatenate(group, axis=1)
    for meeting in np.cumsum([part.shape[1] for part in group[:-1]]):
        joined[:, max(meeting - fade, 0) : meeting] *= np.linspace(1, 0, min(fade, meeting), dtype=joined.dtype)
        rising = joined[:, meeting : meeting + fade]
        rising *= np.linspace(0, 1, rising.shape[1], dtype=joined.dtype)
    return joined


def _segments(lengths: Sequence[int]) -> Segments:
    ends = np.cumsum([0, *lengths]).tolist()
    return tuple(zip(ends[:-1], ends[1:], strict=True))
