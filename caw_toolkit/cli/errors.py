"""What the user sees when something goes wrong: one line on standard error, and an exit code.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | the request could not be carried out |
| 2 | the request itself is wrong |
| 130 | interrupted by the user |

A closed pipe (`caw plugins | head -1`) ends the command quietly with exit code 1, as usual for command-line tools.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NoReturn

import click

from caw_toolkit.errors import CawError, describe_exception, harmless_line, is_out_of_memory, was_interrupted

#: Option that shows tracebacks. It is taken from anywhere on the command line, so that it can be added at its end.
DEBUG_OPTION = "--debug"

_INTERRUPTED = 130


def take_debug_option(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Take `--debug` out of the arguments, wherever it stands before a `--`.

    Returns:
        The other arguments, and whether tracebacks are wanted; `CAW_DEBUG=1` asks for them as well.

    >>> take_debug_option(["train", "clip.wav", "--debug"])
    (['train', 'clip.wav'], True)
    """
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    kept = [argument for argument in arguments[:end] if argument != DEBUG_OPTION] + list(arguments[end:])
    return kept, len(kept) < len(arguments) or os.environ.get("CAW_DEBUG", "") not in ("", "0")


@contextmanager
def error_boundary(debug: bool = False) -> Iterator[None]:
    """Turn any exception into one line on standard error and an exit code.

    Args:
        debug: show the traceback above the line.

    Raises:
        SystemExit: whenever the block raises.
    """
    try:
        yield
    except click.exceptions.NoArgsIsHelpError as error:  # its message is the whole help
        error.show()
        sys.exit(error.exit_code)
    except click.UsageError as error:
        click.UsageError(harmless_line(error.format_message()), error.ctx).show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _leave(error, error.format_message(), error.exit_code, debug)
    except (KeyboardInterrupt, click.Abort) as error:
        _leave(error, f"interrupted {error}", _INTERRUPTED, debug)
    except BrokenPipeError:
        _discard_standard_output()
        sys.exit(1)
    except CawError as error:
        _leave(error, str(error), error.exit_code, debug)
    except SystemExit:
        raise
    except BaseException as error:  # an event loop's CancelledError is no Exception
        if was_interrupted(error):
            _leave(error, "interrupted", _INTERRUPTED, debug)
        _leave(error, explain(error), 1, debug)


@contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """Take SIGTERM and SIGHUP as Ctrl-C within the block, so that nothing half-written is left behind."""
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        names = []  # Python allows it there only
    before = {name: signal.signal(getattr(signal, name), _interrupt) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _interrupt(number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt(f"by {signal.Signals(number).name}")


def _leave(error: BaseException, message: str, code: int, debug: bool) -> NoReturn:
    if debug:
        click.echo("".join(traceback.format_exception(error)).rstrip(), err=True)
    click.echo(f"caw: error: {harmless_line(message)}", err=True)
    sys.exit(code)


def explain(error: BaseException) -> str:
    """What an exception means to the user, in one line."""
    if isinstance(error, CawError):
        return str(error)
    if is_out_of_memory(error):
        return "out of memory: close other programs, or use a shorter clip or a smaller preset"
    if isinstance(error, FileNotFoundError) and error.filename is None and not _is_somewhere():
        return "the folder that this was started in is gone: go to another"
    if isinstance(error, OSError) and error.strerror:
        where = "".join(f": {name}" for name in (error.filename, error.filename2) if name is not None)
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror.lower()
        return f"{reason}{where}"
    return f"unexpected error: {describe_exception(error)} (run again with {DEBUG_OPTION} for the traceback)"


def _is_somewhere() -> bool:
    """Whether the current folder still exists."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def _discard_standard_output() -> None:
    """Let the interpreter's own flush at exit succeed after the reader of standard output has gone."""
    with suppress(OSError, io.UnsupportedOperation, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _StandardErrorHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, and the traceback under it if the record has one."""
        click.echo(f"caw: {record.levelname.lower()}: {harmless_line(record.getMessage())}", err=True)
        if record.exc_info:
            click.echo("".join(traceback.format_exception(*record.exc_info)).rstrip(), err=True)


@contextmanager
def warnings_on_stderr(debug: bool = False) -> Iterator[None]:
    """Show what the toolkit logs, warnings and above, as lines on standard error.

    Args:
        debug: show everything that is logged, with tracebacks.
    """
    logger = logging.getLogger("caw_toolkit")
    handler = _StandardErrorHandler(logging.DEBUG if debug else logging.WARNING)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if debug else logging.WARNING)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
