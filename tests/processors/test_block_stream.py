"""Blocks on a fixed grid, whatever the chunks and the rate of what is made of them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from caw_toolkit.processors.blocks import BlockStream
from signals import pieces


def test_blocks_of_another_rate_join() -> None:
    signal = np.random.default_rng(0).standard_normal((1, 100)).astype(np.float32)
    stream = BlockStream(
        lambda audio, first: np.repeat(audio, 3, axis=1), 1, block=20, before=5, after=5, fade=2, grid=10,
        ratio=Fraction(3),
    )  # fmt: skip
    made = np.concatenate(list(stream.run(pieces(signal, 7))), axis=1)
    np.testing.assert_array_equal(made, np.repeat(signal, 3, axis=1))
