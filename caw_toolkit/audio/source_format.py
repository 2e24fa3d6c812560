"""How a recording was stored: what a result of it is stored like, if nothing else is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from caw_toolkit.audio.formats import FORMATS, LOSSY, BitDepth, FileFormat, depths_of, format_of
from caw_toolkit.audio.metadata import Metadata

__all__ = ["SourceFormat"]

#: The depth of what libsndfile calls a subtype. Lossy encodings have none: float keeps what they decode to.
_DEPTHS: dict[str, BitDepth] = {
    "PCM_S8": "8",
    "PCM_U8": "8",
    "PCM_16": "16",
    "PCM_24": "24",
    "PCM_32": "32",
    "FLOAT": "float",
    "DOUBLE": "double",
    "ULAW": "16",
    "ALAW": "16",
}
#: Encodings whose samples do not fit into float32.
_DEEP = ("PCM_32", "DOUBLE")


@dataclass(frozen=True)
class SourceFormat:
    """How a recording was stored.

    Attributes:
        container: what libsndfile calls it: `WAV`, `FLAC`, `MP3`; or a name of ffmpeg's.
        subtype: what libsndfile calls the encoding of its samples: `PCM_16`, `FLOAT`, `VORBIS`.
        metadata: what the file says beside its audio.
    """

    container: str
    subtype: str
    metadata: Metadata

    @property
    def is_deep(self) -> bool:
        """Whether its samples do not fit into float32."""
        return self.subtype in _DEEP

    def has_more_bits(self, depth: BitDepth) -> bool:
        """Whether its samples do not fit into 24 bits, and a depth is that."""
        return depth == "24" and _DEPTHS.get(self.subtype) in ("32", "float", "double")

    def is_spoiled_by_suffix(self, target: Path, read: Iterable[Path]) -> bool:
        """Whether a result is lossy because its source, which is not, is called so.

        Args:
            target: the result.
            read: the files that it is made of.
        """
        suffix = target.suffix.lower()
        is_lossless = self.container in set(FORMATS.values()).difference(LOSSY)
        return is_lossless and FORMATS.get(suffix) in LOSSY and suffix in {path.suffix.lower() for path in read}

    def bit_depth(self, target: str | Path, file_format: FileFormat | None = None) -> BitDepth:
        """The depth at which a target keeps every sample, or the nearest that its format has.

        Args:
            target: file to be written; `-` is standard output.
            file_format: as for `write_audio`.
        """
        wanted = _DEPTHS.get(self.subtype, "float")
        possible = depths_of(format_of(target, file_format))
        return wanted if wanted in possible else possible[-1]
