"""What is drawn of a recording, and said of it: outline, spectrogram, length, level.

Files are read block by block, so that an hour costs no more memory than a minute; spectrograms are made of the part
that is looked at.
"""

from __future__ import annotations

import functools
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from caw_toolkit import CawUsageError, read_audio, write_audio
from caw_toolkit.audio.blocks import open_audio
from caw_toolkit.dsp.queues import SampleQueue
from caw_toolkit.metrics import scoring_signal, source_map

#: Blocks of this many samples give one extreme each way in the outline.
OUTLINE_SAMPLES = 256
#: Longest part of which a spectrogram is made at once.
LONGEST_SECONDS = 120.0
ROWS, MOST_COLUMNS = 160, 2000
#: Window of the spectrogram, and the frequency at its lower end.
WINDOW_SECONDS, LOWEST_HZ = 0.04, 50.0
#: Levels of the spectrogram, black to white, in dB of a full-scale sine.
FLOOR_DB, CEILING_DB = -95.0, -15.0


@dataclass(frozen=True)
class Sound:
    """What is known of a recording.

    Attributes:
        seconds: length.
        sample_rate: Hz.
        channels: 1 or 2.
        peak_db: highest sample, dB of full scale.
        level_db: root mean square, dB of full scale.
        over: samples above full scale, which only floating-point files hold.
        outline: lowest and highest sample of each block of `OUTLINE_SAMPLES`, `(blocks, 2)` int8.
    """

    seconds: float
    sample_rate: int
    channels: int
    peak_db: float
    level_db: float
    over: int
    outline: npt.NDArray[np.int8]


def prepare(path: Path) -> None:
    """Open a file, so that what reading needs is imported now: threads that import it at the same time can fail.

    Args:
        path: of any recording.
    """
    with open_audio(path):
        pass


def sound_of(path: Path) -> Sound:
    """Read a recording through.

    Raises:
        CawError: it is not audio that the toolkit works with.
    """
    status = path.stat()
    return _sound_of_state(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=200)
def _sound_of_state(path: Path, _modified: int, _size: int) -> Sound:
    with open_audio(path) as audio:
        queue, outline = SampleQueue(audio.channels), []
        energy, samples, over = 0.0, 0, 0
        for block in audio:
            energy += float(np.sum(np.square(block, dtype=np.float64)))
            over += int(np.count_nonzero(np.abs(block) > 1))
            samples += block.shape[1]
            queue.push(block)
            outline.append(_extremes(queue.pop(len(queue) // OUTLINE_SAMPLES * OUTLINE_SAMPLES)))
        rest = queue.pop(len(queue))
        if rest.shape[1]:
            outline.append(_extremes(np.pad(rest, ((0, 0), (0, OUTLINE_SAMPLES - rest.shape[1])))))
        joined = np.concatenate(outline)
        rate = audio.sample_rate
        return Sound(
            seconds=samples / rate,
            sample_rate=rate,
            channels=audio.channels,
            peak_db=_db(float(np.max(np.abs(joined), initial=0.0))),
            level_db=_db(math.sqrt(energy / max(1, samples * audio.channels))),
            over=over,
            outline=np.round(np.clip(joined, -1, 1) * 127).astype(np.int8),
        )


def _extremes(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Lowest and highest sample of each block over all channels, `(blocks, 2)`."""
    blocks = samples.reshape(len(samples), -1, OUTLINE_SAMPLES)
    return np.stack([blocks.min(axis=(0, 2)), blocks.max(axis=(0, 2))], axis=1)


def _db(amplitude: float) -> float:
    return round(20 * math.log10(max(amplitude, 1e-6)), 1)


@dataclass(frozen=True)
class Spectrogram:
    """A picture of a part of a recording.

    Attributes:
        levels: `(rows, columns)` uint8, row 0 the highest frequency.
        lowest_hz: of the last row.
        highest_hz: of the first; between them rows lie on a logarithmic scale.
    """

    levels: npt.NDArray[np.uint8]
    lowest_hz: float
    highest_hz: float


def spectrogram_of(path: Path, start: float, stop: float, columns: int) -> Spectrogram:
    """Make the spectrogram of a part of a recording.

    Args:
        path: of the recording.
        start: of the part, in seconds.
        stop: of the part; what lies beyond the end of the recording is black.
        columns: of the picture.

    Raises:
        CawUsageError: the part is empty or too long.
        CawError: as `read_audio`.
    """
    if not (0 <= start < stop <= start + LONGEST_SECONDS and 0 < columns <= MOST_COLUMNS):
        raise CawUsageError(f"a spectrogram is made of up to {LONGEST_SECONDS:g} s in up to {MOST_COLUMNS} columns")
    before = min(start, WINDOW_SECONDS)
    clip = read_audio(path, start_seconds=start - before, duration_seconds=stop - start + before + WINDOW_SECONDS)
    rate, mono = clip.sample_rate, clip.samples.mean(axis=0)
    size = 1 << round(math.log2(max(32, WINDOW_SECONDS * rate)))
    centres = (before + (np.arange(columns) + 0.5) * (stop - start) / columns) * rate
    padded = np.pad(mono, (size // 2, size))
    begins = np.minimum(np.round(centres).astype(int), len(padded) - size)
    window = np.hanning(size).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[begins] * window
    magnitudes = np.abs(np.fft.rfft(frames)) * (2 / window.sum())  # (columns, bins)
    highest = rate / 2
    edges = np.geomspace(highest, min(LOWEST_HZ, highest / 2), ROWS + 1) * size / rate
    levels = 20 * np.log10(np.maximum(_rows(magnitudes, edges), 1e-6))
    shades = np.clip((levels - FLOOR_DB) / (CEILING_DB - FLOOR_DB), 0, 1) * 255
    return Spectrogram(shades.astype(np.uint8), float(edges[-1] * rate / size), highest)


def _rows(magnitudes: npt.NDArray[np.floating], edges: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """The greatest magnitude between neighbouring edges (in bins, falling); between two bins, interpolated."""
    last = magnitudes.shape[1] - 1
    rows = []
    for high, low in zip(edges[:-1], edges[1:], strict=True):
        first, stop = math.ceil(low), math.floor(high) + 1
        if stop > first:
            rows.append(magnitudes[:, first : min(stop, last + 1)].max(axis=1))
        else:
            at = (low + high) / 2
            share = at - math.floor(at)
            rows.append((1 - share) * magnitudes[:, math.floor(at)] + share * magnitudes[:, min(last, math.ceil(at))])
    return np.stack(rows)


def sources_of(take: Path, recording: Path) -> list[tuple[float, float, float]]:
    """Where a take follows a recording: start and stop in the take, and the start in the recording, in seconds.

    Raises:
        CawUsageError: one of them is too long for that.
        CawError: as `read_audio`.
    """
    return _sources_of_states(take, take.stat().st_mtime_ns, recording, recording.stat().st_mtime_ns)


@functools.lru_cache(maxsize=100)
def _sources_of_states(take: Path, _made: int, recording: Path, _recorded: int) -> list[tuple[float, float, float]]:
    if max(sound_of(take).seconds, sound_of(recording).seconds) > LONGEST_SECONDS:
        raise CawUsageError(f"sources are found in takes and recordings of up to {LONGEST_SECONDS:g} s")
    rate = min(sound_of(take).sample_rate, sound_of(recording).sample_rate)
    segments = source_map(scoring_signal(take, rate)[0], scoring_signal(recording, rate)[0], rate)
    return [(segment.start, segment.stop, segment.source) for segment in segments]


def converted(path: Path, suffix: str) -> bytes:
    """The samples of a file in another format, at their depth, as bytes; what it cannot hold is clipped (`Sound.over`).

    Args:
        path: of the file.
        suffix: of the other format.

    Raises:
        CawError: as `read_audio`.
    """
    clip = read_audio(path)
    depth = "24" if clip.source is None else clip.source.bit_depth(f"converted{suffix}")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, f"converted{suffix}")
        write_audio(target, clip.samples, clip.sample_rate, bit_depth=depth, clipping="clip")
        return target.read_bytes()
