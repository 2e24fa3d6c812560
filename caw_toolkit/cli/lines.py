"""Lines that commands show, beside errors and progress.

.. versionadded:: 0.2
"""

from __future__ import annotations

import click

from caw_toolkit.errors import printable

__all__ = ["say"]


def say(text: str, *, err: bool = True) -> None:
    r"""Show a line in which names of files may stand, or texts from them: what a terminal would obey is escaped.

    Args:
        text: without the end of the line.
        err: whether it is said beside the result, on standard error.

    Example:
        >>> say("wrote so\x1b[2Jng.wav", err=False)
        wrote so\x1b[2Jng.wav

    .. versionadded:: 0.2
    """
    click.echo(printable(text), err=err)
