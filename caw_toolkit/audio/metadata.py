"""What a file says beside its audio, and carrying it over to a file that is made of it.

Tags and pictures travel to every format that has them, the chunks of a WAV to a WAV. What a format cannot hold is
named, never dropped in silence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO

from caw_toolkit.audio.riff_chunks import WAVE_FORMS, Chunk, fitted, insert_chunks, read_chunks
from caw_toolkit.audio.tags import Tagging, chunks_of_tagging, read_tagging, tagging_of_chunks, write_tagging

#: Formats that hold tags and pictures.
_TAGGED = ("WAV", "FLAC", "OGG", "MP3", "AIFF")


@dataclass(frozen=True)
class Metadata:
    """What a file says beside its audio.

    Attributes:
        tagging: tags and pictures.
        chunks: of a WAV, but for those that hold tags: `bext`, `iXML`, `cue `, `smpl`, `LIST adtl` and whatever else.
        big_endian: whether the chunks are those of a RIFX, which no other file can hold.
    """

    tagging: Tagging = field(default_factory=Tagging)
    chunks: tuple[Chunk, ...] = ()
    big_endian: bool = False

    def __bool__(self) -> bool:
        return bool(self.tagging or self.chunks)

    def embed(self, stream: BinaryIO, format_name: str, *, ratio: float = 1.0, coding_history: str = "") -> list[str]:
        """Write it into a file that holds audio only.

        Args:
            stream: the whole file; readable, writable, seekable.
            format_name: as libsndfile calls it.
            ratio: sample rate of the file over that of the source.
            coding_history: line that bext gains.

        Returns:
            Names of what the format cannot hold.
        """
        is_wav = format_name in ("WAV", "RF64")
        lost = [] if is_wav and not self.big_endian else [chunk.label for chunk in self.chunks]
        if is_wav:
            chunks = [] if self.big_endian else [fitted(chunk, ratio, coding_history) for chunk in self.chunks]
            chunks += chunks_of_tagging(self.tagging)
            try:
                if chunks:
                    insert_chunks(stream, chunks)
            except ValueError:
                return [chunk.label for chunk in chunks]
            return lost
        if format_name in _TAGGED:
            if self.tagging:
                write_tagging(stream, self.tagging, format_name)
            if format_name in ("FLAC", "OGG"):
                lost += [frame.FrameID for frame in self.tagging.frames]
            return lost
        return [*lost, *self.tagging.tags, *(["picture"] if self.tagging.pictures else [])]


def read_metadata(stream: BinaryIO) -> Metadata:
    """What a file says beside its audio. What is damaged is left out, and the stream is left where it was."""
    before = stream.tell()
    try:
        stream.seek(0)
        form = stream.read(4)
        if form not in WAVE_FORMS:
            return Metadata(read_tagging(stream))
        chunks = read_chunks(stream)
        if form == b"RIFX":
            return Metadata(chunks=tuple(chunks), big_endian=True)
        carried = tuple(chunk for chunk in chunks if not _holds_tags(chunk))
        return Metadata(tagging_of_chunks(chunks), carried)
    finally:
        stream.seek(before)


def _holds_tags(chunk: Chunk) -> bool:
    return chunk.name.lower() == b"id3 " or (chunk.name == b"LIST" and chunk.data[:4] == b"INFO")
