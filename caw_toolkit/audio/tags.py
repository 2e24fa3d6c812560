"""Tags and pictures, whatever a format calls them, by mutagen: ID3, APE, Vorbis comments, INFO lists, MP4 atoms.

In between, tags have the names that Vorbis comments have.
"""

from __future__ import annotations

import base64
import io
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

from caw_toolkit.audio.id3 import read_id3, to_id3
from caw_toolkit.audio.riff_chunks import Chunk, text
from caw_toolkit.audio.tagging import DAMAGE, Picture, Tagging, ascii_of

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
#: What files begin with whose tags are Vorbis comments.
_HOLD_COMMENTS = (b"fLaC", b"OggS")
#: Names that APE tags have otherwise.
_APE = {"album artist": "albumartist", "track": "tracknumber", "disc": "discnumber", "year": "date"}


def read_tagging(stream: BinaryIO) -> Tagging:
    """What the tags of a file say that has no chunks."""
    import mutagen
    from mutagen.flac import FLAC
    from mutagen.mp3 import MP3
    from mutagen.mp4 import MP4
    from mutagen.ogg import OggFileType

    stream.seek(0)
    head = stream.read(4)
    stream.seek(0)
    try:
        file = mutagen.File(stream)
    except (mutagen.MutagenError, *DAMAGE):
        file = None
        if head in _HOLD_COMMENTS:
            return Tagging(damaged=("tags",))
    if isinstance(file, FLAC):
        return Tagging(_names(file.tags or ()), _flac_pictures(file.pictures))
    if isinstance(file, OggFileType) and file.tags:
        return _from_vorbis(_names(file.tags))
    if isinstance(file, MP4) and file.tags:
        return tagging_of_atoms(file.tags)
    if file is None or isinstance(file, MP3):
        return read_id3(stream).completed(_from_ape(stream))
    return read_id3(stream) if hasattr(file.tags, "getall") else Tagging()


def tagging_of_chunks(chunks: list[Chunk]) -> Tagging:
    """What the INFO list and the ID3 chunk of a file say; where both do, ID3, which cuts nothing off."""
    info, id3 = Tagging(), Tagging()
    for chunk in chunks:
        if chunk.name == b"LIST" and chunk.data[:4] == b"INFO":
            info = _from_info(chunk.data).completed(info)
        if chunk.name.lower() == b"id3 ":
            id3 = read_id3(io.BytesIO(chunk.data)).completed(id3)
    return id3.completed(info)


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
    to_id3(tagging).save(file, padding=lambda _: 0)
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
        to_id3(tagging).save(stream)
    elif format_name == "AIFF":
        aiff = AIFF(stream)
        aiff.add_tags()
        for frame in to_id3(tagging).values():
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


def _names(comments: Any) -> dict[str, tuple[str, ...]]:
    """Vorbis comments by name in small letters."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in comments:
        found[name.lower()] = (*found.get(name.lower(), ()), value)
    return found


def _from_vorbis(tags: dict[str, tuple[str, ...]]) -> Tagging:
    from mutagen.flac import Picture as FlacPicture
    from mutagen.flac import error

    pictures, damaged = [], []
    for block in tags.pop("metadata_block_picture", ()):
        try:
            pictures.append(FlacPicture(base64.b64decode(block)))
        except (error, *DAMAGE):
            damaged.append("picture")
    return Tagging(tags, _flac_pictures(pictures), damaged=tuple(damaged))


def _flac_pictures(pictures: Any) -> tuple[Picture, ...]:
    return tuple(Picture(each.data, ascii_of(each.mime), int(each.type), each.desc) for each in pictures)


def _flac_picture(picture: Picture) -> Any:
    from mutagen.flac import Picture as FlacPicture

    made = FlacPicture()
    made.data, made.mime, made.type, made.desc = picture.data, picture.mime, picture.kind, picture.description
    return made


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
    """What the APE tags at the end of a file say."""
    from mutagen import MutagenError
    from mutagen.apev2 import TEXT, APENoHeaderError, APEv2

    stream.seek(0)
    try:
        items = APEv2(stream)
    except APENoHeaderError:
        return Tagging()
    except (MutagenError, *DAMAGE):
        return Tagging(damaged=("APE",))
    tags: dict[str, tuple[str, ...]] = {}
    pictures, others, damaged = [], [], []
    for key, item in items.items():
        if item.kind == TEXT:
            try:
                tags[_APE.get(key.lower(), key.lower())] = tuple(item)
            except UnicodeDecodeError:
                damaged.append(f"APE {key}")
        elif key.lower().startswith("cover art"):
            image = item.value.partition(b"\0")[2]  # behind the name of its file
            pictures.append(Picture(image, _image_type(image), 3 if "front" in key.lower() else 0))
        else:
            others.append(f"APE {key}")
    return Tagging(tags, tuple(pictures), others=tuple(others), damaged=tuple(damaged))


def _from_info(data: bytes) -> Tagging:
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
    return Tagging(tags, damaged=("LIST INFO",) if position > len(data) + 1 else ())


def _image_type(data: bytes) -> str:
    return "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
