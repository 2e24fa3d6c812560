"""Memory that a training step frees is kept for the next step.

The C library of Linux returns large blocks to the system when they are freed. Every tensor of a step then consists of
new pages, and the system clears them one by one, which on a virtual machine takes longer than computing their contents:
a pass of batch normalisation over 100,000 samples of 96 channels was three times faster with memory that was kept.
"""

from __future__ import annotations

import ctypes
import platform

_TRIM_THRESHOLD = -1  # M_TRIM_THRESHOLD of <malloc.h>
_MMAP_MAX = -4  # M_MMAP_MAX
_NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Let this process keep the memory that it frees, for its own use; without effect outside Linux with glibc."""
    if platform.system() != "Linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, _NEVER)
