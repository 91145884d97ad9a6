"""Covers a face that cannot be replaced: a few flat cells over its box and some way round it."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["cover"]

_MARGIN = 0.35
"""Part of the box's side added on each side: the detector's box leaves out forehead, ears and chin,
and the face moves between two looks of the detector."""
_CELLS = 4


def cover(picture: NDArray[np.uint8], box: tuple[float, float, float, float]) -> None:
    """Paint mean colours over `box` (x0, y0, x1, y1, pixels of the picture) in place.

    `picture`: (H, W, 3) uint8. A box outside the picture changes nothing.
    """
    height, width = picture.shape[:2]
    grow_x, grow_y = (box[2] - box[0]) * _MARGIN, (box[3] - box[1]) * _MARGIN
    x0, y0 = max(0, int(box[0] - grow_x)), max(0, int(box[1] - grow_y))
    x1, y1 = min(width, int(np.ceil(box[2] + grow_x))), min(height, int(np.ceil(box[3] + grow_y)))
    if x1 <= x0 or y1 <= y0:
        return
    region = picture[y0:y1, x0:x1]
    cells = cv2.resize(region, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    cv2.resize(cells, (x1 - x0, y1 - y0), dst=region, interpolation=cv2.INTER_NEAREST)
