"""The formats that are written, and the bit depths that they have."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

__all__ = ["BIT_DEPTHS", "FORMATS", "LOSSY", "MP3_RATES", "BitDepth", "depths_of", "is_floating", "subtype_of"]

#: Bits of a sample in a file; `float` has 32, `double` 64.
BitDepth = Literal["8", "16", "24", "32", "float", "double"]
BIT_DEPTHS: tuple[BitDepth, ...] = get_args(BitDepth)
#: What libsndfile calls the formats that are written, by suffix.
FORMATS = {
    ".wav": "WAV",
    ".flac": "FLAC",
    ".ogg": "OGG",
    ".mp3": "MP3",
    ".aiff": "AIFF",
    ".aif": "AIFF",
    ".caf": "CAF",
    ".w64": "W64",
}
LOSSY = ("OGG", "MP3")
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


def depths_of(target: str | Path) -> tuple[BitDepth, ...]:
    """The bit depths that the format of a file has; those that make no difference count."""
    format_name = "WAV" if str(target) == "-" else FORMATS.get(Path(target).suffix.lower(), "WAV")
    if format_name in LOSSY or format_name == "FLAC":
        return ("8", "16", "24") if format_name == "FLAC" else ("8", "16", "24", "32")
    return BIT_DEPTHS


def subtype_of(format_name: str, bit_depth: BitDepth) -> str:
    """What libsndfile calls a bit depth."""
    if bit_depth == "8":
        return "PCM_U8" if format_name in ("WAV", "W64") else "PCM_S8"
    return bit_depth.upper() if is_floating(bit_depth) else f"PCM_{bit_depth}"


def is_floating(bit_depth: str) -> bool:
    """Whether samples above full scale are held."""
    return bit_depth in ("float", "double")
