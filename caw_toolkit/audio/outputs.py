"""Checks of the files that are to be written, before the work is done."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from caw_toolkit.audio.formats import BIT_DEPTHS, MP3_RATES, BitDepth, FileFormat, depths_of, format_of, is_floating
from caw_toolkit.errors import CawError, CawUsageError, did_you_mean
from caw_toolkit.standard_output import binary_output

__all__ = ["FileClaims", "check_output", "refuse_collisions", "refuse_odd_place", "require_room"]


def check_output(
    target: str | Path,
    overwrite: bool = False,
    *,
    bit_depth: BitDepth = "24",
    sample_rate: int | None = None,
    file_format: FileFormat | None = None,
) -> None:
    """Raise now what `write_audio` would raise after hours of work. Creates nothing.

    Args:
        target: the output file, or `-`.
        overwrite: whether an existing file may be replaced.
        bit_depth: as for `write_audio`.
        sample_rate: the rate in Hz to be written, where it is known.
        file_format: as for `write_audio`.

    Raises:
        CawUsageError: An unknown suffix, or that of another format than the one asked for, a bit depth or sample rate
            that the format cannot hold, an existing file without `overwrite`, a directory, a device or a pipe, a name
            that is too long, or standard output that is a terminal.
        CawError: The folder cannot be written to.

    Example:
        >>> check_output("take.wav", bit_depth="float")
        >>> check_output("take.flac", bit_depth="float")
        Traceback (most recent call last):
        caw_toolkit.errors.CawUsageError: FLAC files hold no floating-point samples: write take.wav
    """
    if bit_depth not in BIT_DEPTHS:
        raise CawUsageError(f"unknown bit depth {bit_depth!r}: {did_you_mean(str(bit_depth), BIT_DEPTHS)}")
    if str(target) == "-" and binary_output().isatty():
        raise CawUsageError("standard output is a terminal: give an output file, or redirect it")
    if str(target) != "-":
        refuse_odd_place(Path(target), advice="write to - and redirect that")
    format_name, advice = format_of(target, file_format), "write WAV"
    if file_format is None and str(target) != "-":
        advice = f"write {Path(target).with_suffix('.wav')}"
    if is_floating(bit_depth) and not is_floating(depths_of(format_name)[-1]):
        raise CawUsageError(f"{format_name} files hold no floating-point samples: {advice}")
    if bit_depth not in depths_of(format_name):
        held = ", ".join(depths_of(format_name))
        raise CawUsageError(f"{format_name} files hold {held} bits, not {bit_depth}: {advice}")
    if format_name == "MP3" and sample_rate is not None and sample_rate not in MP3_RATES:
        raise CawUsageError(f"MP3 does not know a sample rate of {sample_rate} Hz: {advice}")
    if str(target) != "-":
        _refuse_taken_place(Path(target), overwrite)


def _refuse_taken_place(target: Path, overwrite: bool) -> None:
    """Raise where a file is that may not be replaced, or a folder that cannot be written to.

    Raises:
        CawUsageError: the former.
        CawError: the latter.
    """
    if os.path.exists(target) and not overwrite:
        raise CawUsageError(f"{target} exists; add --force to replace it (overwrite=True in Python)")
    folder = next(parent for parent in target.absolute().parents if os.path.exists(parent))
    if not os.path.isdir(folder):
        raise CawError(f"cannot write {target}: {folder} is not a directory")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CawError(f"cannot write {target}: no permission to write in {folder}")


class FileClaims:
    """Which file is written by whom: none is written twice, and none that is read, whatever it is called.

    Args:
        inputs: what is read; `-` is standard input.
    """

    def __init__(self, inputs: Iterable[str | Path]) -> None:
        self._read = {_identity(path) for path in inputs if str(path) != "-"}
        self._written: dict[object, str] = {}

    def claim(self, output: str | Path, owner: str) -> None:
        """Say that a file is to be written.

        Args:
            output: the file; `-` is standard output.
            owner: whose result it is, for the message to whoever wants to write it as well.

        Raises:
            CawUsageError: it is read, or somebody else's.
        """
        identity = "-" if str(output) == "-" else _identity(output)
        if identity in self._written:
            raise CawUsageError(
                f"two results would go to {output}, the other being {self._written[identity]}: "
                "name another file for one of them"
            )
        if identity in self._read:
            raise CawUsageError(f"{output} is read here, and would be destroyed: name another file to write")
        self._written[identity] = owner


def refuse_collisions(outputs: Sequence[str | Path], inputs: Iterable[str | Path]) -> None:
    """Raise where a command would write one file twice, or one that it reads.

    Args:
        outputs: what is to be written; `-` is standard output.
        inputs: what is read, under any name: through links, too.

    Raises:
        CawUsageError: two outputs are one file, or an output is an input.
    """
    claims = FileClaims(inputs)
    for path in outputs:
        claims.claim(path, "of this command, too")


def require_room(target: str | Path, needed_bytes: float) -> None:
    """Raise where a file would not fit onto its disk, or, for `-`, onto that of temporary files.

    Args:
        target: the file.
        needed_bytes: how large it is, with what is written beside it meanwhile.

    Raises:
        CawError: there is less room.
    """
    folder = Path(tempfile.gettempdir()) if str(target) == "-" else Path(target).absolute()
    while not folder.is_dir():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if needed_bytes > free:
        raise CawError(
            f"cannot write {target}: it takes {needed_bytes / 1e9:.3g} GB, and {free / 1e9:.3g} GB are free in {folder}"
        )


def _identity(path: str | Path) -> object:
    """What tells whether two paths are one file.

    Links and `..` are followed first: a folder that is still missing, as in `new/../clip.wav`, will be made.
    """
    place = os.path.realpath(path)
    try:
        status = os.stat(place)
    except OSError:
        return place
    return status.st_dev, status.st_ino


def refuse_odd_place(target: Path, *, advice: str = "name a file") -> None:
    """Raise for what is no place for a file: a directory, a device, a pipe, a name that is too long.

    Args:
        target: the file.
        advice: what to do in place of writing to a device or a pipe.

    Raises:
        CawUsageError: it is one of these.
    """
    try:
        kind = os.stat(target).st_mode
    except FileNotFoundError:
        asks = hasattr(os, "pathconf") and target.parent.is_dir()
        longest = os.pathconf(target.parent, "PC_NAME_MAX") if asks else 255
        if len(os.fsencode(target.name)) > longest:
            raise CawUsageError(f"the name {target.name[:40]!r}... is too long: it may have {longest} bytes") from None
        return
    except OSError as error:
        if error.errno == errno.ENOTDIR:
            return  # the folder is looked at below
        raise CawUsageError(f"cannot write {str(target)[:200]!r}: {error.strerror or error}") from None
    if stat.S_ISDIR(kind):
        raise CawUsageError(f"{target} is a directory: give a file name")
    if not stat.S_ISREG(kind):
        raise CawUsageError(f"{target} is a device or a pipe, not a file: {advice}")
