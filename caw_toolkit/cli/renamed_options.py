"""Options that had another name before: the former one goes on working, and no help shows it.

    @click.option("-n", "--takes", cls=RenamedOption, former_names=("--count",), type=int, default=1)

.. versionadded:: 0.2
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.parser import _OptionParser

__all__ = ["RenamedOption", "former_names"]


class RenamedOption(click.Option):
    """An option that is also found by names that are not shown.

    Args:
        param_decls: its names, as for `click.Option`.
        former_names: those that it had before, such as `--count`. Their environment variables work as well.
        settings: as for `click.Option`.

    Example:
        >>> option = RenamedOption(["-n", "--takes"], former_names=["--count"], type=int)
        >>> command = click.Command("shout", params=[option], callback=lambda takes: print(takes))
        >>> command.main(["--count", "3"], standalone_mode=False)
        3
        >>> option.opts
        ['-n', '--takes']

    .. versionadded:: 0.2
    """

    def __init__(self, param_decls: Sequence[str], *, former_names: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(param_decls, **settings)
        self.former_names = tuple(former_names)

    def add_to_parser(self, parser: _OptionParser, ctx: click.Context) -> None:
        """Let click read the former names, too."""
        shown = self.opts
        self.opts = [*shown, *self.former_names]
        try:
            super().add_to_parser(parser, ctx)
        finally:
            self.opts = shown


def former_names(option: click.Option) -> tuple[str, ...]:
    """The names that an option had before, such as `--count`.

    Example:
        >>> former_names(RenamedOption(["--takes"], former_names=["--count"])), former_names(click.Option(["--takes"]))
        (('--count',), ())

    .. versionadded:: 0.2
    """
    return option.former_names if isinstance(option, RenamedOption) else ()
