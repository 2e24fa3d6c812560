"""The files that the page may see: those of one folder, and those of the session that is kept within it.

Everywhere else a file goes by its name: its path relative to the folder, with slashes. No name leads out of it.
"""

from __future__ import annotations

import contextlib
import filecmp
import importlib.resources
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from caw_toolkit import CawError, CawUsageError
from caw_toolkit.audio.formats import AUDIO_SUFFIXES

#: Folder of the session, within the folder that is worked in.
SESSION = ".caw-studio"
MODEL_SUFFIX = ".pt"
#: Listed at the most, and how deep folders are looked into.
MOST_FILES, DEEPEST = 500, 3
MOST_UPLOAD_BYTES = 2 << 30
_BUILT_IN = ("speech.flac", "guitar.flac", "tabla.flac")
_UNUSUAL = re.compile(r"[^\w .()+-]+")


@dataclass(frozen=True)
class Listing:
    """Names of what there is.

    Attributes:
        recordings: audio files of the folder.
        uploads: files that were handed in through the page.
        built_in: clips of the toolkit.
        models: model files of the folder.
        is_complete: whether nothing was left out.
    """

    recordings: list[str]
    uploads: list[str]
    built_in: list[str]
    models: list[str]
    is_complete: bool


class Library:
    """Files of a folder and of its session.

    Args:
        folder: to work in; it must exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.session = self.folder / SESSION
        self.jobs = self.session / "jobs"
        self._uploads = self.session / "uploads"
        self._clips = self.session / "clips"
        self._removed = self.session / "removed"

    def open(self) -> None:
        """Make the session's folders, put the built-in clips there, and delete what was removed before.

        Raises:
            CawError: the folder cannot be written to.
        """
        try:
            shutil.rmtree(self._removed, ignore_errors=True)
            for folder in (self.jobs, self._uploads, self._clips):
                folder.mkdir(parents=True, exist_ok=True)
            for clip in _BUILT_IN:
                if not (self._clips / clip).exists():
                    data = importlib.resources.files("caw_toolkit_examples").joinpath(clip).read_bytes()
                    (self._clips / clip).write_bytes(data)
        except OSError as error:
            raise CawError(f"cannot keep a session in {self.session}: {error.strerror}") from error

    def token(self) -> str:
        """The secret of the page's address; it stays the same, so that an open page survives a new start."""
        path = self.session / "token"
        if path.is_file() and (kept := path.read_text(encoding="ascii", errors="replace").strip()):
            return kept
        token = secrets.token_urlsafe(24)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as stream:
            stream.write(token)
        return token

    def path(self, name: object, suffixes: frozenset[str] = AUDIO_SUFFIXES) -> Path:
        """The file of a name.

        Args:
            name: as the page gives it: anything.
            suffixes: that it may have.

        Raises:
            CawUsageError: there is no such file here.
        """
        missing = CawUsageError(f"no file {str(name)[:200]!r} in the folder")
        if not isinstance(name, str) or not name or "\0" in name or "\\" in name or len(name) > 1000:
            raise missing
        parts = PurePosixPath(name).parts
        inner = parts[1:] if parts[:1] == (SESSION,) else parts
        if name.startswith("/") or any(part.startswith(".") for part in inner):
            raise missing
        try:
            found = (self.folder / name).resolve()
            if not found.is_relative_to(self.folder) or not found.is_file():
                raise missing
        except (OSError, ValueError):
            raise missing from None
        if found.suffix.lower() not in suffixes:
            raise missing
        return found

    def name(self, path: Path) -> str:
        """The name of a file that is here."""
        return path.relative_to(self.folder).as_posix()

    def listing(self) -> Listing:
        """What there is now."""
        files = [path for _, path in zip(range(MOST_FILES + 1), self._walk(self.folder, DEEPEST), strict=False)]
        kept = files[:MOST_FILES]
        return Listing(
            recordings=sorted(self.name(path) for path in kept if path.suffix.lower() in AUDIO_SUFFIXES),
            uploads=sorted(self.name(path) for path in self._uploads.iterdir() if not path.name.startswith(".")),
            built_in=[self.name(self._clips / clip) for clip in _BUILT_IN],
            models=sorted(self.name(path) for path in kept if path.suffix.lower() == MODEL_SUFFIX),
            is_complete=len(files) <= MOST_FILES,
        )

    def _walk(self, folder: Path, depth: int) -> Iterator[Path]:
        """Audio files and models, those of inner folders last."""
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            return
        visible = [entry for entry in entries if not entry.name.startswith(".")]
        for entry in visible:
            path = Path(entry.path)
            is_inside = not entry.is_symlink() or path.resolve().is_relative_to(self.folder)
            if path.suffix.lower() in AUDIO_SUFFIXES | {MODEL_SUFFIX} and is_inside and entry.is_file():
                yield path
        for entry in visible:
            if depth > 1 and entry.is_dir(follow_symlinks=False):
                yield from self._walk(Path(entry.path), depth - 1)

    async def receive(self, name: str, chunks: AsyncIterator[bytes]) -> Path:
        """Keep a file that is handed in.

        Args:
            name: that it has where it comes from; its ending must be that of audio.
            chunks: its bytes.

        Returns:
            Its path, the former one if it is here already; what it holds is not yet looked at.

        Raises:
            CawUsageError: the name is none of an audio file, or there is too much of it.
        """
        stem, suffix = os.path.splitext(_UNUSUAL.sub("_", PurePosixPath(name.replace("\\", "/")).name)[-120:])
        if suffix.lower() not in AUDIO_SUFFIXES:
            raise CawUsageError(f"{name[:120]!r} is no audio file: its ending must be one of {', '.join(_endings())}")
        partial = self._uploads / f".{secrets.token_hex(8)}"
        size = 0
        try:
            with open(partial, "wb") as stream:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > MOST_UPLOAD_BYTES:
                        raise CawUsageError(f"files of more than {MOST_UPLOAD_BYTES >> 30} GB belong into the folder")
                    stream.write(chunk)
            target = self._place_for(partial, stem.strip(" .-") or "recording", suffix)
            partial.replace(target)
            return target
        except OSError as error:
            raise CawError(f"cannot keep {name[:120]!r}: {error.strerror}") from error
        finally:
            partial.unlink(missing_ok=True)

    def _place_for(self, partial: Path, stem: str, suffix: str) -> Path:
        number = 1
        while (path := self._uploads / f"{stem}{'' if number == 1 else f'-{number}'}{suffix}").exists():
            if filecmp.cmp(path, partial, shallow=False):
                break
            number += 1
        return path

    def upload(self, name: object) -> Path:
        """Where a file that was handed in is, or was before it was removed.

        Raises:
            CawUsageError: the name is that of no such file.
        """
        path = self._uploads / PurePosixPath(str(name)).name
        if not path.is_relative_to(self._uploads) or self.name(path) != name or path.name.startswith("."):
            raise CawUsageError(f"{str(name)[:200]!r} was not handed in here")
        return path

    def remove(self, path: Path) -> None:
        """Put a file or folder of the session aside; until the session is opened anew, it can be put back."""
        aside = self._removed / path.relative_to(self.session)
        aside.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # somebody else has removed it
            path.replace(aside)

    def put_back(self, path: Path) -> None:
        """Undo `remove`.

        Raises:
            CawUsageError: there is nothing to put there, or something else has come there.
        """
        aside = self._removed / path.relative_to(self.session)
        if path.exists() or not aside.exists():
            raise CawUsageError(f"{path.name} cannot be put back: it is gone, or another has taken its place")
        aside.replace(path)

    def new_job_folder(self) -> Path:
        """An empty folder for what a job makes; names sort by age."""
        known = [*self.jobs.iterdir(), *self._removed.glob("jobs/*")]
        number = 1 + max((int(path.name) for path in known if path.name.isdecimal()), default=0)
        folder = self.jobs / f"{number:05}"
        folder.mkdir()
        return folder

    def put_into(self, folder: Path, source: Path) -> Path:
        """A file within a job's folder that holds what another does, linked where that can be."""
        target = folder / source.name
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
        return target


def _endings() -> list[str]:
    return sorted(AUDIO_SUFFIXES)
