"""What a model file may hold, checked before anything is built from it (docs/model-file.md, Limits).

Works on headers (`plain_pickle.TensorInfo`) and on tensors; does not import torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from caw_toolkit.pyramid.generator_schemas import Place, check_generator
from caw_toolkit.pyramid.schema import (
    Check,
    SchemaError,
    dtype_of,
    flag,
    inside,
    list_of,
    name,
    number,
    one_of,
    optional,
    refuse,
    string,
    table,
    whole,
)

HIGHEST_RATE = 384_000
MOST_SCALES = 1000
#: The reconstruction noise is as long as the recording, which has 600 seconds at the most, and is rounded.
LONGEST_NOISE_SECONDS = 601
#: Weights whose squares, summed, do not overflow; those of trained models are smaller by far.
_LARGEST_WEIGHT = 1e12
UPSAMPLINGS = ("keys", "sinc")

_RATE = whole(1, HIGHEST_RATE)
_SECONDS = number(0, 1e9)


def tensor(value: Any, where: str) -> None:
    """A tensor."""
    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        raise refuse(where, "a tensor", value)


def distribution(value: Any, where: str) -> None:
    """A name that `pip` takes for one."""
    name(value, where)
    if not value.replace("-", "").replace("_", "").replace(".", "").isalnum() or not value.isascii():
        raise refuse(where, "the name of a distribution", value)


_SCALE = table(
    {
        "rate": _RATE,
        "noise_std": number(0, 1e6),
        "architecture": table({"type": name}),
        "weights": table({}, others=tensor),
    },
    {"plugin": table({"distribution": distribution, "version": name})},
)
_TRAINING = table(
    {},
    {
        "recording_seconds": _SECONDS,
        "license": name,
        "author": name,
        "seconds_spent": list_of(_SECONDS, 0, MOST_SCALES),
        "trained_shares": list_of(number(0, 1), 0, MOST_SCALES),
        "losses": list_of(table({}, others=number(-1e300, 1e300)), 0, MOST_SCALES),
        "sources": list_of(table({"name": string, "seconds": _SECONDS, "sample_rate": number(0, 1e9)}), 0, 10_000),
    },
)
_MOMENT = number(0, LONGEST_NOISE_SECONDS)
_PULSE = table(
    {
        "period_seconds": number(0.01, 10),
        "pulses_a_bar": whole(1, 100),
        "times": list_of(_MOMENT, 2, 100 * LONGEST_NOISE_SECONDS),
    }
)
_MODEL: Check = table(
    {
        "sample_rate": _RATE,
        "channels": whole(1, 2),
        "peak": number(0, 1e9, above=True),
        "gain": number(0, 1e6),
        "upsampling": one_of(*UPSAMPLINGS),
        "capabilities": list_of(name, 0, 100),
        "scales": list_of(_SCALE, 1, MOST_SCALES),
        "training": _TRAINING,
    },
    {
        "reconstruction_noise": optional(tensor),
        "inverted_noise": number(0, 1),
        "pulse": optional(_PULSE),
        "pauses": list_of(list_of(_MOMENT, 2, 2), 0, 10 * LONGEST_NOISE_SECONDS),
        "is_texture": flag,
    },
)


def check_model(content: Mapping[str, Any], where: str = "") -> None:
    """Check the content of a model file of the present version.

    Args:
        content: as `format_history.upgrade` returns it.
        where: it stands in the file, for messages.

    Raises:
        SchemaError: naming the first value that is wrong.
    """
    _MODEL(content, where)
    scales, rates = content["scales"], [scale["rate"] for scale in content["scales"]]
    if any(lower >= upper for lower, upper in zip(rates, rates[1:], strict=False)):
        raise SchemaError(f"{inside(where, 'scales')} must have ascending rates")
    if content["sample_rate"] != rates[-1]:
        raise refuse(inside(where, "sample_rate"), f"{rates[-1]}, the rate of the last scale", content["sample_rate"])
    for index, scale in enumerate(scales):
        place = Place(
            where=f"{inside(where, 'scales')}[{index}].architecture",
            weights=scale["weights"],
            prefix="",
            channels=content["channels"],
            rate=scale["rate"],
            coarser_rate=rates[index - 1] if index else None,
        )
        check_generator(scale["architecture"], place)
    _check_noise(content, inside(where, "reconstruction_noise"))


def _check_noise(content: Mapping[str, Any], where: str) -> None:
    noise = content.get("reconstruction_noise")
    if noise is None:
        return
    most = LONGEST_NOISE_SECONDS * content["scales"][0]["rate"]
    shape, dtype = tuple(noise.shape), dtype_of(noise)
    if len(shape) != 2 or shape[0] != content["channels"] or not 2 <= shape[1] <= most or dtype != "float32":
        expected = f"a float32 tensor ({content['channels']}, 2 to {most})"
        raise SchemaError(f"{where} must be {expected}, not a {dtype} tensor {shape}")


def check_values(content: Mapping[str, Any], where: str = "") -> None:
    """Check the tensors of a content that `check_model` let pass: finite, and of a recording some may be used.

    Args:
        content: with tensors of torch.
        where: as for `check_model`.

    Raises:
        SchemaError: as there.
    """
    for index, scale in enumerate(content["scales"]):
        weights = inside(where, "scales") + f"[{index}].weights"
        for key, value in scale["weights"].items():
            _check_finite(value, inside(weights, key))
            if key.rpartition(".")[2] == "usable" and "exemplar" in scale["architecture"]["type"] and not value.any():
                raise SchemaError(f"{inside(weights, key)} is false everywhere")
    noise = content.get("reconstruction_noise")
    if noise is not None:
        _check_finite(noise, inside(where, "reconstruction_noise"))
        if (content.get("inverted_noise") or content.get("pauses")) and not noise.std() > 0:
            raise SchemaError(f"{inside(where, 'reconstruction_noise')} is constant")


def _check_finite(value: Any, where: str) -> None:
    if not value.is_floating_point():
        return
    if not value.isfinite().all():
        raise SchemaError(f"{where} has values that are not finite")
    if (value.abs() > _LARGEST_WEIGHT).any():
        raise SchemaError(f"{where} has values beyond {_LARGEST_WEIGHT:g}")
