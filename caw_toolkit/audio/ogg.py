"""The streams of an Ogg file, of which several may be joined.

Layout: RFC 3533.
"""

from __future__ import annotations

import logging
import os
from typing import BinaryIO

logger = logging.getLogger(__name__)


def ogg_links(stream: BinaryIO, name: str, start: int) -> list[tuple[int, int]]:
    """The ranges of the streams that were joined to an Ogg file; libsndfile reads only the first.

    Args:
        stream: seekable.
        name: for messages.
        start: where the first begins.
    """
    size = stream.seek(0, os.SEEK_END)
    begins, position, was_first, is_last = [start], start, True, True
    while position + 27 <= size:
        stream.seek(position)
        head = stream.read(27)
        if head[:4] != b"OggS":  # damaged, or at its end
            break
        is_first = bool(head[5] & 2)  # of its stream
        if is_first and not was_first:
            begins.append(position)
        was_first, is_last = is_first, bool(head[5] & 4)
        position += 27 + head[26] + sum(stream.read(head[26]))
    if position > size or not is_last:
        logger.warning("%s holds no end of its stream: it may be truncated", name)
    return list(zip(begins, [*begins[1:], size], strict=True))
