"""Generators by the type that a model file names."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from caw_toolkit.errors import CawError
from caw_toolkit.generators.base import ScaleGenerator

GENERATORS = {
    "dilated": "caw_toolkit.generators.dilated:DilatedGenerator",
    "exemplar": "caw_toolkit.generators.exemplar:ExemplarGenerator",
    "exemplar_or_gaussian": "caw_toolkit.generators.band_extension.generator:ExemplarOrGaussianGenerator",
    "flow": "caw_toolkit.generators.flow:FlowGenerator",
    "gaussian": "caw_toolkit.generators.gaussian:GaussianGenerator",
}


def build_generator(architecture: Mapping[str, Any]) -> ScaleGenerator:
    """An untrained generator of an architecture.

    Raises:
        CawError: if this version knows no such type.
    """
    options = dict(architecture)
    kind = options.pop("type")
    if kind not in GENERATORS:
        raise CawError(f"the model uses a generator of type {kind!r}, which this caw_toolkit does not know: upgrade it")
    module, attribute = GENERATORS[kind].split(":")
    generator: ScaleGenerator = getattr(importlib.import_module(module), attribute)(**options)
    return generator
