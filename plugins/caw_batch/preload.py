"""What Dask runs in each worker process of this machine as it starts."""

from __future__ import annotations

import signal
from typing import Any


def dask_setup(_worker: Any) -> None:
    """Leave Ctrl-C to the client, which ends the workers: a terminal sends it to all processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
