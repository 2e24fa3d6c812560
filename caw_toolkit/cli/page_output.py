"""`--html FILE`: pages that commands write.

.. versionadded:: 0.2
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from caw_toolkit.cli.lines import say
from caw_toolkit.cli.options import Decorator, OutputFile, force_option
from caw_toolkit.cli.texts import expect_text
from caw_toolkit.errors import CawUsageError

if TYPE_CHECKING:
    from caw_toolkit.pages.page import Page

__all__ = ["PageFile", "page_option"]


@dataclass(frozen=True)
class PageFile:
    """A page to write.

    Attributes:
        path: of the file.
        force: whether it may replace another.

    Example:
        >>> PageFile(Path("page.html"), force=True).expect([Path("clip.wav")])
        >>> PageFile(Path("-"), force=True).expect([Path("clip.wav")])
        Traceback (most recent call last):
        caw_toolkit.errors.CawUsageError: a page cannot be written to standard output: name a file

    .. versionadded:: 0.2
    """

    path: Path
    force: bool

    def expect(self, inputs: Iterable[Path]) -> None:
        """Check now what would fail after the work.

        Args:
            inputs: all files that are read.

        Raises:
            CawUsageError: the page is one of them, or exists and may not be replaced, or would go to standard output.
        """
        if str(self.path) == "-":
            raise CawUsageError("a page cannot be written to standard output: name a file")
        expect_text(self.path, others=inputs, force=self.force)

    def write(self, page: Page, *, audio_format: Literal["flac", "opus"] = "flac", quiet: bool = False) -> None:
        """Write the page, and say where it is.

        Args:
            page: what it shows.
            audio_format: how its audio is stored.
            quiet: say nothing.
        """
        from caw_toolkit.atomic_write import write_atomically
        from caw_toolkit.pages.page import render

        html = render(page, audio_format=audio_format)
        path = write_atomically(self.path, html, replace=self.force)
        if not quiet:
            say(f"wrote {path} ({len(html) / 1e6:.1f} MB)")


def page_option(help_text: str, *, reads: Sequence[str]) -> Decorator:
    """`--html FILE` and `--force`, together as `page`: a `PageFile` that can be written, or None.

    Args:
        help_text: what the page shows.
        reads: names of the command's options and arguments that are files, which no page may replace.

    Example:
        >>> @click.command()
        ... @click.argument("clip", type=click.Path(path_type=Path))
        ... @page_option("Write a page to listen to.", reads=("clip",))
        ... def show(clip, page):
        ...     print(page.path)
        >>> show(["clip.wav", "--html", "clip.html"], standalone_mode=False)
        clip.html

    .. versionadded:: 0.2
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(*arguments: Any, html: Path | None, force: bool, **options: Any) -> Any:
            page = None if html is None else PageFile(html, force)
            if page is not None:
                given = [options[name] for name in reads]
                paths = [path for value in given for path in ([value] if isinstance(value, Path) else value)]
                if Path("-") in paths:
                    raise CawUsageError("standard input can be read once, and --html needs it twice: name a file")
                page.expect(paths)
            return function(*arguments, page=page, **options)

        return click.option("--html", type=OutputFile(), metavar="FILE", help=help_text)(force_option(run))

    return decorate  # type: ignore[return-value]
