"""Presets: how a pyramid is laid out and trained, as TOML files.

```toml
description = "What it is for, in one line."

[scales]                       # fields of `pyramid.rates.ScaleRules`, and the upsampling between scales
candidate_rates = [500, 1000, 2000, 4000, 8000, 16000]
upsampling = "keys"            # or "sinc"

[objective]
name = "adversarial"           # a registered objective; every other key is one of its options
hidden_channels = 32

[training]
minutes = 10                   # default time budget
coarsest_share = 0.4             # of the time budget; default: all scales get the same

[generation]
inverted_noise = 0.5           # share of the recording's inverted noise in what audio is generated from; default: 0

[material.speech.scales]       # what differs for speech, music or ambience; also .objective and .generation
lowest_speech_rate = 1000
```

This module checks the layout and the types. The values are checked where they are used: those of the scales by
`ScaleRules`, the objective's options by the objective.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caw_toolkit import former_names
from caw_toolkit.errors import CawError, CawUsageError, did_you_mean
from caw_toolkit.pyramid.material import Material
from caw_toolkit.toml_file import read_toml

UPSAMPLING_METHODS = ("keys", "sinc")

_PACKAGE = "caw_toolkit_presets"
_MATERIALS = tuple(material.value for material in Material)

#: No setting is more; infinity and NaN are not either.
_LARGEST_NUMBER = 1e15


@dataclass(frozen=True)
class Preset:
    """A preset with one material's settings merged in.

    Attributes:
        name: its name, or the path of its file.
        description: one line.
        scales: fields of `pyramid.rates.ScaleRules`; those left out keep their defaults.
        upsampling: how a coarser signal is brought to the next rate: `keys` (cubic, as in the paper) or `sinc`.
        objective: name of the training objective.
        objective_options: the objective's options, not yet checked.
        training: `minutes` (the default time budget) and `coarsest_share` (of it), where given.
        generation: `inverted_noise`, where given.
    """

    name: str
    description: str
    scales: Mapping[str, Any]
    upsampling: str
    objective: str
    objective_options: Mapping[str, Any]
    training: Mapping[str, Any]
    generation: Mapping[str, Any] = field(default_factory=dict)


def preset_directory() -> Path:
    """The folder of the shipped presets: the installed one, or that of the source checkout.

    Raises:
        CawError: There is neither; the installation is incomplete.
    """
    try:
        packaged = importlib.resources.files(_PACKAGE)
    except ModuleNotFoundError:
        packaged = None
    if isinstance(packaged, Path) and packaged.is_dir():
        return packaged
    checkout = Path(__file__).resolve().parents[2] / "presets"
    if checkout.is_dir():
        return checkout
    raise CawError("the shipped presets are missing: install caw-toolkit again")


def load_preset(name_or_path: str | Path, *, material: Material, extra: Mapping[str, Path] | None = None) -> Preset:
    """Load a preset for one kind of sound.

    `[material.<kind>.scales]`, `.objective` and `.generation` are laid over `[scales]`, `[objective]` and
    `[generation]`, key by key and table by table. A material that names another objective starts from that objective's
    defaults.

    Args:
        name_or_path: name of a shipped or registered preset, or a path that ends in `.toml`.
        material: the kind of sound to be trained on.
        extra: presets that plugins registered, by name. Shipped names win.

    Returns:
        The merged preset.

    Raises:
        CawUsageError: An unknown name, a missing or malformed file, an unknown key or a value of the wrong type, in
            any material's tables.
    """
    name = str(name_or_path)
    if name.lower().endswith(".toml"):
        path = Path(name_or_path)
    else:
        known = _known_presets(extra)
        if name not in known:
            raise CawUsageError(f"unknown preset {name!r}: {did_you_mean(name, known)}")
        path = known[name]
    tables = _with_present_names(read_toml(path, "preset"))
    _check(tables, path)
    changes = tables.get("material", {}).get(Material(material).value, {})
    scales = _merge(tables.get("scales", {}), changes.get("scales", {}))
    if "candidate_rates" in scales:
        scales["candidate_rates"] = tuple(scales["candidate_rates"])
    objective, other = tables["objective"], changes.get("objective", {})
    if other.get("name", objective["name"]) != objective["name"]:
        objective = {}
    objective = _merge(objective, other)
    return Preset(
        name=name,
        description=tables.get("description", ""),
        upsampling=scales.pop("upsampling", "keys"),
        scales=scales,
        objective=objective.pop("name"),
        objective_options=objective,
        training=tables.get("training", {}),
        generation=_merge(tables.get("generation", {}), changes.get("generation", {})),
    )


def _known_presets(extra: Mapping[str, Path] | None) -> dict[str, Path]:
    shipped = {path.stem: path for path in preset_directory().glob("*.toml")}
    return {**(extra or {}), **shipped}


def _with_present_names(tables: dict[str, Any]) -> dict[str, Any]:
    """The `generation` tables with the names in use now; the objective's options are its own to read."""
    holders = [tables, *(table for table in _tables(tables.get("material")) if isinstance(table, dict))]
    for holder in holders:
        if isinstance(holder.get("generation"), dict):
            holder["generation"] = former_names.present(holder["generation"], former_names.GENERATION)
    return tables


def _tables(value: object) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else []


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes` over `base`; tables are merged, everything else is replaced."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True)
class _Kind:
    """What a value may be: words for the message, and the test."""

    words: str
    accepts: Callable[[Any], bool]


_TABLE = _Kind("a table", lambda value: isinstance(value, dict))
_TEXT = _Kind("a text", lambda value: isinstance(value, str) and value != "")
_NUMBER = _Kind("a finite number", lambda value: _is_number(value) and abs(value) <= _LARGEST_NUMBER)
_INTEGER = _Kind("an integer", _is_integer)
_RATE = _Kind("an integer above 0", lambda value: _is_integer(value) and 0 < value <= _LARGEST_NUMBER)
_RATES = _Kind(
    "a list of integers", lambda value: isinstance(value, list) and value != [] and all(map(_is_integer, value))
)

_TOP = {
    "description": _TEXT,
    "scales": _TABLE,
    "objective": _TABLE,
    "training": _TABLE,
    "generation": _TABLE,
    "material": _TABLE,
}
_SCALES = {
    "candidate_rates": _RATES,
    "largest_ratio": _NUMBER,
    "smallest_ratio": _NUMBER,
    "energy_threshold": _NUMBER,
    "lowest_speech_rate": _RATE,
    "fallback_rate": _RATE,
    "minimum_samples": _INTEGER,
    "upsampling": _Kind(" or ".join(map(repr, UPSAMPLING_METHODS)), lambda value: value in UPSAMPLING_METHODS),
}
_TRAINING = {
    "minutes": _Kind("a number above 0", lambda value: _is_number(value) and 0 < value < float("inf")),
    "coarsest_share": _Kind("a number between 0 and 1", lambda value: _is_number(value) and 0 < value < 1),
}
_GENERATION = {"inverted_noise": _Kind("a number from 0 to 1", lambda value: _is_number(value) and 0 <= value <= 1)}
_MATERIAL = {"scales": _TABLE, "objective": _TABLE, "generation": _TABLE}


def _check(tables: Mapping[str, Any], path: Path) -> None:
    _check_table(tables, _TOP, path, "")
    _check_table(tables.get("scales", {}), _SCALES, path, "scales.")
    _check_table(tables.get("training", {}), _TRAINING, path, "training.")
    _check_table(tables.get("generation", {}), _GENERATION, path, "generation.")
    objective = tables.get("objective", {})
    if "name" not in objective:
        raise CawUsageError(f"preset {path}: objective.name is missing")
    _check_kind(objective["name"], _TEXT, path, "objective.name")
    materials = tables.get("material", {})
    _check_table(materials, dict.fromkeys(_MATERIALS, _TABLE), path, "material.")
    for material, changes in materials.items():
        prefix = f"material.{material}."
        _check_table(changes, _MATERIAL, path, prefix)
        _check_table(changes.get("scales", {}), _SCALES, path, f"{prefix}scales.")
        _check_table(changes.get("generation", {}), _GENERATION, path, f"{prefix}generation.")
        if "name" in changes.get("objective", {}):
            _check_kind(changes["objective"]["name"], _TEXT, path, f"{prefix}objective.name")


def _check_table(table: Mapping[str, Any], kinds: Mapping[str, _Kind], path: Path, prefix: str) -> None:
    for key, value in table.items():
        if key not in kinds:
            raise CawUsageError(f"preset {path}: unknown key {prefix}{key}: {did_you_mean(key, kinds)}")
        _check_kind(value, kinds[key], path, prefix + key)


def _check_kind(value: Any, kind: _Kind, path: Path, key: str) -> None:
    if not kind.accepts(value):
        raise CawUsageError(f"preset {path}: {key} must be {kind.words}, not {value!r}")
