"""The formats that are written, and the bit depths that they have."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from caw_toolkit.errors import CawUsageError, did_you_mean

#: For plugins; what else is here belongs to the engine.
__all__ = ["AUDIO_SUFFIXES", "result_suffix"]

#: Bits of a sample in a file; `float` has 32, `double` 64.
BitDepth = Literal["8", "16", "24", "32", "float", "double"]
BIT_DEPTHS: tuple[BitDepth, ...] = get_args(BitDepth)
#: What a format is called where it is asked for: the suffix of its files, without the dot.
FileFormat = Literal["wav", "flac", "ogg", "mp3", "aiff", "caf", "w64"]
FILE_FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)
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
#: Suffixes of audio that only ffmpeg reads.
FFMPEG_SUFFIXES = frozenset(
    {".aac", ".ac3", ".amr", ".ape", ".dff", ".dsf", ".dts", ".m4a", ".m4b", ".mka", ".mpc", ".tak", ".tta", ".webm"}
    | {".wma", ".wv"}
)
#: Suffixes of all files that are taken for audio: those, and what libsndfile reads.
AUDIO_SUFFIXES = FFMPEG_SUFFIXES | {*FORMATS, ".aifc", ".au", ".bwf", ".oga", ".opus", ".rf64", ".snd", ".wave"}
LOSSY = ("OGG", "MP3")
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


def result_suffix(source: Path, sample_rate: int | None = None) -> str:
    """Suffix of what is made of a file: its own if that can be written, else that of a WAV.

    Args:
        source: the file.
        sample_rate: of the result in Hz, if it is known; MP3 has not all.

    Example:
        >>> result_suffix(Path("song.FLAC")), result_suffix(Path("memo.m4a")), result_suffix(Path("song.mp3"), 96000)
        ('.FLAC', '.wav', '.wav')

    .. versionadded:: 0.2
    """
    format_name = FORMATS.get(source.suffix.lower())
    fits = format_name is not None and (format_name != "MP3" or sample_rate is None or sample_rate in MP3_RATES)
    return source.suffix if fits else ".wav"


def format_of(target: str | Path, wanted: FileFormat | None = None) -> str:
    """What libsndfile calls the format that a file is to have.

    Args:
        target: the file; `-` is standard output, which gets a WAV if nothing is wanted.
        wanted: the format; None: that of the suffix.

    Raises:
        CawUsageError: nothing is wanted and the suffix says nothing, or it says something else.

    >>> format_of("take.flac"), format_of("-"), format_of("-", "mp3")
    ('FLAC', 'WAV', 'MP3')
    """
    suffix = "" if str(target) == "-" else Path(target).suffix
    stated = "WAV" if str(target) == "-" and wanted is None else FORMATS.get(suffix.lower())
    if wanted is not None:
        if wanted not in FILE_FORMATS:
            raise CawUsageError(f"unknown format {wanted!r}: {did_you_mean(str(wanted), FILE_FORMATS)}")
        named = FORMATS[f".{wanted}"]
        if stated not in (None, named):
            renamed = Path(target).with_suffix(f".{wanted}")
            raise CawUsageError(
                f"{target} is to be {named} and ends in {suffix}: name it {renamed}, or ask for {stated}"
            )
        return named
    if stated is None:
        known = ", ".join(FORMATS)
        raise CawUsageError(
            f"cannot tell the format of {target} from {suffix or 'no suffix'!r}: use one of {known}, "
            "or name the format with --format (file_format= in Python)"
        )
    return stated


def depths_of(format_name: str) -> tuple[BitDepth, ...]:
    """The bit depths that a format has, as libsndfile calls it; those that make no difference count."""
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
