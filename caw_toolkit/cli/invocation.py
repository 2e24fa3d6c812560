"""Commands of `caw` run from a program: in its process, many times, an error being an exception.

.. versionadded:: 0.2
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from caw_toolkit.errors import CawError, CawUsageError, did_you_mean

__all__ = ["load_command", "run_command"]

_INTERRUPTED = 130


def load_command(name: str) -> click.Command:
    """A command of the engine or of a plugin, imported.

    Args:
        name: as it stands after `caw`.

    Returns:
        The click command, with its parameters.

    Raises:
        CawUsageError: there is none of this name.
        PluginError: it cannot be imported.

    Example:
        >>> load_command("train").params[0].name
        'clips'

    .. versionadded:: 0.2
    """
    from caw_toolkit.cli import main
    from caw_toolkit.cli.group import LazyCommand

    context = click.Context(main)
    command = main.get_command(context, name)
    if command is None:
        raise CawUsageError(f"no command {name!r}; {did_you_mean(name, main.list_commands(context))}")
    return command.load() if isinstance(command, LazyCommand) else command


def run_command(name: str, arguments: Sequence[str]) -> None:
    """Run a command to its end, in this process.

    Args:
        name: as it stands after `caw`.
        arguments: what stands after the name.

    Raises:
        CawError: it failed; the message is the line that `caw` would show, the exit code that of `caw`.
        KeyboardInterrupt: it was interrupted.

    Example:
        >>> run_command("train", ["missing.wav", "-o", "model.pt"])
        Traceback (most recent call last):
        caw_toolkit.errors.CawUsageError: Invalid value for 'CLIP...': File 'missing.wav' does not exist.

    .. versionadded:: 0.2
    """
    from caw_toolkit.cli import main
    from caw_toolkit.cli.errors import explain

    try:
        code = main.main([name, *arguments], standalone_mode=False)
    except click.UsageError as error:
        raise CawUsageError(error.format_message()) from error
    except click.ClickException as error:
        raise CawError(error.format_message()) from error
    except (KeyboardInterrupt, click.Abort) as error:
        raise KeyboardInterrupt(*error.args) from error
    except SystemExit as error:
        code = error.code
    except BaseException as error:  # of a plugin, whatever it is
        if getattr(error, "exit_code", None) == _INTERRUPTED:
            raise KeyboardInterrupt(str(error)) from error
        if isinstance(error, CawError):
            raise
        raise CawError(explain(error)) from error
    if code:
        raise CawError(f"caw {name} ended with exit code {code}")
