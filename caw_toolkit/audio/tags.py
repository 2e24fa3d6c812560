"""Tags and pictures, whatever a format calls them, by mutagen: ID3, APE, Vorbis comments, INFO lists, MP4 atoms.

In between, tags have the names that Vorbis comments have.
"""

from __future__ import annotations

import base64
import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from caw_toolkit.audio.riff_chunks import Chunk, text

Tags = Mapping[str, tuple[str, ...]]

#: Text frames of ID3 by name.
_ID3 = {
    "title": "TIT2", "artist": "TPE1", "album": "TALB", "albumartist": "TPE2", "date": "TDRC", "genre": "TCON",
    "tracknumber": "TRCK", "discnumber": "TPOS", "composer": "TCOM", "organization": "TPUB", "copyright": "TCOP",
    "isrc": "TSRC", "bpm": "TBPM", "encoded-by": "TENC", "grouping": "TIT1", "subtitle": "TIT3", "conductor": "TPE3",
    "language": "TLAN", "lyricist": "TEXT", "arranger": "TPE4", "mood": "TMOO", "initialkey": "TKEY",
}  # fmt: skip
#: Entries of a WAV's INFO list by name.
_INFO = {
    "title": b"INAM", "artist": b"IART", "album": b"IPRD", "date": b"ICRD", "genre": b"IGNR", "tracknumber": b"ITRK",
    "comment": b"ICMT", "copyright": b"ICOP", "encoded-by": b"ITCH", "engineer": b"IENG", "subject": b"ISBJ",
    "keywords": b"IKEY", "medium": b"IMED", "source": b"ISRC", "software": b"ISFT", "location": b"IARL",
    "language": b"ILNG",
}  # fmt: skip
#: Atoms of MP4 by name.
_MP4 = {
    "title": "\xa9nam", "artist": "\xa9ART", "album": "\xa9alb", "albumartist": "aART", "date": "\xa9day",
    "genre": "\xa9gen", "composer": "\xa9wrt", "comment": "\xa9cmt", "copyright": "cprt", "grouping": "\xa9grp",
    "lyrics": "\xa9lyr",
}  # fmt: skip
#: Atoms of MP4 that are tags but no text, the cover, and the encoder's name.
_MP4_OTHERS = ("trkn", "disk", "tmpo", "covr", "\xa9too")
_MP4_FREE = "----:"
#: Names that APE tags have otherwise.
_APE = {"album artist": "albumartist", "track": "tracknumber", "disc": "discnumber", "year": "date"}


@dataclass(frozen=True)
class Picture:
    """A picture, such as a cover.

    Attributes:
        data: of the image file.
        mime: its type, `image/png`.
        kind: number of ID3, 3 being the front cover.
        description: of what it shows.
    """

    data: bytes
    mime: str
    kind: int = 3
    description: str = ""


@dataclass(frozen=True)
class Tagging:
    """What tags say.

    Attributes:
        tags: values by name.
        pictures: covers and others.
        frames: of ID3, what has no name here; only files that hold ID3 can carry it.
        others: names of what is there, and cannot be carried.
    """

    tags: Tags = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    frames: tuple[Any, ...] = ()
    others: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tags or self.pictures or self.frames)


def read_tagging(stream: BinaryIO) -> Tagging:
    """What the tags of a file say that is no WAV; nothing if they are damaged or there are none."""
    import mutagen
    from mutagen.aiff import AIFF
    from mutagen.flac import FLAC
    from mutagen.mp3 import MP3
    from mutagen.mp4 import MP4
    from mutagen.ogg import OggFileType

    stream.seek(0)
    try:
        file = mutagen.File(stream)
        ape = _from_ape(stream) if isinstance(file, MP3) else Tagging()
    except (mutagen.MutagenError, ValueError, KeyError, IndexError, struct.error):
        return Tagging()
    if file is None or not file.tags:
        return Tagging(pictures=_flac_pictures(file.pictures)) if isinstance(file, FLAC) else ape
    if isinstance(file, FLAC):
        return Tagging(_names(file.tags), _flac_pictures(file.pictures))
    if isinstance(file, OggFileType):
        return _from_vorbis(_names(file.tags))
    if isinstance(file, MP4):
        return tagging_of_atoms(file.tags)
    if isinstance(file, AIFF) or hasattr(file.tags, "getall"):
        id3 = _from_id3(file.tags)
        return replace(id3, tags={**ape.tags, **id3.tags}, pictures=id3.pictures or ape.pictures, others=ape.others)
    return Tagging()


def tagging_of_chunks(chunks: list[Chunk]) -> Tagging:
    """What the INFO list and the ID3 chunk of a WAV say; where both do, ID3, which cuts nothing off."""
    from mutagen import MutagenError
    from mutagen.id3 import ID3

    tags: dict[str, tuple[str, ...]] = {}
    tagging = Tagging()
    for chunk in chunks:
        if chunk.name == b"LIST" and chunk.data[:4] == b"INFO":
            tags |= _from_info(chunk.data)
        if chunk.name.lower() == b"id3 ":
            try:
                tagging = _from_id3(ID3(io.BytesIO(chunk.data)))
            except (MutagenError, ValueError, struct.error):
                continue
    return Tagging({**tags, **tagging.tags}, tagging.pictures, tagging.frames)


def chunks_of_tagging(tagging: Tagging) -> list[Chunk]:
    """The INFO list and the ID3 chunk that hold what tags say, for a WAV."""
    if not tagging:
        return []
    entries = b"".join(
        Chunk(_INFO[name], "; ".join(values).encode() + b"\0").packed
        for name, values in tagging.tags.items()
        if name in _INFO
    )
    info = [Chunk(b"LIST", b"INFO" + entries)] if entries else []
    file = io.BytesIO()
    _to_id3(tagging).save(file, padding=lambda _: 0)
    return [*info, Chunk(b"id3 ", file.getvalue())]


def write_tagging(stream: BinaryIO, tagging: Tagging, format_name: str) -> None:
    """Write tags into a FLAC, OGG, MP3 or AIFF file.

    Args:
        stream: the whole file; readable, writable, seekable.
        tagging: what they say.
        format_name: as libsndfile calls it.
    """
    from mutagen.aiff import AIFF
    from mutagen.flac import FLAC
    from mutagen.oggvorbis import OggVorbis

    stream.seek(0)
    if format_name == "MP3":
        _to_id3(tagging).save(stream)
    elif format_name == "AIFF":
        aiff = AIFF(stream)
        aiff.add_tags()
        for frame in _to_id3(tagging).values():
            aiff.tags.add(frame)
        stream.seek(0)
        aiff.tags.save(stream)
    else:
        file = FLAC(stream) if format_name == "FLAC" else OggVorbis(stream)
        if file.tags is None:
            file.add_tags()
        for name, values in tagging.tags.items():
            file.tags[_vorbis_name(name)] = list(values)
        pictures = [_flac_picture(picture) for picture in tagging.pictures]
        if format_name == "FLAC":
            for picture in pictures:
                file.add_picture(picture)
        elif pictures:
            file.tags["metadata_block_picture"] = [base64.b64encode(each.write()).decode() for each in pictures]
        stream.seek(0)
        file.save(stream)


def _vorbis_name(name: str) -> str:
    """A name as Vorbis comments may have it: ASCII without the sign that ends it."""
    return "".join(char if " " <= char <= "}" and char != "=" else "_" for char in name) or "_"


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def _names(comments: Any) -> dict[str, tuple[str, ...]]:
    """Vorbis comments by name in small letters."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in comments:
        found[name.lower()] = (*found.get(name.lower(), ()), value)
    return found


def _from_vorbis(tags: dict[str, tuple[str, ...]]) -> Tagging:
    from mutagen.flac import Picture as FlacPicture
    from mutagen.flac import error

    pictures = []
    for block in tags.pop("metadata_block_picture", ()):
        try:
            pictures.append(FlacPicture(base64.b64decode(block)))
        except (error, ValueError, struct.error):
            continue
    return Tagging(tags, _flac_pictures(pictures))


def _flac_pictures(pictures: Any) -> tuple[Picture, ...]:
    return tuple(Picture(each.data, _ascii(each.mime), int(each.type), each.desc) for each in pictures)


def _flac_picture(picture: Picture) -> Any:
    from mutagen.flac import Picture as FlacPicture

    made = FlacPicture()
    made.data, made.mime, made.type, made.desc = picture.data, picture.mime, picture.kind, picture.description
    return made


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
            pictures.append(Picture(frame.data, _ascii(frame.mime), int(frame.type), frame.desc))
        else:
            others.append(frame)
    return Tagging(tags, tuple(pictures), tuple(others))


def tagging_of_atoms(atoms: Mapping[str, Any]) -> Tagging:
    """What the atoms of an MP4 say, by name as mutagen reads them."""
    names = {atom: name for name, atom in _MP4.items()} | {"tmpo": "bpm"}
    tags = {names[atom]: tuple(map(str, values)) for atom, values in atoms.items() if atom in names}
    for name, atom in (("tracknumber", "trkn"), ("discnumber", "disk")):  # pairs: which, and of how many
        if atoms.get(atom):
            tags[name] = tuple("/".join(str(number) for number in pair if number) for pair in atoms[atom])
    for atom in atoms:
        if atom.startswith(_MP4_FREE):  # ----:com.apple.iTunes:NAME
            name = atom.rpartition(":")[2].lower()
            tags.setdefault(name, tuple(bytes(value).decode("utf-8", "replace") for value in atoms[atom]))
    covers = map(bytes, atoms.get("covr", []))
    others = [atom for atom in atoms if atom not in names and atom not in _MP4_OTHERS]
    return Tagging(
        tags,
        tuple(Picture(cover, _image_type(cover)) for cover in covers),
        others=tuple(f"MP4 {atom}" for atom in others if not atom.startswith(_MP4_FREE)),
    )


def _from_ape(stream: BinaryIO) -> Tagging:
    """What the APE tags at the end of an MP3 say."""
    from mutagen.apev2 import TEXT, APENoHeaderError, APEv2

    stream.seek(0)
    try:
        items = APEv2(stream)
    except APENoHeaderError:
        return Tagging()
    tags: dict[str, tuple[str, ...]] = {}
    pictures, others = [], []
    for key, item in items.items():
        if item.kind == TEXT:
            tags[_APE.get(key.lower(), key.lower())] = tuple(item)
        elif key.lower().startswith("cover art"):
            image = item.value.partition(b"\0")[2]  # behind the name of its file
            pictures.append(Picture(image, _image_type(image), 3 if "front" in key.lower() else 0))
        else:
            others.append(f"APE {key}")
    return Tagging(tags, tuple(pictures), others=tuple(others))


def _to_id3(tagging: Tagging) -> Any:
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


def _from_info(data: bytes) -> dict[str, tuple[str, ...]]:
    names = {entry: name for name, entry in _INFO.items()}
    tags: dict[str, tuple[str, ...]] = {}
    position = 4
    while position + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, position + 4)
        raw = data[position + 8 : position + 8 + size].split(b"\0")[0]
        entry = data[position : position + 4]
        if raw:
            name = names.get(entry, entry.decode("latin-1").lower())
            tags[name] = (text(raw),)
        position += 8 + size + size % 2
    return tags


def _image_type(data: bytes) -> str:
    return "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
