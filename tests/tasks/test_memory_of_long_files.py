"""Commands need no more memory for a long file than for a short one."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from caw_process import run_python

LIMIT_GIGABYTES = 1.0

PEAK = """
import sys
from caw_toolkit.cli import main
try:
    main(sys.argv[1:])
except SystemExit as done:
    print([int(line.split()[1]) / 1e6 for line in open("/proc/self/status") if line.startswith("VmHWM")][0])
    sys.exit(done.code)
"""


def peak_gigabytes(*arguments: str) -> float:
    done = run_python("-c", PEAK, *arguments)
    assert done.returncode == 0, done.stderr
    return float(done.stdout.splitlines()[-1])


def write_noise(path: Path, seconds: int, rate: int) -> None:
    random = np.random.default_rng(0)
    with sf.SoundFile(path, "w", rate, 1, subtype="PCM_16") as file:
        for second in range(seconds):
            tone = np.sin(2 * np.pi * (200 + 10 * (second % 30)) * np.arange(rate) / rate)
            file.write(0.01 * random.standard_normal(rate) + 0.1 * (second % 3 > 0) * tone)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
@pytest.mark.parametrize(("seconds", "rate"), [(600, 16000), (3600, 48000)])
def test_cleaning_a_long_file_stays_below_the_limit(tmp_path: Path, seconds: int, rate: int) -> None:
    write_noise(tmp_path / "long.wav", seconds, rate)
    assert peak_gigabytes("denoise", "-q", str(tmp_path / "long.wav")) < LIMIT_GIGABYTES + 0.2  # of the libraries
    assert sf.info(tmp_path / "long.denoised.wav").frames == seconds * rate


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
@pytest.mark.parametrize("command", ["bwe", "vary"])
def test_memory_of_a_model_does_not_grow_with_the_file(tmp_path: Path, tiny_model_path: Path, command: str) -> None:
    peaks = []
    for minutes in (2, 12):
        write_noise(tmp_path / "long.wav", 60 * minutes, 4000)
        target = str(tmp_path / "made.wav")
        model = ["-m", str(tiny_model_path), "--seed", "1"]
        peaks.append(peak_gigabytes(command, "-q", "-f", *model, str(tmp_path / "long.wav"), "-o", target))
    assert peaks[1] < peaks[0] + 0.1
