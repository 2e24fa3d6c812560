"""ViSQOL in speech mode (Chinen et al. 2020), a predicted opinion beside the truth, if visqol-python is installed."""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

from baselines.transforms import Signal
from harness.task import Scores

_RATE = 16_000


def score(reference: Signal, speech: Signal, rate: int) -> Scores:
    """From 1 to 5, as `visqol`; nothing where it cannot be had."""
    if importlib.util.find_spec("visqol") is None or rate != _RATE:
        return {}
    return {"visqol": float(_listener().measure_from_arrays(reference, speech, rate).moslqo)}


@functools.cache
def _listener() -> Any:
    from visqol import VisqolApi

    listener = VisqolApi()
    listener.create(mode="speech")
    return listener
