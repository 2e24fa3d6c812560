"""Re-chunking: the samples that come out are those that went in."""

from __future__ import annotations

import numpy as np
import pytest

from caw_toolkit.dsp.queues import SampleQueue


@pytest.mark.parametrize("taken", [1, 7, 64, 1000])
def test_any_chunks_come_out_in_order(taken: int) -> None:
    samples = np.random.default_rng(0).standard_normal((2, 500)).astype(np.float32)
    queue = SampleQueue(channels=2)
    for chunk in np.split(samples, [3, 3, 100, 101, 420], axis=1):  # one of them is empty
        queue.push(chunk)
    assert len(queue) == 500
    parts = [queue.pop(taken) for _ in range(-(-500 // taken))]
    assert len(queue) == 0
    assert queue.pop(taken).shape == (2, 0)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), samples)


def test_what_waits_is_the_queues_own() -> None:
    chunk = np.ones((1, 4), np.float32)
    queue = SampleQueue(channels=1)
    queue.push(chunk)
    chunk[:] = 0
    queue.pop(2)[:] = 0
    np.testing.assert_array_equal(queue.pop(2), [[1, 1]])
