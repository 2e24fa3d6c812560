"""Generators by the type that a model file names: the engine's own, and those that plugins registered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from caw_toolkit.errors import CawError, one_line
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.parts import find_part


def build_generator(architecture: Mapping[str, Any], *, plugin: Mapping[str, Any] | None = None) -> ScaleGenerator:
    """An untrained generator of an architecture.

    Args:
        architecture: its `type`, and the arguments that its class is built with.
        plugin: what `plugin_record` said when it was trained, to tell what has to be installed.

    Raises:
        CawError: if nothing that is installed knows this type.
    """
    options = dict(architecture)
    kind = options.pop("type")
    part = find_part("generator", kind) if isinstance(kind, str) else None
    if part is None:
        raise CawError(_missing(kind, plugin))
    generator: ScaleGenerator = part.load()(**options)
    return generator


def plugin_record(architecture: Mapping[str, Any]) -> dict[str, str] | None:
    """The distribution, and its version, that a generator's type comes from; None for the engine's own."""
    part = find_part("generator", architecture["type"])
    if part is None or part.is_own:
        return None
    return {"distribution": part.distribution, "version": part.version}


def _missing(kind: object, plugin: Mapping[str, Any] | None) -> str:
    """What to do about a type that nothing here knows. The words of a file are shown, never used."""
    shown = one_line(repr(kind))[:60]
    if plugin:
        name, version = (one_line(str(plugin.get(key, "?")))[:60] for key in ("distribution", "version"))
        return f"the model uses a generator of type {shown} from the plugin {name} {version}: caw install {name}"
    return f"the model uses a generator of type {shown}, which this caw_toolkit does not know: upgrade it"
