"""Code of plugins at work: it prints to standard error, and whatever it raises costs that plugin only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from caw_toolkit.errors import describe_exception, was_interrupted
from caw_toolkit.plugins.records import PluginOrigin
from caw_toolkit.standard_output import kept_clean


class PluginCodeError(Exception):
    """Code of a plugin raised something, be it `SystemExit` or what an event loop raises to cancel a task.

    Attributes:
        exception: what it raised.
    """

    def __init__(self, exception: BaseException) -> None:
        super().__init__(describe_exception(exception))
        self.exception = exception


@contextmanager
def plugin_code(origin: PluginOrigin, activity: str) -> Iterator[None]:
    """Run code of a plugin.

    Args:
        origin: the plugin.
        activity: what its code is doing, as in "while {activity} plugin 'shout'".

    Raises:
        PluginCodeError: the code raised anything else than `KeyboardInterrupt`.
        KeyboardInterrupt: the user gave up waiting; the message names the plugin.
    """
    try:
        with kept_clean():
            yield
    except BaseException as error:
        if was_interrupted(error):
            raise KeyboardInterrupt(f"while {activity} {origin}") from error
        raise PluginCodeError(error) from error
