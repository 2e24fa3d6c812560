"""Panels that plugins have added to the page."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from caw_toolkit import CawError
from caw_toolkit.plugins import get_host
from caw_toolkit.processors.catalogue import DeclaredParameter, declared
from caw_toolkit.processors.panels import Panel


@dataclass(frozen=True)
class PanelOffer:
    """A panel as the page shows it.

    Attributes:
        name: that it was registered under.
        origin: distribution that it comes from.
        summary: one line.
        parameters: what there are controls for.
        problem: why it cannot be used; None if it can.
    """

    name: str
    origin: str
    summary: str
    parameters: tuple[DeclaredParameter, ...] = ()
    problem: str | None = None


@functools.cache
def known_panels() -> Mapping[str, PanelOffer]:
    """All panels, by name."""
    host = get_host()
    offers = {}
    for name, item in sorted(host.items("panel").items()):
        parameters: tuple[DeclaredParameter, ...] = ()
        problem = None
        try:
            panel = host.load("panel", name)
            parameters = declared(panel.parameters.values()) if isinstance(panel, Panel) else ()
        except CawError as error:
            problem = str(error)
        offers[name] = PanelOffer(name, item.origin.distribution, item.summary, parameters, problem)
    return offers
