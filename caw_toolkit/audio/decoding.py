"""Audio files opened: checked, put right where headers are wrong, and decoded block by block to the last sample."""

from __future__ import annotations

import io
import logging
import math
import os
import shlex
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import LOUDEST
from caw_toolkit.audio.containers import audio_begins, with_true_length
from caw_toolkit.audio.ffmpeg import FfmpegAudio, decoded_by_ffmpeg, ffmpeg_path
from caw_toolkit.audio.metadata import read_metadata
from caw_toolkit.audio.mpeg import MpegSegment, begins_with_mpeg, mpeg_segments
from caw_toolkit.audio.ogg import ogg_links
from caw_toolkit.audio.source_format import SourceFormat
from caw_toolkit.audio.sources import open_source
from caw_toolkit.audio.views import View
from caw_toolkit.audio.writing import BLOCK_SAMPLES, MOST_CHANNELS, libsndfile_reason
from caw_toolkit.errors import CawError
from caw_toolkit.interrupts import held_interrupts

__all__ = ["HIGHEST_SAMPLE_RATE", "LOWEST_SAMPLE_RATE", "OpenFile", "opened"]

logger = logging.getLogger(__name__)

LOWEST_SAMPLE_RATE = 4000
HIGHEST_SAMPLE_RATE = 192000

_UNKNOWN_LENGTH = 2**62  # libsndfile states more
_MPEG_DELAY = 2 * 1152
_HEADERLESS = (".raw", ".pcm")
#: What other containers begin with, or have behind their first four bytes: MPEG frames in them are not all they hold.
_FOREIGN = (b"\x1a\x45\xdf\xa3", b"\x30\x26\xb2\x75", b"FLV\x01", b"ftyp", b"moov", b"mdat")


@dataclass(frozen=True)
class OpenFile:
    """A file that is being read.

    Attributes:
        name: for messages.
        source: how it was stored.
        samples: per channel; None if it does not say.
    """

    name: str
    source: SourceFormat
    samples: int | None
    _decoder: Any
    _segments: tuple[MpegSegment, ...]
    _views: tuple[BinaryIO, ...]
    _warnings: set[str] = field(default_factory=set)  # that were given: it may be read more than once

    @property
    def channels(self) -> int:
        """1 or 2."""
        return int(self._decoder.channels)

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return int(self._decoder.samplerate)

    def blocks(self, start: int = 0, stop: int | None = None, *, is_deep: bool = False) -> Iterator[npt.NDArray[Any]]:
        """The audio in blocks `(channels, samples)`, float32 or, if `is_deep`, float64; as often as it is asked for.

        A damaged header does not decide how much memory is taken.

        Args:
            start: the first sample.
            stop: the first sample after it; None: to the end.
            is_deep: keep more bits than float32 has.

        Raises:
            CawError: The file is damaged or truncated (for MP3 a warning is logged instead), or has NaN, infinite
                or absurd samples.
        """
        position = 0
        for index, view in enumerate(self._views):
            with _decoder(view, self.name) as decoder:
                if index == 0:
                    position = self._seek(decoder, start)
                if (decoder.channels, decoder.samplerate) != (self.channels, self.sample_rate):
                    raise CawError(f"{self.name} is joined of recordings of different kinds: split it")
                end = self._end_of_part(index, position, stop)
                while position < end:
                    most = int(min(BLOCK_SAMPLES, end - position))
                    block = self._read(decoder, position, most, is_deep)
                    self._require_read(view)
                    if block.shape[1] == 0:
                        break
                    skipped = max(0, start - position)
                    position += block.shape[1]
                    if position > start:
                        yield block[:, skipped:]
        if position == 0:
            raise CawError(f"{self.name} holds no audio")
        if stop is None or position < stop or stop == self.samples:
            self._complain_of_early_end(position)

    def _seek(self, decoder: Any, start: int) -> int:
        import soundfile

        seekable = soundfile.SoundFile.seekable(decoder) and decoder.format != "MP3"
        if start == 0 or self.samples is None or not seekable or len(self._views) > 1:
            return 0
        try:
            with held_interrupts():
                return int(decoder.seek(start))
        except soundfile.LibsndfileError as error:
            raise CawError(f"{self.name} is damaged or truncated ({libsndfile_reason(error)})") from error

    def _end_of_part(self, index: int, position: int, stop: int | None) -> float:
        """Where to stop reading it; it may end before."""
        end = math.inf if stop is None else stop
        if self._segments and self._segments[index].stated is None:  # zeros are behind its frames
            end = min(end, position + self._segments[index].samples)
        return end

    def _read(self, decoder: Any, position: int, samples: int, is_deep: bool) -> npt.NDArray[Any]:
        import soundfile

        try:
            with held_interrupts():
                block = decoder.read(samples, dtype="float64" if is_deep else "float32", always_2d=True).T
        except soundfile.LibsndfileError as error:
            raise CawError(f"{self.name} is damaged or truncated ({libsndfile_reason(error)})") from error
        bad = ~(np.abs(block) <= LOUDEST).all(axis=0)
        if bad.any():
            first = int(bad.argmax())
            what = "NaN or infinite samples" if not np.isfinite(block[:, first]).all() else "samples beyond any level"
            second = (position + first) / self.sample_rate
            raise CawError(f"{self.name} has {what}, the first at {second:.3f} s: repair it first")
        return np.ascontiguousarray(block)

    def _require_read(self, view: BinaryIO) -> None:
        try:
            _require_read(view)
        except OSError as error:
            raise CawError(f"cannot read {self.name}: {error.strerror or error}") from error

    def _complain_of_early_end(self, position: int) -> None:
        is_mpeg = self._decoder.subtype.startswith("MPEG_LAYER")  # in WAV, too, whose length counts the delay
        rest = _MPEG_DELAY if is_mpeg and self._decoder.format != "MP3" else 0
        is_short = self.samples is not None and position < self.samples - rest
        if any(segment.is_cut for segment in self._segments) or (is_short and is_mpeg):
            warning = f"{self.name} holds less audio than its header states: it may be truncated"
            if warning not in self._warnings:
                logger.warning("%s", warning)
            self._warnings.add(warning)
            return
        if self.samples is None or not is_short:
            return
        stated, end = self.samples / self.sample_rate, position / self.sample_rate
        raise CawError(f"{self.name} is truncated: it states {stated:.2f} s and ends at {end:.2f} s")


@contextmanager
def opened(source: str | Path, *, most_seconds: float | None = None) -> Iterator[OpenFile]:
    """Open a file to read it.

    Args:
        source: as for `read_audio`.
        most_seconds: how much of it will be read at most; None: all of it.

    Raises:
        CawUsageError: there is no such file.
        CawError: it is not audio that the toolkit works with.
    """
    name = "standard input" if str(source) == "-" else str(source)
    with ExitStack() as stack:
        try:
            recording = _open(source, name, most_seconds, stack)
        except OSError as error:
            raise CawError(f"cannot read {name}: {error.strerror or error}") from error
        yield recording


def _open(source: str | Path, name: str, most_seconds: float | None, stack: ExitStack) -> OpenFile:
    """Open a file whose parts a stack is to close."""
    stream = stack.enter_context(open_source(source, name))
    if stream.seek(0, os.SEEK_END) == 0:
        raise CawError(f"{name} is empty (0 bytes)")
    segments, views = _parts(stream, name)
    metadata = read_metadata(stream if _is_described_by_all(stream) else views[0])
    if audio_begins(stream):
        metadata = metadata.behind(stream)
    made: FfmpegAudio | None = None
    try:
        decoder = stack.enter_context(_decoder(views[0], name))
    except CawError as error:
        reason = libsndfile_reason(error.__cause__)
        segments = [] if segments or _is_foreign(stream) else mpeg_segments(stream, name)
        views = _views_of(stream, segments)
        if not segments:
            path = Path(source) if Path(source).is_file() else None
            made = stack.enter_context(_made_by_ffmpeg(stream, path, name, most_seconds, reason))
            views = _parts(made.stream, name)[1]
            metadata = metadata.completed(made.tags, made.others)
        decoder = stack.enter_context(_decoder(views[0], name))
    _refuse_unfit(decoder, name)
    samples = _samples(decoder, views, segments, name)
    if samples == 0:
        raise CawError(f"{name} holds no audio")
    if made and samples and most_seconds and samples >= int(most_seconds * decoder.samplerate):
        samples = None  # there may be more
    container, subtype = (made.container, made.codec) if made else (decoder.format, decoder.subtype)
    return OpenFile(name, SourceFormat(container, subtype, metadata), samples, decoder, tuple(segments), views)


def _parts(stream: BinaryIO, name: str) -> tuple[list[MpegSegment], tuple[BinaryIO, ...]]:
    """What is decoded one after the other, and the MPEG frames that it is made of.

    Raises:
        CawError: the file ends before its audio does.
    """
    begin = audio_begins(stream)
    if begin is None:
        segments = mpeg_segments(stream, name) if begins_with_mpeg(stream) else []
        return segments, _views_of(stream, segments)
    corrected = with_true_length(stream, name, begin)
    return [], _buffered(
        *([corrected] if corrected else [View(stream, [part]) for part in ogg_links(stream, name, begin)])
    )


def _views_of(stream: BinaryIO, segments: list[MpegSegment]) -> tuple[BinaryIO, ...]:
    size = stream.seek(0, os.SEEK_END)
    return _buffered(*([segment.view(stream) for segment in segments] or [View(stream, [(0, size)])]))


def _buffered(*views: View) -> tuple[BinaryIO, ...]:
    return tuple(io.BufferedReader(view, 1 << 16) for view in views)


def _is_described_by_all(stream: BinaryIO) -> bool:
    """Whether metadata is to be looked for in all of a file, not in what is decoded of it.

    A W64 is cut behind its audio, where chunks may be.
    """
    stream.seek(0)
    return stream.read(4) == b"riff" or audio_begins(stream) is None


def _is_foreign(stream: BinaryIO) -> bool:
    stream.seek(0)
    head = stream.read(8)
    return audio_begins(stream) is not None or head[:4] in _FOREIGN or head[4:] in _FOREIGN


def _decoder(stream: BinaryIO, name: str) -> Any:
    """A `soundfile.SoundFile` of a stream."""
    import soundfile

    stream.seek(0)
    try:
        with held_interrupts():
            decoder = soundfile.SoundFile(stream)
    except soundfile.LibsndfileError as error:
        _require_read(stream)
        raise CawError(f"{name} cannot be read as audio ({libsndfile_reason(error)})") from error
    decoder.seekable = lambda: False  # soundfile seeks after each read, which libsndfile does wrong in some formats
    return decoder


def _require_read(stream: BinaryIO) -> None:
    """Raise what went wrong while a view was read, of which libsndfile says nothing.

    Raises:
        OSError: something did.
    """
    view = getattr(stream, "raw", None)
    if isinstance(view, View) and view.failure is not None:
        raise view.failure


def _made_by_ffmpeg(
    stream: BinaryIO, path: Path | None, name: str, most_seconds: float | None, reason: str
) -> AbstractContextManager[FfmpegAudio]:
    file = "FILE" if name == "standard input" else shlex.quote(name)
    if Path(name).suffix.lower() in _HEADERLESS:
        raise CawError(
            f"{name} has no header that says what audio it holds: convert it to WAV first, "
            f"for example with: ffmpeg -f s16le -ar 44100 -ac 1 -i {file} {file}.wav"
        )
    if ffmpeg_path() is None:
        raise CawError(
            f"{name} cannot be read as audio ({reason}): read are WAV, AIFF, CAF, AU, FLAC, OGG, Opus and MP3, and "
            f"what ffmpeg reads if it is installed; convert it first, for example with: ffmpeg -i {file} {file}.wav"
        )
    return decoded_by_ffmpeg(stream, path, name, most_seconds=most_seconds)


def _refuse_unfit(decoder: Any, name: str) -> None:
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


def _samples(decoder: Any, views: tuple[BinaryIO, ...], segments: list[MpegSegment], name: str) -> int | None:
    """Per channel, of all parts; None if one does not say."""
    if segments and all(segment.stated is None for segment in segments):
        return sum(segment.samples for segment in segments)
    total = 0
    for index, view in enumerate(views):
        with nullcontext(decoder) if index == 0 else _decoder(view, name) as part:
            if part.frames > _UNKNOWN_LENGTH:
                return None
            total += min(part.frames, segments[index].samples_there) if segments else part.frames
    return total
