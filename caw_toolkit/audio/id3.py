"""ID3 tags, by mutagen; and by their bytes which frames there are, as mutagen leaves out what it cannot read.

Layout: ID3 tag versions 2.2 to 2.4 (id3.org, 1998 to 2000).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

from caw_toolkit.audio.tagging import DAMAGE, Picture, Tagging, ascii_of
from caw_toolkit.audio.views import id3_ranges

__all__ = ["frame_names", "read_id3", "to_id3"]

#: Text frames of ID3 by name.
_ID3 = {
    "title": "TIT2", "artist": "TPE1", "album": "TALB", "albumartist": "TPE2", "date": "TDRC", "genre": "TCON",
    "tracknumber": "TRCK", "discnumber": "TPOS", "composer": "TCOM", "organization": "TPUB", "copyright": "TCOP",
    "isrc": "TSRC", "bpm": "TBPM", "encoded-by": "TENC", "grouping": "TIT1", "subtitle": "TIT3", "conductor": "TPE3",
    "language": "TLAN", "lyricist": "TEXT", "arranger": "TPE4", "mood": "TMOO", "initialkey": "TKEY",
}  # fmt: skip
#: Frames of earlier versions of ID3 that mutagen makes others of, that it leaves out, and that say how the file was.
_TRANSLATED = {"TYER": "TDRC", "TDAT": "TDRC", "TIME": "TDRC", "TORY": "TDOR", "IPLS": "TIPL"}
_UNTRANSLATED, _OF_THE_FILE = ("RVAD", "EQUA", "TRDA"), ("TSIZ",)
#: What a frame is called whose name is none.
_UNREADABLE = "unreadable frame"
_HEADER = 10
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40
#: Bytes of a frame's name and of its size, by version.
_LAYOUTS = {2: (3, 3), 3: (4, 4), 4: (4, 4)}


def read_id3(stream: BinaryIO) -> Tagging:
    """What the ID3 tags at the beginning of a stream say, or at its end where none are.

    Of what several tags say, the first counts, as in players; what others say of the same is named as lost.
    """
    ranges = id3_ranges(stream, 0)
    if not ranges:
        return _read_tag(stream, [])
    whole = Tagging()
    for number, (start, end) in enumerate(ranges):
        stream.seek(start)
        tag = stream.read(end - start)
        found = _read_tag(io.BytesIO(tag), frame_names(tag))
        if number:
            again = [name for name, values in found.tags.items() if whole.tags.get(name, values) != values]
            again += ["picture"] * bool(set(found.pictures) - set(whole.pictures) and whole.pictures)
            found = replace(found, others=(*found.others, *(f"{name} of another ID3 tag" for name in again)))
        whole = whole.completed(found)
    return whole


def _read_tag(stream: BinaryIO, names: Sequence[str]) -> Tagging:
    """What a tag says that has frames of these names."""
    from mutagen import MutagenError
    from mutagen.id3 import ID3, Frames, Frames_2_2, ID3NoHeaderError

    stream.seek(0)
    try:
        read = ID3(stream)
    except ID3NoHeaderError:
        return Tagging(damaged=_of_id3(names))
    except (MutagenError, *DAMAGE):
        return Tagging(damaged=_of_id3(names) or ("ID3",))
    names = [Frames_2_2[name].__base__.__name__ if name in Frames_2_2 else name for name in names]
    there = {frame.FrameID for frame in read.values()}
    left_out = [name for name in names if _TRANSLATED.get(name, name) not in there and name not in _OF_THE_FILE]
    unknown = [name for name in left_out if (name != _UNREADABLE and name not in Frames) or name in _UNTRANSLATED]
    damaged = [name for name in left_out if name not in unknown]
    tagging = _from_id3(read)
    return replace(tagging, others=_of_id3(unknown), damaged=_of_id3(damaged))


def _of_id3(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"ID3 {name}" for name in dict.fromkeys(names))


def to_id3(tagging: Tagging) -> Any:
    """Tags as ID3 has them, to be saved by mutagen."""
    from mutagen import id3

    made = id3.ID3()
    for name, values in tagging.tags.items():
        if name in _ID3:
            made.add(getattr(id3, _ID3[name])(encoding=3, text=list(values)))
        elif name == "comment":
            made.add(id3.COMM(encoding=3, lang="XXX", desc="", text=list(values)))
        else:
            made.add(id3.TXXX(encoding=3, desc=name, text=list(values)))
    for picture in tagging.pictures:
        made.add(
            id3.APIC(encoding=3, mime=picture.mime, type=picture.kind, desc=picture.description, data=picture.data)
        )
    for frame in tagging.frames:
        made.add(frame)
    return made


def frame_names(tag: bytes) -> list[str]:
    r"""Names of the frames of a tag, with those that are damaged or do not end within it.

    Args:
        tag: that begins with `ID3`; what follows it does not matter.

    Example:
        >>> frame_names(b"ID3\3\0\0\0\0\0\x0cTIT2\0\0\0\2\0\0\0a")
        ['TIT2']
    """
    version, flags = tag[3], tag[5]
    if version not in _LAYOUTS:
        return [_UNREADABLE]
    body = tag[_HEADER : _HEADER + _synchsafe(tag[6:_HEADER])]
    if version < 4 and flags & _UNSYNCHRONISED:
        body = body.replace(b"\xff\x00", b"\xff")
    if version > 2 and flags & _EXTENDED:
        body = body[_synchsafe(body[:4]) if version == 4 else 4 + int.from_bytes(body[:4], "big") :]
    return list(_names(body, version))


def _names(body: bytes, version: int) -> Iterator[str]:
    name_bytes, size_bytes = _LAYOUTS[version]
    head = name_bytes + size_bytes + (2 if version > 2 else 0)  # and flags
    position = 0
    while position + head < len(body) and any(body[position : position + name_bytes]):  # else it is padding
        name = body[position : position + name_bytes]
        yield name.decode("ascii") if _is_name(name) else _UNREADABLE
        size = body[position + name_bytes : position + name_bytes + size_bytes]
        first = position + head
        position = first + int.from_bytes(size, "big")
        if version == 4:
            position = _end_of_frame(body, (first + _synchsafe(size), position))
    if position > len(body):  # which took the frames that follow for a part of the last
        yield _UNREADABLE


def _end_of_frame(body: bytes, ends: tuple[int, int]) -> int:
    """Which of two ends another frame, padding or nothing follows: iTunes wrote sizes as version 3 has them."""
    fits = (end for end in ends if end == len(body) or _is_name(body[end : end + 4]) or body[end : end + 1] == b"\0")
    return next(fits, ends[0])


def _is_name(name: bytes) -> bool:
    return name.isalnum() and name.isascii() and name == name.upper()


def _synchsafe(size: bytes) -> int:
    value = 0
    for byte in size:
        value = value << 7 | byte & 0x7F
    return value


def _from_id3(frames: Any) -> Tagging:
    names = {frame: name for name, frame in _ID3.items()}
    tags: dict[str, tuple[str, ...]] = {}
    pictures, others = [], []
    for frame in frames.values():
        kind = frame.FrameID
        if kind in names:
            tags[names[kind]] = tuple(map(str, frame.text))
        elif kind == "COMM" and not frame.desc:
            tags["comment"] = tuple(map(str, frame.text))
        elif kind == "TXXX":
            tags[frame.desc.lower()] = tuple(map(str, frame.text))
        elif kind == "APIC":
            pictures.append(Picture(frame.data, ascii_of(frame.mime), int(frame.type), frame.desc))
        else:
            others.append(frame)
    return Tagging(tags, tuple(pictures), tuple(others))
