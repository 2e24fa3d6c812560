"""Tags and pictures, under the names that Vorbis comments have."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Tags = Mapping[str, tuple[str, ...]]

#: What mutagen raises where something is damaged, beside errors of its own.
DAMAGE = (ValueError, KeyError, IndexError, struct.error)


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
        damaged: names of what cannot be read.
    """

    tags: Tags = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    frames: tuple[Any, ...] = ()
    others: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tags or self.pictures or self.frames)

    def completed(self, other: Tagging) -> Tagging:
        """With what others say of which these say nothing."""
        return Tagging(
            {**other.tags, **self.tags},
            self.pictures or other.pictures,
            self.frames + other.frames,
            self.others + other.others,
            self.damaged + other.damaged,
        )


def ascii_of(text: str) -> str:
    """A text without what ASCII lacks."""
    return text.encode("ascii", "replace").decode()
