"""Something that does harm where it is unpickled."""

from __future__ import annotations

import os
from pathlib import Path


class Malicious:
    """Its pickle runs a command, which leaves a file behind.

    Args:
        mark: the file.
    """

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch '{self.mark}'",)
