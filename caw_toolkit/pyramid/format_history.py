"""Earlier versions of the model file, brought to the present one (`docs/model-file.md`, History)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from caw_toolkit import former_names


def upgrade(content: Mapping[str, Any], version: int) -> dict[str, Any]:
    """The content of a model file as the present version of the format has it.

    Args:
        content: of the file; what does not look like that of a model is left for the reader to complain of.
        version: of the format that it was written in.
    """
    if version >= 2:
        return dict(content)
    result = former_names.present(content, former_names.GENERATION)
    if isinstance(content.get("scales"), list):
        result["scales"] = [_scale_of_version_1(scale) for scale in content["scales"]]
    return result


def _scale_of_version_1(scale: Any) -> Any:
    if not isinstance(scale, Mapping) or not isinstance(scale.get("architecture"), Mapping):
        return scale
    return {**scale, "architecture": _architecture_of_version_1(scale["architecture"])}


def _architecture_of_version_1(architecture: Mapping[str, Any]) -> dict[str, Any]:
    result = former_names.present(architecture, former_names.ARCHITECTURE)
    if result.get("type") == "dilated":
        result.setdefault("normalised_gate", False)  # the gate's convolutions had plain weights
    nested = {name: _architecture_of_version_1(value) for name, value in result.items() if isinstance(value, Mapping)}
    return {**result, **nested}
