"""Similarity matrices as a picture, like the paper's figures 8 and 18, with their lines marked."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from caw_toolkit.metrics import SimilarityMatrix

#: Pixels: of a side of a matrix, between two, and of a line of text.
_SIDE = 320
_GAP = 16
_TEXT = 20
#: Similarities of magnitudes are seldom below .3: a power spreads out what is near 1.
_CONTRAST = 3
#: Sixteen colours, in which a picture is small: greys from black to white, and that of lines.
_GREYS = 15
_MARK = 15
_PALETTE = [*np.repeat(np.linspace(0, 255, _GREYS).astype(int), 3).tolist(), 230, 90, 0]
_BLACK = 0
_WHITE = _GREYS - 1


def draw(rows: Sequence[Mapping[str, SimilarityMatrix]]) -> bytes:
    """Draw matrices, takes to the right and recordings downwards: the darker the more alike, lines in colour.

    Args:
        rows: matrices side by side, by what to call them; at least one in each.

    Returns:
        A PNG file.
    """
    width, height = _SIDE + _GAP, _SIDE + 2 * _TEXT + _GAP
    picture = Image.new("P", (max(map(len, rows)) * width + _GAP, len(rows) * height + _GAP), _WHITE)
    picture.putpalette(_PALETTE)
    for row, panels in enumerate(rows):
        for column, (title, matrix) in enumerate(panels.items()):
            _draw_panel(picture, title, matrix, _GAP + column * width, _GAP + row * height)
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _draw_panel(picture: Image.Image, title: str, matrix: SimilarityMatrix, left: int, top: int) -> None:
    pen = ImageDraw.Draw(picture)
    pen.text((left, top), f"{title}: {len(matrix.lines)} lines", fill=_BLACK)
    axes = f"right: take, {matrix.take_seconds:.3g} s; down: recording, {matrix.recording_seconds:.3g} s"
    pen.text((left, top + _TEXT + _SIDE + 4), axes, fill=_BLACK)
    greys = np.round(_WHITE * (1 - matrix.cells.clip(0, 1) ** _CONTRAST)).astype(np.uint8)
    picture.paste(Image.fromarray(greys).resize((_SIDE, _SIDE), Image.Resampling.NEAREST), (left, top + _TEXT))
    right, down = _SIDE / matrix.take_seconds, _SIDE / matrix.recording_seconds
    for line in matrix.lines:
        moments = ((0, line.start), (line.stop - line.start, line.stop))
        pen.line(
            [(left + right * moment, top + _TEXT + down * (line.source + gone)) for gone, moment in moments],
            fill=_MARK,
            width=2,
        )
