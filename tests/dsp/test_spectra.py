"""Lengths of fast transforms."""

from __future__ import annotations

import numpy as np
from scipy.fft import next_fast_len

from caw_toolkit.dsp.spectra import fast_length


def test_fast_lengths_are_those_of_scipy() -> None:
    lengths = [*range(1, 600), *np.random.default_rng(0).integers(600, 10**8, 100).tolist()]
    assert [fast_length(length) for length in lengths] == [next_fast_len(length, real=True) for length in lengths]
