"""Which plugins the user wants: a list of those to leave out, and a list of the only ones to load."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass


@dataclass(frozen=True)
class Selection:
    """Names of plugins, or of their commands or processors.

    Attributes:
        disabled: those to leave out; `*` stands for all.
        allowed: the only ones to load; None stands for all.

    >>> selection = Selection(frozenset(), frozenset({"shout"}))
    >>> selection.leaves_out("freeze", {"freeze", "shout"}), selection.leaves_out("shout", {"freeze", "shout"})
    (True, False)
    """

    disabled: frozenset[str]
    allowed: frozenset[str] | None

    def leaves_out(self, name: str, names: Set[str]) -> bool:
        """Whether a plugin is left out without being imported, where all plugins together have `names`."""
        if self.disabled & {name, "*"}:
            return True
        # A name that no plugin has may be that of a command, which only its plugin knows.
        return self.allowed is not None and name not in self.allowed and self.allowed <= names

    def leaves_out_by_items(self, name: str, items: Set[str]) -> bool:
        """Whether a plugin is left out, now that the names of its commands and processors are known."""
        return bool(items & self.disabled) or (self.allowed is not None and not self.allowed & {name, *items})
