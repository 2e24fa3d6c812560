"""Reading audio files, with checks of what they hold.

`-` stands for standard input. Samples are float32 `(channels, samples)`, full scale is 1.0. A 16 or 24 bit file that is
read and written at its own depth keeps every sample.
"""

from __future__ import annotations

import io
import logging
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from caw_toolkit.arrays import Array
from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.audio.writing import (
    BLOCK_SAMPLES,
    MOST_CHANNELS,
    libsndfile_reason,
)
from caw_toolkit.errors import CawError, CawUsageError

logger = logging.getLogger(__name__)

LOWEST_SAMPLE_RATE = 4000
HIGHEST_SAMPLE_RATE = 192000


def read_audio(
    source: str | Path,
    *,
    start_seconds: float = 0.0,
    duration_seconds: float | None = None,
    longest_seconds: float | None = None,
) -> AudioClip:
    """Read a file, or a part of it.

    Args:
        source: A WAV, FLAC, OGG or MP3 file, or another that libsndfile reads; `-` reads standard input to its end.
        start_seconds: Where to begin.
        duration_seconds: How much to read. The end of the file may come first. None: all of it.
        longest_seconds: Refuse to read more than this. The length is taken from the header where that states it.

    Returns:
        The clip at the file's own sample rate.

    Raises:
        CawUsageError: No such file, a directory, or a part that lies outside the file.
        CawError: Not audio, empty, damaged or truncated (for MP3 a warning is logged instead, as its stated length
            may be an estimate), too long, NaN or infinite samples, more than 2 channels, or a sample rate outside
            4000 to 192000 Hz.

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
    name = "standard input" if str(source) == "-" else str(source)
    with open_source(source, name) as stream:
        refuse_incomplete(stream, name)
        with open_decoder(stream, name) as decoder:
            samples = _decode(decoder, name, start_seconds, duration_seconds, longest_seconds)
            return AudioClip(samples, int(decoder.samplerate))


def open_source(source: str | Path, name: str) -> BinaryIO:
    """A seekable stream of the source's bytes. Pipes are read to their end."""
    if str(source) == "-":
        if sys.stdin.isatty():
            raise CawUsageError("standard input is a terminal: give a file, or pipe audio in")
        return io.BytesIO(sys.stdin.buffer.read())
    try:
        stream = io.BufferedReader(io.FileIO(source))
    except FileNotFoundError:
        raise CawUsageError(f"{name} does not exist") from None
    except IsADirectoryError:
        raise CawUsageError(f"{name} is a directory: give an audio file") from None
    except OSError as error:
        raise CawError(f"cannot read {name}: {error.strerror or error}") from error
    if stream.seekable():
        return stream
    with stream:
        return io.BytesIO(stream.read())


def refuse_incomplete(stream: BinaryIO, name: str) -> None:
    """Raise for an empty file, and for a WAV or AIFF that ends before its audio does.

    libsndfile reads what is there of such a file and says nothing.
    """
    size = stream.seek(0, os.SEEK_END)
    if size == 0:
        raise CawError(f"{name} is empty (0 bytes)")
    stream.seek(0)
    form = stream.read(12)[:4]
    order: Literal["little", "big"] = "little" if form == b"RIFF" else "big"
    while form in (b"RIFF", b"RIFX", b"FORM") and len(header := stream.read(8)) == 8:
        chunk_bytes = int.from_bytes(header[4:], order)
        if header[:4] in (b"data", b"SSND"):
            present = size - stream.tell()
            length_is_known = chunk_bytes < 0x7FFF0000  # programs that write to a pipe put a huge number there
            if length_is_known and present < chunk_bytes:
                share = 100 * present / chunk_bytes
                raise CawError(f"{name} is truncated: only {share:.1f} % of the audio that its header states is there")
            break
        stream.seek(chunk_bytes + chunk_bytes % 2, os.SEEK_CUR)
    stream.seek(0)


def open_decoder(stream: BinaryIO, name: str) -> Any:
    """A `soundfile.SoundFile` of a stream, after checks that what it holds is audio that the toolkit works with."""
    import soundfile

    try:
        decoder = soundfile.SoundFile(stream)
    except soundfile.LibsndfileError as error:
        raise CawError(f"{name} cannot be read as audio ({libsndfile_reason(error)})") from error
    except TypeError as error:  # soundfile asks for the layout of headerless files
        raise CawError(f"{name} has no header that says what audio it holds: convert it to WAV first") from error
    rate = decoder.samplerate
    if decoder.channels > MOST_CHANNELS:
        raise CawError(
            f"{name} has {decoder.channels} channels; caw works with mono and stereo: "
            "mix it down first, for example with sox"
        )
    if not LOWEST_SAMPLE_RATE <= rate <= HIGHEST_SAMPLE_RATE:
        raise CawError(
            f"{name} has a sample rate of {rate} Hz; caw works with {LOWEST_SAMPLE_RATE} to {HIGHEST_SAMPLE_RATE} Hz: "
            "resample it first, for example with sox"
        )
    if decoder.frames == 0:
        raise CawError(f"{name} holds no audio")
    if decoder.frames > 2**62:  # libsndfile's mark for a stream of unknown length, which it cannot read through
        raise CawError(f"{name} does not state its length (written to a pipe?): convert it to WAV first")
    if decoder.format == "MP3":
        # libsndfile 1.2 seeks to the wrong place in MP3 of some sample rates, and soundfile seeks after each read.
        decoder.seekable = lambda: False
    return decoder


def decoded_blocks(decoder: Any, name: str, *, start: int = 0, stop: int | None = None) -> Iterator[Array]:
    """The audio of a decoder that nothing was read from yet, in blocks `(channels, samples)`.

    A damaged header does not decide how much memory is taken.

    Args:
        decoder: from `open_decoder`.
        name: for messages.
        start: the first sample.
        stop: the first sample after it; None: to the end.

    Raises:
        CawError: The file is damaged or truncated (for MP3 a warning may be logged instead), or has NaN or infinite
            samples.
    """
    stop = decoder.frames if stop is None else stop
    position = decoder.seek(start) if decoder.seekable() else 0
    while position < stop:
        block = _next_block(decoder, name, min(BLOCK_SAMPLES, stop - position))
        bad = ~np.isfinite(block).all(axis=0)
        if bad.any():
            second = (position + int(bad.argmax())) / decoder.samplerate
            raise CawError(f"{name} has NaN or infinite samples, the first at {second:.3f} s: repair it first")
        if block.shape[1] == 0:
            _complain_of_early_end(decoder, name, position)
            return
        skipped = max(0, start - position)
        position += block.shape[1]
        if position > start:
            yield block[:, skipped:]


def _next_block(decoder: Any, name: str, samples: int) -> Array:
    import soundfile

    try:
        return np.ascontiguousarray(decoder.read(samples, dtype="float32", always_2d=True).T)
    except soundfile.LibsndfileError as error:
        raise CawError(f"{name} is damaged or truncated ({libsndfile_reason(error)})") from error


def _complain_of_early_end(decoder: Any, name: str, position: int) -> None:
    if decoder.format != "MP3":
        stated, end = decoder.frames / decoder.samplerate, position / decoder.samplerate
        raise CawError(f"{name} is truncated: it states {stated:.2f} s and ends at {end:.2f} s")
    if position == 0:
        raise CawError(f"{name} holds no audio")
    logger.warning("%s holds less audio than its header states: it may be truncated", name)


def _decode(
    decoder: Any, name: str, start_seconds: float, duration_seconds: float | None, longest_seconds: float | None
) -> Array:
    rate, stated = decoder.samplerate, decoder.frames
    start = round(start_seconds * rate)
    end = stated if duration_seconds is None else min(stated, start + max(1, round(duration_seconds * rate)))
    if start >= stated:
        raise CawUsageError(f"{name} is {stated / rate:.2f} s long: nothing starts at {start_seconds:g} s")
    most = math.inf if longest_seconds is None else round(longest_seconds * rate)
    too_long = f"more than the {longest_seconds or 0:g} s that fit here: choose a part with --start and --duration"
    length_is_estimate = decoder.format == "MP3"
    if end - start > most and not length_is_estimate:
        raise CawError(f"{name} is {(end - start) / rate:.1f} s long, {too_long}")
    blocks = list(decoded_blocks(decoder, name, start=start, stop=int(min(end, start + most + 1))))
    if not blocks:
        raise CawUsageError(f"{name} ends before {start_seconds:g} s")
    samples = np.concatenate(blocks, axis=1)
    if samples.shape[1] > most:
        raise CawError(f"{name} is {too_long}")
    return samples
