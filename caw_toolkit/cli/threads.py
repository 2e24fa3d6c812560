"""How long the threads of OpenMP spin while they wait for each other."""

from __future__ import annotations

import os

#: Turns of GNU's OpenMP before a thread sleeps, whose own choice is some 300,000. Beside another busy process those
#: cost a training ten times its time; so few cost one alone a few per cent (docs/performance.md).
SPIN_COUNT = 1000


def bound_spinning() -> None:
    """Let threads sleep soon, unless the user has chosen how they wait. It counts only before torch is imported."""
    if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
        os.environ["GOMP_SPINCOUNT"] = str(SPIN_COUNT)
