"""What the engine's own generators may be built with, and that their weights are those that it builds.

Arguments decide how much memory a generator takes. Each that does is compared with the shapes of the weights, which
are no larger than the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from caw_toolkit.generators.limits import MOST_BANDS, MOST_EXTENDED_BANDS, MOST_FRAME_SAMPLES
from caw_toolkit.pyramid.schema import (
    Check,
    SchemaError,
    anything,
    dtype_of,
    flag,
    list_of,
    number,
    refuse,
    table,
    whole,
)

#: Hops of exemplars, in seconds.
_SHORTEST_HOP, _LONGEST_HOP = 0.001, 1.0

_WIDTHS = list_of(whole(1, 65536), 1, 10)
_KERNEL_SIZE = whole(1, 99)
_WEIGHT = number(-1e6, 1e6)


@dataclass(frozen=True)
class Place:
    """Where a generator stands.

    Attributes:
        where: its architecture is in the file.
        weights: its scale's, by name.
        prefix: of the names that are its own.
        channels: of audio.
        rate: Hz.
        coarser_rate: of the scale below, Hz; None at the coarsest.
    """

    where: str
    weights: Mapping[str, Any]
    prefix: str
    channels: int
    rate: int
    coarser_rate: int | None

    def require(self, argument: str, name: str, *shape: int, dtype: str | None = None) -> None:
        """Refuse an argument that says other first dimensions of a weight than it has.

        Args:
            argument: that says so.
            name: of the weight.
            shape: its first dimensions.
            dtype: its type, if it has to have one.
        """
        full = self.prefix + name
        tensor = self.weights.get(full)
        if tensor is None:
            raise SchemaError(f"{self.where}.{argument} does not fit the weights: there is no {full!r}")
        given = tuple(tensor.shape)
        if given[: len(shape)] != shape:
            raise SchemaError(f"{self.where}.{argument} does not fit the weights: {full!r} is {given}")
        if dtype is not None and dtype_of(tensor) != dtype:
            raise SchemaError(f"the weight {full!r} at {self.where} must be of type {dtype}, not {dtype_of(tensor)}")


def _channels(architecture: Mapping[str, Any], place: Place) -> None:
    if architecture["audio_channels"] != place.channels:
        raise refuse(f"{place.where}.audio_channels", f"{place.channels}", architecture["audio_channels"])


def _network(architecture: Mapping[str, Any], inputs: int, place: Place) -> None:
    """A `UNet`."""
    widths, kernel_size = architecture["widths"], architecture.get("kernel_size", 5)
    if kernel_size % 2 == 0:
        raise refuse(f"{place.where}.kernel_size", "odd", kernel_size)
    place.require("widths", "network.entry.weight", widths[0], inputs)
    place.require("kernel_size", "network.entry.weight", widths[0], inputs, kernel_size)
    for level, width in enumerate(widths):
        place.require("widths", f"network.encoder.{level}.0.first.weight", width, width)


def _dilated(architecture: Mapping[str, Any], place: Place) -> None:
    given = {"audio_channels": 1, "hidden_channels": 96, "blocks": 8, **architecture}
    _channels(given, place)
    hidden = given["hidden_channels"]
    for block in range(given["blocks"]):
        inputs = hidden if block else place.channels
        weight = f"stack.{3 * block}.parametrizations.weight.original1"
        place.require("blocks" if block else "hidden_channels", weight, hidden, inputs)


def _exemplar(architecture: Mapping[str, Any], place: Place) -> None:
    _channels(architecture, place)
    _not_coarsest(place)
    samples, hop, ratio = (architecture[name] for name in ("samples", "hop", "ratio"))
    for name in ("real", "coarse"):
        place.require("samples", name, place.channels, samples)
    place.require("samples", "usable", samples, dtype="bool")
    longest = min(round(_LONGEST_HOP * place.rate), samples // 2)
    whole(max(1, round(_SHORTEST_HOP * place.rate)), longest)(hop, f"{place.where}.hop")
    whole(1, -(-place.rate // (place.coarser_rate or place.rate)))(ratio, f"{place.where}.ratio")
    whole(0, 64 * ratio)(architecture["shift"], f"{place.where}.shift")


def _flow(architecture: Mapping[str, Any], place: Place) -> None:
    _channels(architecture, place)
    conditional = architecture["conditional"]
    if conditional != (place.coarser_rate is not None):
        raise refuse(f"{place.where}.conditional", "true at every scale but the coarsest", conditional)
    inputs = place.channels * architecture["frame_samples"] * (2 if conditional else 1)
    place.require("frame_samples", "network.entry.weight", architecture["widths"][0], inputs)
    _network(architecture, inputs, place)


def _gaussian(architecture: Mapping[str, Any], place: Place) -> None:
    _channels(architecture, place)
    _not_coarsest(place)
    rows = place.channels * architecture["bands"]
    place.require("bands", "band_level", rows, 1)
    _network(architecture, 2 * rows, place)
    if architecture.get("smoothing", 1) % 2 == 0:
        raise refuse(f"{place.where}.smoothing", "odd", architecture["smoothing"])


def _exemplar_or_gaussian(architecture: Mapping[str, Any], place: Place) -> None:
    for part in ("exemplar", "gaussian"):
        inner = replace(place, where=f"{place.where}.{part}", prefix=f"{place.prefix}{part}.")
        kind = architecture[part].get("type")
        if kind != part:
            raise refuse(f"{inner.where}.type", repr(part), kind)
        check_generator(architecture[part], inner)
    bands = architecture["gaussian"]["bands"]
    whole(1, MOST_EXTENDED_BANDS)(bands, f"{place.where}.gaussian.bands")


def _not_coarsest(place: Place) -> None:
    if place.coarser_rate is None:
        raise SchemaError(f"{place.where}.type must not be of the coarsest scale: it needs a coarser one")


_CHANNELS = whole(1, 2)


def _arguments(required: Mapping[str, Check], optionals: Mapping[str, Check] | None = None) -> Check:
    return table({"type": anything, **required}, optionals, others=None)


#: By type: check of the arguments, and check of what they say of the weights.
_GENERATORS: Mapping[str, tuple[Check, Callable[[Mapping[str, Any], Place], None]]] = MappingProxyType(
    {
        "dilated": (
            _arguments(
                {},
                {
                    "audio_channels": _CHANNELS,
                    "hidden_channels": whole(1, 65536),
                    "blocks": whole(1, 16),
                    "normalised_gate": flag,
                },
            ),
            _dilated,
        ),
        "exemplar": (
            _arguments(
                {
                    "audio_channels": _CHANNELS,
                    "samples": whole(2, 2**31),
                    "hop": whole(1, 2**20),
                    "ratio": whole(1, 2**20),
                    "shift": whole(0, 2**20),
                    "candidates": whole(1, 1000),
                    "concatenation_cost": _WEIGHT,
                    "selection_noise": _WEIGHT,
                },
                {"short_segment_cost": _WEIGHT},
            ),
            _exemplar,
        ),
        "exemplar_or_gaussian": (
            _arguments({"exemplar": table({}), "gaussian": table({})}, {"trained_share": number(0, 1)}),
            _exemplar_or_gaussian,
        ),
        "flow": (
            _arguments(
                {
                    "audio_channels": _CHANNELS,
                    "conditional": flag,
                    "frame_samples": whole(1, MOST_FRAME_SAMPLES),
                    "widths": _WIDTHS,
                    "companding": number(0.01, 100),
                    "solver_steps": whole(1, 1000),
                },
                {"solver_spacing": number(0.01, 100), "kernel_size": _KERNEL_SIZE},
            ),
            _flow,
        ),
        "gaussian": (
            _arguments(
                {"audio_channels": _CHANNELS, "bands": whole(1, MOST_BANDS), "widths": _WIDTHS},
                {"smoothing": whole(1, 101), "has_mean": flag, "kernel_size": _KERNEL_SIZE},
            ),
            _gaussian,
        ),
    }
)


def check_generator(architecture: Mapping[str, Any], place: Place) -> None:
    """Check the arguments of one of the engine's own generators; those of plugins are theirs to check.

    Raises:
        SchemaError: naming the first that is wrong.
    """
    known = _GENERATORS.get(architecture["type"])
    if known is not None:
        arguments, weights = known
        arguments(architecture, place.where)
        weights(architecture, place)
