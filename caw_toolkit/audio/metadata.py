"""What a file says beside its audio, and carrying it over to a file that is made of it.

Tags and pictures travel to every format that has them, chunks to the formats of their own kind. What a format cannot
hold is named, never dropped in silence.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Literal

from caw_toolkit.audio import container_chunks, riff_chunks
from caw_toolkit.audio.container_chunks import add_chunks, info_of_tags
from caw_toolkit.audio.id3 import read_id3
from caw_toolkit.audio.riff_chunks import WAVE_FORMS, Chunk, FoundChunks, insert_chunks, text
from caw_toolkit.audio.tagging import Tagging, Tags
from caw_toolkit.audio.tags import chunks_of_tagging, read_tagging, tagging_of_chunks, write_tagging
from caw_toolkit.audio.views import View
from caw_toolkit.interrupts import held_interrupts

__all__ = ["Metadata", "read_metadata"]

#: What the chunks of a format are, as libsndfile calls it: those of a W64 are a WAV's.
_KINDS = {"WAV": "WAV", "RF64": "WAV", "W64": "WAV", "AIFF": "AIFF", "CAF": "CAF"}
#: What files begin with that have chunks and are no WAV.
_CONTAINERS = {b"FORM": "AIFF", b"caff": "CAF", b"riff": "W64"}

#: What AU files begin with, and their byte order.
_AU_FORMS: Mapping[bytes, Literal["big", "little"]] = {b".snd": "big", b"dns.": "little"}
_PROBE_SAMPLES = 16
_AU_HEADER, _LONGEST_ANNOTATION = 24, 1 << 20


@dataclass(frozen=True)
class Metadata:
    """What a file says beside its audio.

    Attributes:
        tagging: tags and pictures.
        chunks: but for those that hold tags and no more: of a WAV `bext`, `iXML`, `cue `, `smpl`, `LIST adtl` and
            whatever else; of an AIFF or CAF all.
        kind: what the chunks are: `WAV`, `AIFF` or `CAF`; or `RIFX`, which no other file can hold.
        others: names of what is known to be there, and cannot be carried.
        damaged_chunks: names of those that do not end within the file.
    """

    tagging: Tagging = field(default_factory=Tagging)
    chunks: tuple[Chunk, ...] = ()
    kind: str = "WAV"
    others: tuple[str, ...] = ()
    damaged_chunks: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tagging or self.chunks or self.others)

    @property
    def damaged(self) -> tuple[str, ...]:
        """Names of what is damaged, and left out of all that is made of the file."""
        return tuple(dict.fromkeys((*self.damaged_chunks, *self.tagging.damaged)))

    def behind(self, stream: BinaryIO) -> Metadata:
        """With what the ID3 tags say at the beginning of a stream, behind which its file begins."""
        return replace(self, tagging=self.tagging.completed(read_id3(stream)))

    def completed(self, tags: Tags, others: Iterable[str]) -> Metadata:
        """With what another program found.

        Args:
            tags: by name; they count where there are none yet.
            others: names of what cannot be carried, `picture` among them if there are none yet.
        """
        lost = tuple(name for name in others if name != "picture" or not self.tagging.pictures)
        return replace(
            self, tagging=self.tagging if self.tagging else replace(self.tagging, tags=tags), others=self.others + lost
        )

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
        kind = _KINDS.get(format_name)
        own = [chunk for chunk in self.chunks if kind == self.kind and _is_name(chunk.name)]
        # Texts are tags as well.
        lost = [chunk.label for chunk in self.chunks if chunk not in own and not container_chunks.holds_tags(chunk)]
        lost += [*self.others, *self.tagging.others]
        if kind == "WAV":
            chunks = [riff_chunks.fit_chunk(chunk, ratio, coding_history) for chunk in own]
            chunks += chunks_of_tagging(self.tagging)
        else:
            chunks = [container_chunks.fit_chunk(chunk, ratio) for chunk in own if chunk.name != b"info"]
            if kind == "CAF" and self.tagging.tags:
                chunks.append(info_of_tags(self.tagging.tags))
        if not _leave_audio_readable(chunks, format_name):
            unfit = [chunk for chunk in chunks if not _leave_audio_readable([chunk], format_name)]
            lost += [chunk.label for chunk in unfit]
            chunks = [chunk for chunk in chunks if chunk not in unfit]
        try:
            _put(chunks, stream, format_name)
        except ValueError:
            return [*lost, *(chunk.label for chunk in chunks)]
        if kind in (None, "AIFF") and self.tagging:
            write_tagging(stream, self.tagging, format_name)
        if kind == "CAF" and self.tagging.pictures:
            lost.append("picture")
        if format_name in ("FLAC", "OGG", "CAF"):
            lost += [frame.FrameID for frame in self.tagging.frames]
        return lost


def read_metadata(stream: BinaryIO) -> Metadata:
    """What a file says beside its audio. What is damaged is named, and the stream is left where it was."""
    before = stream.tell()
    try:
        stream.seek(0)
        form, _, kind = struct.unpack("4s4s4s", stream.read(12).ljust(12, b"\0"))
        if form in WAVE_FORMS:
            found = riff_chunks.read_chunks(stream)
            return _of_chunks(found, "RIFX" if form == b"RIFX" else "WAV")
        if form not in _CONTAINERS or (form == b"FORM" and kind not in (b"AIFF", b"AIFC")):
            return Metadata(_annotation(stream, form) if form in _AU_FORMS else read_tagging(stream))
        format_name = _CONTAINERS[form]
        return _of_chunks(container_chunks.read_chunks(stream, format_name), _KINDS[format_name])
    finally:
        stream.seek(before)


def _annotation(stream: BinaryIO, form: bytes) -> Tagging:
    """What stands between the header of an AU file and its audio."""
    stream.seek(0)
    first = int.from_bytes(stream.read(8)[4:], _AU_FORMS[form])
    stream.seek(_AU_HEADER)
    said = text(stream.read(min(max(0, first - _AU_HEADER), _LONGEST_ANNOTATION)).split(b"\0")[0]).strip()
    return Tagging({"comment": (said,)}) if said else Tagging()


def _of_chunks(found: FoundChunks, kind: str) -> Metadata:
    tagging = Tagging() if kind == "RIFX" else tagging_of_chunks(found.whole)
    chunks = tuple(chunk for chunk in found.whole if kind == "RIFX" or not _holds_tags(chunk))
    if kind in ("AIFF", "CAF"):
        tagging = tagging.completed(Tagging(container_chunks.tags_of_texts(chunks)))
    return Metadata(tagging, chunks, kind, tuple(found.too_large), tuple(found.damaged))


def _put(chunks: list[Chunk], stream: BinaryIO, format_name: str) -> None:
    if chunks and format_name in ("WAV", "RF64"):
        insert_chunks(stream, chunks)
    elif chunks:
        add_chunks(stream, chunks, format_name)


def _leave_audio_readable(chunks: list[Chunk], format_name: str) -> bool:
    """Whether libsndfile reads a file with chunks to its end: some that are damaged lead it astray."""
    import numpy as np
    import soundfile

    if not chunks:
        return True
    probe = io.BytesIO()
    samples = np.zeros(_PROBE_SAMPLES, np.int16)
    with held_interrupts():
        soundfile.write(probe, samples, 8000, format=format_name, subtype="PCM_16")
    try:
        _put(chunks, probe, format_name)
        view = View(probe, [(0, len(probe.getbuffer()))])
        with held_interrupts():
            read, _ = soundfile.read(io.BufferedReader(view))
    except (ValueError, soundfile.LibsndfileError):
        return False
    return len(read) == len(samples)


def _is_name(name: bytes) -> bool:
    """Whether a chunk can be called so in a file that others read: libsndfile stops at other names."""
    return len(name) == 4 and name.isascii() and name.decode().isprintable()


def _holds_tags(chunk: Chunk) -> bool:
    return chunk.name.lower() == b"id3 " or (chunk.name == b"LIST" and chunk.data[:4] == b"INFO")
