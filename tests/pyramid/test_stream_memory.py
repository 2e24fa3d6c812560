"""An hour of sound in memory that does not grow."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from caw_process import run_python

HOUR_SECONDS = 3600
LIMIT_GIGABYTES = 1.5

STREAM = """
import itertools, json, resource, sys
from caw_toolkit import PyramidModel
model = PyramidModel.load(sys.argv[1], "cpu")
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
samples, early = 0, None
for count, block in enumerate(itertools.islice(model.stream(1.0, seed=1), int(sys.argv[2]))):
    samples += block.shape[1]
    early = peak() if count == 120 else early
print(json.dumps([samples / model.sample_rate, early, peak()]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_an_hour_stays_below_the_limit(tiny_model_path: Path) -> None:
    done = run_python("-c", STREAM, str(tiny_model_path), str(HOUR_SECONDS))
    assert done.returncode == 0, done.stderr
    seconds, early, late = json.loads(done.stdout)
    assert seconds == HOUR_SECONDS
    assert late < LIMIT_GIGABYTES
    assert late < early + 0.1, "memory grows with the length"
