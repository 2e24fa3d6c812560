"""What the plugin adds to `caw`."""

from __future__ import annotations
