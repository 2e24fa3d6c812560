"""Which files a command works on: those that are named, and those of folders that are."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["FoundFiles", "InputFile", "find_files"]


@dataclass(frozen=True)
class InputFile:
    """A file to work on.

    Attributes:
        path: of the file.
        subfolder: where it is below the folder that was named.
        is_named: whether the file itself was named.
    """

    path: Path
    subfolder: Path = Path()
    is_named: bool = True


@dataclass
class FoundFiles:
    """The files of a command line, each of them once.

    Attributes:
        files: to work on, in the order of the command line, those of a folder by name.
        results: files in folders that are left out because they are results.
        need_ffmpeg: suffixes of files that are left out because ffmpeg is not installed, counted.
        failures: folders that cannot be listed, and why.
    """

    files: list[InputFile] = field(default_factory=list)
    results: list[Path] = field(default_factory=list)
    need_ffmpeg: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[Path, Exception]] = field(default_factory=list)


def find_files(sources: Sequence[Path], *, recursive: bool, is_result: Callable[[Path], bool]) -> FoundFiles:
    """Find the files to work on.

    Of a folder, files with the suffix of audio are taken. Hidden files and folders, and links to folders, are passed
    over; links to files are taken.

    Args:
        sources: files and folders; `-` is standard input.
        recursive: whether to take what is in the folders of a folder, too.
        is_result: whether a file in a folder is a result of a command, and so no recording.
    """
    found = FoundFiles()
    for source in sources:
        if source.is_dir():
            _find_in_folder(source, found, recursive=recursive, is_result=is_result)
        else:
            found.files.append(InputFile(source))
    named = {os.path.realpath(file.path) for file in found.files if file.is_named}
    found.files = list(_each_once(found.files))
    found.results = [path for path in found.results if os.path.realpath(path) not in named]
    return found


def _find_in_folder(folder: Path, found: FoundFiles, *, recursive: bool, is_result: Callable[[Path], bool]) -> None:
    from caw_toolkit.audio.ffmpeg import ffmpeg_path
    from caw_toolkit.audio.formats import AUDIO_SUFFIXES, FFMPEG_SUFFIXES

    has_ffmpeg = ffmpeg_path() is not None
    for path in _visible_files(folder, recursive, found):
        suffix = path.suffix.lower()
        if suffix not in AUDIO_SUFFIXES:
            continue
        if is_result(path):
            found.results.append(path)
        elif suffix in FFMPEG_SUFFIXES and not has_ffmpeg:
            found.need_ffmpeg[suffix] += 1
        else:
            found.files.append(InputFile(path, path.parent.relative_to(folder), is_named=False))


def _visible_files(folder: Path, recursive: bool, found: FoundFiles) -> Iterator[Path]:
    def keep_failure(error: OSError) -> None:
        found.failures.append((Path(os.fsdecode(error.filename)), error))

    for parent, folders, names in os.walk(folder, onerror=keep_failure):
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if recursive else []
        visible = (Path(parent, name) for name in sorted(names) if not name.startswith("."))
        yield from (path for path in visible if path.is_file() or not path.exists())  # pipes would be waited for


def _each_once(files: Sequence[InputFile]) -> Iterator[InputFile]:
    seen: set[str] = set()
    for file in files:
        place = str(file.path) if str(file.path) == "-" else os.path.abspath(file.path)
        if place not in seen:
            seen.add(place)
            yield file
