"""The kinds of items that plugins register. A new kind is one entry in `ITEM_KINDS`, and its hook in `hookspecs`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

_TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")

#: Says why a value is refused; None if it is not.
Complaint = Callable[[Any], str | None]


def target_complaint(target: object) -> str | None:
    """Why a value is no lazy target.

    >>> target_complaint("package.module:Class") is None
    True
    """
    if isinstance(target, str) and _TARGET.fullmatch(target):
        return None
    return f"target {target!r} is not of the form 'package.module:attribute'"


def _command_complaint(command: object) -> str | None:
    return None if isinstance(command, click.Command) else target_complaint(command)


def _file_complaint(path: Any) -> str | None:
    return None if Path(path).is_file() else f"file {str(path)!r} not found"


def _not_a_command(loaded: object) -> str | None:
    return None if isinstance(loaded, click.Command) else f"is no click command but {loaded!r}"


def _not_callable(loaded: object) -> str | None:
    return None if callable(loaded) else f"cannot be called: {loaded!r}"


@dataclass(frozen=True)
class ItemKind:
    """What plugins can register under a name.

    Attributes:
        name: singular, as in messages and for `PluginHost.items`.
        hook: that hands over the callback.
        complaint: why a target is refused when it is registered.
        loaded_complaint: why what a lazy target leads to cannot be used.
        stored: what is kept of a target.
    """

    name: str
    hook: str
    complaint: Complaint = target_complaint
    loaded_complaint: Complaint = _not_callable
    stored: Callable[[Any], Any] = lambda target: target

    @property
    def plural(self) -> str:
        """As in listings and in JSON."""
        return f"{self.name}s"


ITEM_KINDS = (
    ItemKind("command", "register_commands", _command_complaint, _not_a_command),
    ItemKind("processor", "register_processors"),
    ItemKind("generator", "register_generators"),
    ItemKind("objective", "register_objectives"),
    ItemKind("preset", "register_presets", _file_complaint, stored=Path),
    ItemKind("evaluation", "register_evaluations", loaded_complaint=_not_a_command),
    ItemKind("panel", "register_panels"),
)
