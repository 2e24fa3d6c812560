"""Which device computes, and in which precision. Loads torch only when a device is picked."""

from __future__ import annotations

import contextlib
import functools
import os
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from caw_toolkit.errors import CawUsageError, did_you_mean

if TYPE_CHECKING:
    import torch

#: Names of devices, as `pick_device` takes them.
DEVICES = ("auto", "cpu", "cuda", "mps")
#: In which numbers networks compute.
PRECISIONS = ("auto", "float32", "bfloat16")
#: The environment variable that chooses one of them.
PRECISION_VARIABLE = "CAW_PRECISION"


def pick_device(name: str = "auto") -> torch.device:
    """The device of a name; `auto` takes CUDA, then Apple's MPS, then the CPU.

    Raises:
        CawUsageError: if the name is unknown or this machine has no such device.
    """
    import torch

    if name not in DEVICES:
        raise CawUsageError(f"unknown device {name!r}: choose one of {', '.join(DEVICES)}")
    has = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(device for device in ("cuda", "mps", "cpu") if has[device]))
    if not has[name]:
        raise CawUsageError(f"this machine has no usable {name} device: use --device cpu, or leave --device out")
    return torch.device(name)


@functools.cache
def has_fast_bfloat16(device_type: str) -> bool:
    """Whether bfloat16 convolutions are faster than float32 ones on this machine."""
    import torch

    if device_type == "cuda":
        return torch.cuda.get_device_capability() >= (8, 0)
    return device_type == "cpu" and bool(getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)())


def uses_bfloat16(device_type: str) -> bool:
    """Whether networks compute in bfloat16: as `CAW_PRECISION` says, by default where that is faster.

    Raises:
        CawUsageError: if it says something else than `PRECISIONS`.
    """
    chosen = os.environ.get(PRECISION_VARIABLE) or "auto"
    if chosen not in PRECISIONS:
        raise CawUsageError(f"unknown precision {chosen!r} in {PRECISION_VARIABLE}: {did_you_mean(chosen, PRECISIONS)}")
    return has_fast_bfloat16(device_type) if chosen == "auto" else chosen == "bfloat16"


def mixed_precision(device: torch.device) -> AbstractContextManager[object]:
    """Run convolutions in bfloat16 where `uses_bfloat16` says so."""
    import torch

    if uses_bfloat16(device.type):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()
