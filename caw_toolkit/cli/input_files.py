"""Which files a command works on: those that are named, and those of folders that are."""

from __future__ import annotations

import functools
import logging
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from caw_toolkit.cli.group import commands_of_plugins
from caw_toolkit.cli.lines import say

#: For plugins; what else is here belongs to the engine.
__all__ = ["FoundFiles", "InputFile", "find_files"]

logger = logging.getLogger(__name__)


class SourcesArgument(click.Argument):
    """FILE..., which knows what the results of its command are called.

    Args:
        label: of results beside their sources; None: they have no names of their own.
    """

    def __init__(self, *arguments: Any, label: str | None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.label = label


@dataclass(frozen=True)
class InputFile:
    """A file to work on.

    Attributes:
        path: of the file.
        subfolder: where it is below the folder that was named.
        is_named: whether the file itself was named.

    Example:
        >>> file = InputFile(Path("songs/old/a.wav"), subfolder=Path("old"), is_named=False)  # of `songs/`
        >>> Path("louder", file.subfolder, file.path.name).as_posix()
        'louder/old/a.wav'

    .. versionadded:: 0.2
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

    Example:
        >>> song, louder = Path("song.wav"), Path("song.flac.wav")
        >>> found = FoundFiles([InputFile(path, is_named=False) for path in (song, louder)])
        >>> found.leave_out_made([(song, louder)])
        >>> [file.path.name for file in found.files]
        ['song.wav']

    .. versionadded:: 0.2
    """

    files: list[InputFile] = field(default_factory=list)
    results: list[Path] = field(default_factory=list)
    need_ffmpeg: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[Path, OSError]] = field(default_factory=list)

    def leave_out_made(self, made: Iterable[tuple[Path, Path]]) -> None:
        """Leave out files in folders that are the result of another, as an earlier run made them.

        Args:
            made: files to work on and their results.
        """
        makers = {os.path.realpath(result): source for source, result in made}

        def is_made(file: InputFile) -> bool:
            maker = makers.get(os.path.realpath(file.path))
            return not file.is_named and maker is not None and maker.with_suffix("") != file.path.with_suffix("")

        self.results += [file.path for file in self.files if is_made(file)]
        self.files = [file for file in self.files if not is_made(file)]

    def tell_what_is_left_out(self, *, quiet: bool) -> None:
        """Say which files in folders are left out, and why.

        Args:
            quiet: only say what is missing.
        """
        if self.results and not quiet:
            count = counted(len(self.results), "result")
            say(f"left out {count} of caw, such as {self.results[0]}: name a file to have it taken")
        if self.need_ffmpeg:
            count, suffixes = counted(self.need_ffmpeg.total(), "file"), ", ".join(sorted(self.need_ffmpeg))
            logger.warning("left out %s (%s) that only ffmpeg reads: install it", count, suffixes)


def find_files(
    sources: Sequence[Path],
    *,
    recursive: bool,
    results: Path | None = None,
    suffixes: Collection[str] | None = None,
) -> FoundFiles:
    """Find the files to work on.

    Hidden files and folders, and links to folders, are passed over; links to files are taken. What has a name that
    commands give to results is left out of folders.

    Args:
        sources: files and folders; `-` is standard input.
        recursive: whether to take what is in the folders of a folder, too.
        results: folder that results go to; it is left out of folders that it is in.
        suffixes: of files that are taken from folders, in lower case; default: those of audio.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("b.wav", "a.flac", ".hidden.wav", "notes.txt"):
        ...         Path(folder, name).touch()
        ...     found = find_files([Path(folder)], recursive=False)
        >>> [file.path.name for file in found.files]
        ['a.flac', 'b.wav']

    .. versionadded:: 0.2
    """
    from caw_toolkit.audio.formats import AUDIO_SUFFIXES

    found = FoundFiles()
    inner = _folder_inside(sources, results)
    for source in sources:
        if source.is_dir():
            _find_in_folder(source, found, recursive, inner, AUDIO_SUFFIXES if suffixes is None else suffixes)
        else:
            found.files.append(InputFile(source))
    named = {os.path.realpath(file.path) for file in found.files if file.is_named}
    found.files = list(_each_once(found.files))
    found.results = [path for path in found.results if os.path.realpath(path) not in named]
    return found


def _folder_inside(sources: Sequence[Path], results: Path | None) -> Path | None:
    """The folder of the results, if it is inside one that files are taken from."""
    if results is None:
        return None
    folder = Path(os.path.realpath(results))
    folders = {Path(os.path.realpath(source)) for source in sources if source.is_dir()}
    return folder if folders.intersection(folder.parents) else None


def _find_in_folder(
    folder: Path, found: FoundFiles, recursive: bool, results: Path | None, suffixes: Collection[str]
) -> None:
    from caw_toolkit.audio.ffmpeg import ffmpeg_path
    from caw_toolkit.audio.formats import FFMPEG_SUFFIXES

    has_ffmpeg = ffmpeg_path() is not None
    for path in _visible_files(folder, recursive, found):
        suffix = path.suffix.lower()
        if suffix not in suffixes:
            continue
        if _names_of_results().search(path.stem) or results in Path(os.path.realpath(path)).parents:
            found.results.append(path)
        elif suffix in FFMPEG_SUFFIXES and not has_ffmpeg:
            found.need_ffmpeg[suffix] += 1
        else:
            found.files.append(InputFile(path, path.parent.relative_to(folder), is_named=False))


@functools.cache
def _names_of_results() -> re.Pattern[str]:
    """What the names of results of all plugins end in before the suffix: a label or, by a template, the command."""
    labels = {
        label
        for name, command in commands_of_plugins()
        for parameter in command.params
        if isinstance(parameter, SourcesArgument)
        for label in (name, parameter.label)
        if label
    }
    return re.compile(rf"\.(?:{'|'.join(map(re.escape, sorted(labels))) or '(?!)'})[-.\d]*$")


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


def counted(count: int, noun: str) -> str:
    """A number of things in words.

    >>> counted(1, "result"), counted(3, "result")
    ('1 result', '3 results')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
