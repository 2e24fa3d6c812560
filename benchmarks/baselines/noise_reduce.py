"""Denoising by the package noisereduce, if it is installed, with its own defaults."""

from __future__ import annotations

import importlib.util

import numpy as np

from baselines.transforms import Signal


def is_installed() -> bool:
    return importlib.util.find_spec("noisereduce") is not None


def clean(noisy: Signal, rate: int) -> Signal:
    """Clean a recording by spectral gating."""
    import noisereduce

    return np.asarray(noisereduce.reduce_noise(y=noisy, sr=rate), dtype=np.float64)
