"""Errors whose message is meant for the user: what is wrong, with which value, and what to do.

The command line prints them as one line; any other exception is a bug.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CawError(Exception):
    """The request was understood and could not be carried out (exit code 1).

    Example:
        >>> CawError("clip.wav is silent").exit_code
        1
    """

    exit_code = 1


class CawUsageError(CawError):
    """The request itself is wrong: an unknown name, a value out of range (exit code 2).

    Example:
        >>> wrong = CawUsageError("--minutes must be above 0")
        >>> wrong.exit_code, isinstance(wrong, CawError)
        (2, True)
    """

    exit_code = 2


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that names the closest known name, or lists all of them.

    >>> did_you_mean("fsat", ["fast", "paper"])
    "did you mean 'fast'?"
    """
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"


def one_line(text: str) -> str:
    r"""Collapse all white space, so that a message stays on one line.

    >>> one_line("two\n lines")
    'two lines'
    """
    return " ".join(text.split())


def harmless_line(text: str, longest: int = 1000) -> str:
    r"""One printable line, without its middle if it is long.

    >>> harmless_line("no\x1b[2J\nsuch clip"), harmless_line("x" * 99, 20)
    ('no\\x1b[2J such clip', 'xxxxxxxxxx ... xxxxxxxxxx')
    """
    line = one_line(text)
    if len(line) > longest:
        line = f"{line[: longest // 2]} ... {line[-longest // 2 :]}"
    return printable(line)


def printable(text: str) -> str:
    r"""Text without what a terminal obeys or cannot show: such characters are written as escapes.

    >>> printable("two\n lines")
    'two\\n lines'
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def describe_exception(exception: BaseException) -> str:
    r"""Type and message of an exception, on one line.

    >>> describe_exception(ValueError("no\nsuch clip"))
    'ValueError: no such clip'
    """
    try:
        text = one_line(str(exception))
    except Exception:  # somebody else's exception, which fails even at that
        text = "its message cannot be shown"
    return f"{type(exception).__name__}: {text}" if text else type(exception).__name__


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out. torch's own errors are recognised without importing it."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, (ImportError, OSError)):  # of a library that is loaded
        return "failed to map segment from shared object" in str(error)
    # The last one is what oneDNN says, of nothing else in practice.
    phrases = ("can't allocate memory", "out of memory", "bad_alloc", "could not create a primitive")
    return isinstance(error, RuntimeError) and any(phrase in str(error) for phrase in phrases)


def was_interrupted(error: BaseException | None) -> bool:
    """Whether an error is what somebody's code made of Ctrl-C; extension modules that are imported do so."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
