"""What libsndfile cannot read, decoded by ffmpeg where that is installed."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from caw_toolkit.audio.tagging import Tags
from caw_toolkit.errors import CawError

__all__ = ["FfmpegAudio", "decoded_by_ffmpeg", "ffmpeg_path"]

logger = logging.getLogger(__name__)

#: Demuxers that open the file that they are given and no other, as playlists would.
_FORMATS = (
    "aa,aac,aax,ac3,act,adp,aea,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dff,dsf,dts,dtshd,eac3,flac,flv,iff,kvag,"
    "lxf,matroska,mlp,mov,mp3,mpc,mpc8,mpeg,mpegts,mxf,nut,ogg,oma,qcp,rm,rso,sbc,shn,sox,swf,tak,tta,truehd,vqf,voc,"
    "w64,wav,wsaud,wsd,wv,xa,xwma"
)
_LONGEST_REASON = 200
#: What it calls otherwise than `tags` does, and what it says of the file, not of the recording.
_NAMES = {
    "track": "tracknumber", "disc": "discnumber", "album_artist": "albumartist", "encoded_by": "encoded-by",
    "publisher": "organization",
}  # fmt: skip
_OF_THE_FILE = ("encoder", "major_brand", "minor_version", "compatible_brands", "creation_time", "duration", "itunsmpb")


@dataclass(frozen=True)
class FfmpegAudio:
    """What ffmpeg made of a file.

    Attributes:
        stream: a floating-point WAV.
        container: what ffmpeg calls the container: `mov`, `matroska`, `aac`.
        codec: what it calls the encoding: `aac`, `opus`.
        tags: by the names that `tags` has for them.
        others: what else the file holds beside its audio: `chapters`, `picture`.
    """

    stream: BinaryIO
    container: str
    codec: str
    tags: Tags
    others: tuple[str, ...]


def ffmpeg_path() -> str | None:
    """The program; None if it is not installed."""
    return shutil.which("ffmpeg")


@contextmanager
def decoded_by_ffmpeg(
    stream: BinaryIO, path: Path | None, name: str, *, most_seconds: float | None
) -> Iterator[FfmpegAudio]:
    """Decode the first audio of a file into a temporary file.

    Args:
        stream: its bytes; seekable.
        path: the file; None if only the stream can be read.
        name: for messages.
        most_seconds: decode no more; None: all of it.

    Raises:
        CawError: ffmpeg is not installed, or cannot read it, or there is no room.
    """
    program = ffmpeg_path()
    if program is None:
        raise CawError(f"{name} cannot be read as audio: ffmpeg is not installed")
    with ExitStack() as stack:
        if path is None:
            spool = stack.enter_context(tempfile.NamedTemporaryFile())
            stream.seek(0)
            shutil.copyfileobj(stream, spool)
            spool.flush()
            path = Path(spool.name)
        described = stack.enter_context(tempfile.NamedTemporaryFile())
        limit = [] if most_seconds is None else ["-t", f"{most_seconds:.6f}"]
        command = [
            *(program, "-hide_banner", "-nostats", "-nostdin", "-loglevel", "level+info"),
            *("-protocol_whitelist", "file,pipe", "-format_whitelist", _FORMATS, "-i", f"file:{path}"),
            *("-vn", "-sn", "-dn", "-map", "0:a:0", *limit, "-f", "wav", "-c:a", "pcm_f32le", "-"),
            *("-f", "ffmetadata", "-y", f"file:{described.name}"),
        ]
        output = stack.enter_context(tempfile.TemporaryFile())
        messages = stack.enter_context(tempfile.TemporaryFile())
        try:
            result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=messages, check=False)
        except OSError as error:
            raise CawError(f"{name} cannot be read as audio: {program} does not start ({error.strerror})") from error
        messages.seek(0)
        said = messages.read(1 << 20).decode("utf-8", "replace")
        if result.returncode or output.tell() == 0:
            raise CawError(f"{name} cannot be read as audio (ffmpeg: {_reason(said, str(path))})")
        container = re.search(r"^(?:\[\w+\] )*Input #0, ([^,\n]+),", said, re.MULTILINE)
        codec = re.search(r"Stream #0:.*: Audio: (\w+)", said)
        _warn(said, name, str(path))
        output.seek(0)
        description = described.read(1 << 20).decode("utf-8", "replace")
        others = {"chapters": "\n[CHAPTER]\n" in description, "picture": "(attached pic)" in said}
        yield FfmpegAudio(
            output,
            container.group(1) if container else "unknown",
            codec.group(1) if codec else "unknown",
            _tags(description),
            tuple(name for name, is_there in others.items() if is_there),
        )


def _tags(description: str) -> dict[str, tuple[str, ...]]:
    """The tags in what ffmpeg calls ffmetadata: lines `name=value`, in which backslashes take a sign's meaning away."""
    of_the_file = re.split(r"^\[", description, maxsplit=1, flags=re.MULTILINE)[0]
    tags: dict[str, tuple[str, ...]] = {}
    for match in re.finditer(r"^((?:\\.|[^=\\;#\n])+)=((?:\\.|[^\\\n])*)$", of_the_file, re.MULTILINE | re.DOTALL):
        name, value = (re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL) for part in match.groups())
        name = name.lower()
        if name not in _OF_THE_FILE and value:
            tags[_NAMES.get(name, name)] = (value,)
    return tags


def _warn(said: str, name: str, path: str) -> None:
    """Say what is there beside the audio that was decoded: other audio, or what could not be."""
    streams = re.findall(r"^(?:\[\w+\] )* *Stream #0:.*: Audio: ", said.partition("Stream mapping:")[0], re.MULTILINE)
    if len(streams) > 1:
        logger.warning("%s holds %d audio streams: the first is taken", name, len(streams))
    if _complaints(said):
        reason = _reason(said, path)
        logger.warning("%s is damaged or truncated: what ffmpeg made of it may lack parts (%s)", name, reason)


def _complaints(said: str) -> list[str]:
    return re.findall(r"^(?:\[[^\]]* @ [^\]]*\] )?\[(?:error|fatal)\] (.+)$", said, re.MULTILINE)


def _reason(said: str, path: str) -> str:
    """The last complaint, in one line, without the file's name."""
    complaints = _complaints(said)
    reason = complaints[-1] if complaints else "no reason given"
    reason = reason.replace(f"file:{path}: ", "").strip().rstrip(".")
    return "".join(letter if letter.isprintable() else "?" for letter in reason)[:_LONGEST_REASON]
