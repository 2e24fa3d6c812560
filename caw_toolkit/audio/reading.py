"""Reading audio files into memory.

`-` stands for standard input. Samples are float32 `(channels, samples)`, full scale is 1.0. A 16 or 24 bit file that is
read and written at its own depth keeps every sample; what a deeper one holds is kept beside the samples.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.audio.decoding import OpenFile, opened
from caw_toolkit.errors import CawError, CawUsageError

__all__ = ["read_audio"]


def read_audio(
    source: str | Path,
    *,
    start_seconds: float = 0.0,
    duration_seconds: float | None = None,
    longest_seconds: float | None = None,
) -> AudioClip:
    """Read a file, or a part of it.

    Args:
        source: a WAV, AIFF, CAF, AU, FLAC, OGG, Opus or MP3 file, another that libsndfile reads, or one that ffmpeg
            reads if that is installed; `-` reads standard input to its end.
        start_seconds: where to begin.
        duration_seconds: how much to read. The end of the file may come first. None: all of it.
        longest_seconds: refuse to read more than this.

    Returns:
        The clip at the file's own sample rate.

    Raises:
        CawUsageError: No such file, a directory, or a part that lies outside the file.
        CawError: Not audio, empty, damaged or truncated (for MP3 a warning is logged instead), too long, NaN or
            infinite samples, more than 2 channels, or a sample rate outside 4000 to 192000 Hz.

    Example:
        >>> import tempfile
        >>> from caw_toolkit import write_audio
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "tone.wav")
        ...     written = write_audio(path, np.zeros((1, 16000)), 8000)
        ...     clip = read_audio(path, start_seconds=0.5, duration_seconds=1)
        >>> clip.samples.shape
        (1, 8000)
    """
    if not (math.isfinite(start_seconds) and start_seconds >= 0):
        raise CawUsageError(f"the start must be 0 s or later, not {start_seconds:g} s")
    if duration_seconds is not None and not (math.isfinite(duration_seconds) and duration_seconds > 0):
        raise CawUsageError(f"the duration must be above 0 s, not {duration_seconds:g} s")
    lengths = [seconds for seconds in (duration_seconds, longest_seconds) if seconds is not None]
    most_seconds = start_seconds + min(lengths) + 1 if lengths else None
    with opened(source, most_seconds=most_seconds) as recording:
        samples = _decode(recording, start_seconds, duration_seconds, longest_seconds)
    if not recording.source.is_deep:
        return AudioClip(samples, recording.sample_rate, recording.source)
    return AudioClip(samples.astype(np.float32), recording.sample_rate, recording.source, samples)


def _decode(
    recording: OpenFile, start_seconds: float, duration_seconds: float | None, longest_seconds: float | None
) -> npt.NDArray[Any]:
    name, rate, stated = recording.name, recording.sample_rate, recording.samples
    start = round(start_seconds * rate)
    end = math.inf if stated is None else stated
    if duration_seconds is not None:
        end = min(end, start + max(1, round(duration_seconds * rate)))
    if stated is not None and start >= stated:
        raise CawUsageError(f"{name} is {stated / rate:.2f} s long: nothing starts at {start_seconds:g} s")
    most = math.inf if longest_seconds is None else round(longest_seconds * rate)
    too_long = f"more than the {longest_seconds or 0:g} s that fit here: choose a part with --start and --duration"
    if math.inf > end - start > most:
        raise CawError(f"{name} is {(end - start) / rate:.1f} s long, {too_long}")
    stop = min(end, start + most + 1)
    last = None if math.isinf(stop) else int(stop)
    blocks = list(recording.blocks(start, last, is_deep=recording.source.is_deep))
    if not blocks:
        raise CawUsageError(f"{name} ends before {start_seconds:g} s")
    samples = np.concatenate(blocks, axis=1)
    if samples.shape[1] > most:
        raise CawError(f"{name} is {too_long}")
    return samples
