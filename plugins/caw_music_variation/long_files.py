"""Songs of any length, varied in memory that does not grow with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from caw_music_variation.novelty import HEARD_FROM, new_share
from caw_music_variation.task import vary
from caw_toolkit import Array, PyramidModel
from caw_toolkit.arrays import FloatArray
from caw_toolkit.dsp.queues import SampleQueue
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.processors.blocks import minute_stream

#: What is given to the model beside a passage on each side, and the crossfades at its ends, within it; seconds.
CONTEXT_SECONDS, FADE_SECONDS = 2, 0.03


@dataclass(frozen=True)
class Settings:
    """How a song is varied; as for `vary`."""

    strength: float
    scale: int | None = None
    keep_below: float | None = None


class Take:
    """A variation of a song, made block by block.

    Args:
        model: that makes the detail.
        settings: how far it goes.
        sample_rate: of the song, Hz.
        channels: of the song.
        samples: in each channel.
        seed: of the noise.
        listens: whether what is new is measured.
        on_progress: called with the share that is done, from 0 to 1.
    """

    def __init__(
        self,
        model: PyramidModel,
        settings: Settings,
        *,
        sample_rate: int,
        channels: int,
        samples: int,
        seed: int,
        listens: bool = True,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        self._model = model
        self._settings = settings
        self._rate = sample_rate
        self._channels = channels
        self._samples = samples
        self._seed = seed
        self._listens = listens
        self._report = on_progress or (lambda share: None)
        self._new: list[tuple[float, float, int]] = []  # shares above 1 kHz and as a whole, of so many samples

    @property
    def new_shares(self) -> tuple[float, float] | None:
        """How much of what was varied is new above 1 kHz, and as a whole; None if that is not measured."""
        if not self._new:
            return None
        highs, wholes, samples = zip(*self._new, strict=True)
        return float(np.average(highs, weights=samples)), float(np.average(wholes, weights=samples))

    def whole(self, blocks: Iterable[Array]) -> Iterator[Array]:
        """All of the song varied, at the rate of the model.

        Args:
            blocks: of the song, `(channels, samples)` each.
        """

        def process(audio: Array, second: int) -> Array:
            made = self._varied(audio, second)
            if self._listens:
                self._hear(resample(audio, self._rate, self._model.sample_rate), made, self._model.sample_rate)
            self._report(min(1.0, (second + audio.shape[1] / self._rate) * self._rate / self._samples))
            return made

        rates = {"sample_rate": self._rate, "made_rate": self._model.sample_rate}
        yield from minute_stream(process, self._channels, **rates).run(blocks)

    def passage(self, blocks: Iterable[FloatArray], start: float, stop: float) -> Iterator[FloatArray]:
        """The song with a passage varied, at its own rate; the rest stays as it is, bit for bit.

        Args:
            blocks: of the song, `(channels, samples)` each.
            start: of the passage, in seconds.
            stop: its end.
        """
        passage = Passage.of(start, stop, self._rate, self._samples)

        def process(audio: Array, second: int) -> Array:
            made = self._varied(audio, passage.begin // self._rate + second)
            made = resample(made, self._model.sample_rate, self._rate)[:, : audio.shape[1]]
            made = np.pad(made, ((0, 0), (0, audio.shape[1] - made.shape[1])), mode="edge")
            inside = passage.inside(passage.begin + second * self._rate, audio.shape[1])
            self._hear(audio[:, inside], made[:, inside], self._rate)
            self._report(min(1.0, (second * self._rate + audio.shape[1]) / (passage.end - passage.begin)))
            return made

        stream = minute_stream(process, self._channels, sample_rate=self._rate, made_rate=self._rate)
        given, varied = SampleQueue(self._channels), SampleQueue(self._channels)
        received, done = 0, 0
        for block in blocks:
            given.push(block)
            region = block[:, max(0, passage.begin - received) : max(0, passage.end - received)]
            varied.push(stream.push(np.asarray(region, np.float32)))
            received += block.shape[1]
            if received >= passage.end:
                varied.push(stream.flush())
            ready = received if not passage.begin < received < passage.end else max(done, passage.begin) + len(varied)
            yield passage.mixed(given.pop(ready - done), varied, done)
            done = ready

    def _varied(self, audio: Array, second: int) -> Array:
        return vary(
            self._model,
            audio,
            self._rate,
            strength=self._settings.strength,
            scale=self._settings.scale,
            keep_below=self._settings.keep_below,
            seed=self._seed,
            first_second=second,
        )

    def _hear(self, song: Array, made: Array, rate: int) -> None:
        """Measure what is new in a stretch of the song."""
        if self._listens and song.shape[1]:
            whole = new_share(song, made, rate, above_hz=HEARD_FROM)
            self._new.append((new_share(song, made, rate), whole, song.shape[1]))


@dataclass(frozen=True)
class Passage:
    """A part of a song that is varied, and what is given to the model beside it; in samples.

    Attributes:
        first: sample of the passage.
        last: the one after it.
        begin: where the model begins, with a whole second.
        end: where it ends.
        rise: samples over which it comes in; 0 at the start of the song.
        fall: samples over which it goes; 0 at the end.
    """

    first: int
    last: int
    begin: int
    end: int
    rise: int
    fall: int

    @classmethod
    def of(cls, start: float, stop: float, rate: int, samples: int) -> Passage:
        """Between two times in seconds, in a song of so many samples."""
        first, last = (min(samples, max(0, round(second * rate))) for second in (start, stop))
        begin = max(0, math.floor(start) - CONTEXT_SECONDS) * rate
        end = min(samples, last + CONTEXT_SECONDS * rate)
        fade = min(round(FADE_SECONDS * rate), (last - first) // 2)
        return cls(first, last, begin, end, fade if first else 0, fade if last < samples else 0)

    def inside(self, position: int, samples: int) -> slice:
        """Which of so many samples from a position on belong to the passage."""
        return slice(*(min(samples, max(0, edge - position)) for edge in (self.first, self.last)))

    def mixed(self, given: FloatArray, varied: SampleQueue, position: int) -> FloatArray:
        """A stretch of the song with what has been made of it.

        Args:
            given: from `position` on.
            varied: what has been made, from there or `begin` on.
            position: in the song.
        """
        region = slice(*(min(given.shape[1], max(0, edge - position)) for edge in (self.begin, self.end)))
        made = varied.pop(region.stop - region.start)
        song = np.asarray(given[:, region], np.float32)
        mix = song + self._weight(position + region.start, made.shape[1]) * (made - song)
        result = np.array(given)
        result[:, region] = np.where(mix == song, given[:, region], mix)
        return result

    def _weight(self, position: int, samples: int) -> Array:
        at = np.arange(position, position + samples)
        weight = ((at >= self.first) & (at < self.last)).astype(np.float64)
        if self.rise:
            weight = np.minimum(weight, np.maximum(at - self.first, 0) * (1 / self.rise))
        if self.fall:
            weight = np.minimum(weight, np.maximum(self.last - 1 - at, 0) * (1 / self.fall))
        return weight.astype(np.float32)
