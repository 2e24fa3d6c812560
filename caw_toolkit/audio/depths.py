"""Bit depths that keep every sample of a file."""

from __future__ import annotations

from pathlib import Path

import soundfile

from caw_toolkit.audio.writing import BitDepth

__all__ = ["kept_bit_depth"]

#: What libsndfile calls the lossy encodings: their samples have no depth of their own.
_LOSSY = ("MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III", "VORBIS", "OPUS")


def kept_bit_depth(source: Path, target: Path) -> BitDepth:
    """The depth that keeps every sample of a file, or what comes nearest where the format of the target has none.

    Args:
        source: the file that is read; `-` is standard input.
        target: the file that is written; `-` is standard output.
    """
    holds_float = str(target) == "-" or target.suffix.lower() == ".wav"
    if str(source) == "-":
        return "float" if holds_float else "24"
    try:
        subtype = soundfile.info(source).subtype
    except soundfile.LibsndfileError:
        return "24"  # reading it properly says what is wrong
    if subtype in _LOSSY and not holds_float:
        return "24"
    depths: dict[str, BitDepth] = {"PCM_16": "16", "PCM_S8": "16", "PCM_U8": "16", "PCM_24": "24"}
    return depths.get(subtype, "float")
