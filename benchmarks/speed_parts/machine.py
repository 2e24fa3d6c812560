"""The machine that a benchmark runs on, and what it can do at best."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import torch

from caw_toolkit.devices import uses_bfloat16

MATRIX = 2048
#: Libraries that compute can be kept from newer instructions by these variables.
LIMITS = ("ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "MKL_ENABLE_INSTRUCTIONS")
#: What counts in a processor's flags.
INSTRUCTIONS = ("fma", "avx2", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve")


def processor() -> str:
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def instructions() -> str:
    """The instruction sets that the processor has, and the one that it is kept to by the environment, if it is."""
    flags = (_cpuinfo("flags") or _cpuinfo("Features")).split()
    has = " ".join(name for name in INSTRUCTIONS if name in flags) or torch.backends.cpu.get_cpu_capability()
    limits = " ".join(f"{name}={os.environ[name]}" for name in LIMITS if name in os.environ)
    return f"{has}, kept to {limits}" if limits else has


def _cpuinfo(field: str) -> str:
    """What Linux says of the first processor; nothing where it does not."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(field)), "")


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
    numbers = "bfloat16" if uses_bfloat16(device) else "float32"
    return (
        f"{name}{processor()} ({instructions()}), {torch.get_num_threads()} threads, torch {torch.__version__}, "
        f"float32 matrix products at {peak:.0f} GFLOP/s, networks in {numbers}"
    )
