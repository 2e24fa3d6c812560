"""Recordings of any length, extended in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from caw_bandwidth_extension.roll_off import AverageSpectrum, RollOff, compare
from caw_bandwidth_extension.task import bandwidth_of_parts, extend
from caw_toolkit import Array, PyramidModel
from caw_toolkit.dsp.queues import rechunked
from caw_toolkit.processors.blocks import FILE_BLOCK_SECONDS, minute_stream
from caw_toolkit.processors.model_processor import on_model_channels


@dataclass(frozen=True)
class RecordingTraits:
    """What has to be known of all of a recording before any of it is extended.

    Attributes:
        samples: in each channel.
        cutoff_hz: where its own band ends.
        peaks: of what the model is given at once: each channel or all of them.
        roll_offs: of the same; None of silence.
    """

    samples: int
    cutoff_hz: float
    peaks: tuple[float, ...]
    roll_offs: tuple[RollOff | None, ...]


def survey(
    model: PyramidModel, read: Callable[[], Iterable[Array]], sample_rate: int, *, roll_off: RollOff | None = None
) -> RecordingTraits:
    """Measure a recording.

    Args:
        model: that will extend it.
        read: returns the recording from its beginning, `(channels, samples)` at a time.
        sample_rate: Hz.
        roll_off: of the recording, if it is known.
    """
    samples, peaks = 0, np.zeros(1)

    def parts() -> Iterator[Array]:
        return rechunked(read(), FILE_BLOCK_SECONDS * sample_rate)

    def seen() -> Iterator[Array]:
        nonlocal samples, peaks
        for part in parts():
            samples += part.shape[1]
            peaks = np.maximum(peaks, np.abs(part).max(axis=1))
            yield part

    cutoff = bandwidth_of_parts(seen(), sample_rate)
    together = [slice(index, index + 1) for index in range(len(peaks))] if model.channels == 1 else [slice(None)]
    levels = tuple(float(peaks[channels].max()) for channels in together)
    if roll_off is not None:
        return RecordingTraits(samples, cutoff, levels, (roll_off,) * len(together))
    reference = AverageSpectrum.of_training(model)

    def measured(channels: slice) -> RollOff:
        own = AverageSpectrum.of_parts(lambda: (part[channels] for part in parts()), sample_rate)
        return compare(reference, own, cutoff)

    found = (measured(channels) if level else None for channels, level in zip(together, levels, strict=True))
    return RecordingTraits(samples, cutoff, levels, tuple(found))


def extend_blocks(
    model: PyramidModel,
    blocks: Iterable[Array],
    sample_rate: int,
    known: RecordingTraits,
    *,
    channels: int,
    seed: int,
    on_progress: Callable[[float], None] | None = None,
) -> Iterator[Array]:
    """Add the highs that a recording lacks, as `extend` does.

    Args:
        model: as for `extend`.
        blocks: of the recording, `(channels, samples)` each.
        sample_rate: Hz.
        known: of the recording.
        channels: of the recording.
        seed: of the noise.
        on_progress: called with the share that is done, from 0 to 1.

    Yields:
        part after part, `(channels, samples)` at the model's rate.
    """

    def process(audio: Array, second: int) -> Array:
        of_each = iter(zip(known.peaks, known.roll_offs, strict=True))

        def extended(part: Array) -> Array:
            peak, roll_off = next(of_each)
            return extend(
                model,
                part,
                sample_rate,
                seed=seed,
                cutoff_hz=known.cutoff_hz,
                peak=peak,
                roll_off=roll_off,
                first_second=second,
            )

        return on_model_channels(model, audio, extended)

    made = 0
    for part in minute_stream(process, channels, sample_rate=sample_rate, made_rate=model.sample_rate).run(blocks):
        yield part
        made += part.shape[1]
        if on_progress is not None:
            on_progress(min(1.0, made / model.sample_rate / (known.samples / sample_rate)))
