"""DNSMOS P.808, a predicted opinion of speech, if the packages speechmos and onnxruntime are installed."""

from __future__ import annotations

import importlib.util

from baselines.transforms import Signal
from harness.task import Scores

_RATE = 16_000


def score(speech: Signal, rate: int) -> Scores:
    """The predicted opinion from 1 to 5, as `dnsmos`; nothing where it cannot be had."""
    installed = all(importlib.util.find_spec(name) for name in ("speechmos", "onnxruntime"))
    if not installed or rate != _RATE:
        return {}
    from speechmos import dnsmos

    return {"dnsmos": float(dnsmos.run(speech, _RATE)["p808_mos"])}
