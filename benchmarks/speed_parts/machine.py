"""The machine that a benchmark runs on, and what it can do at best."""

from __future__ import annotations

import platform
import time
from pathlib import Path

import torch

MATRIX = 2048


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def peak_gigabytes() -> float:
    """Most memory that this process has had."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    # what `getrusage` says on Linux begins with what the parent had when it forked
    return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e6


def matmul_peak(repetitions: int = 20) -> float:
    """Best rate of a float32 matrix product, in GFLOP/s."""
    a, b = torch.randn(2, MATRIX, MATRIX).unbind()
    seconds = []
    for _ in range(repetitions):
        began = time.perf_counter()
        torch.mm(a, b)
        seconds.append(time.perf_counter() - began)
    return 2 * MATRIX**3 / min(seconds) / 1e9


def description(peak: float, device: str = "cpu") -> str:
    name = f"{torch.cuda.get_device_name()}, " if device == "cuda" else ""
    return (
        f"{name}{processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}, "
        f"float32 matrix products at {peak:.0f} GFLOP/s"
    )
