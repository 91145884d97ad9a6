"""Covers a face that cannot be replaced: a few flat cells over its box and some way round it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.topology import OVAL

__all__ = ["MARGIN", "cover", "uncover"]

MARGIN = 0.35
"""Part of the box's side added on each side: the detector's box leaves out forehead, ears and chin,
and the face moves between two looks of the detector."""
_CELLS = 4
_INNER = 0.75
"""Part of a face's outline, from its middle, in which eyes and mouth lie and every replacement is whole."""


def cover(
    picture: NDArray[np.uint8],
    box: tuple[float, float, float, float],
    strength: float = 1.0,
    margin: float = MARGIN,
) -> None:
    """Paint mean colours over `box` (x0, y0, x1, y1, pixels of the picture) in place.

    `picture`: (H, W, 3) uint8. `strength`: 1 hides what is there, less lets it show through; 0 changes
    nothing, nor does a box outside the picture. `margin`: part of the box's side added on each side.
    """
    height, width = picture.shape[:2]
    grow_x, grow_y = (box[2] - box[0]) * margin, (box[3] - box[1]) * margin
    x0, y0 = max(0, int(box[0] - grow_x)), max(0, int(box[1] - grow_y))
    x1, y1 = min(width, int(np.ceil(box[2] + grow_x))), min(height, int(np.ceil(box[3] + grow_y)))
    if x1 <= x0 or y1 <= y0 or strength <= 0:
        return
    region = picture[y0:y1, x0:x1]
    cells = cv2.resize(region, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    size = (x1 - x0, y1 - y0)
    if strength >= 1:
        cv2.resize(cells, size, dst=region, interpolation=cv2.INTER_NEAREST)
        return
    painted = cv2.resize(cells, size, interpolation=cv2.INTER_NEAREST)
    cv2.addWeighted(painted, strength, region, 1 - strength, 0, dst=region)


def uncover(picture: NDArray[np.uint8], bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> None:
    """Put the frame `bgr` back in the middle of a face that is about to be replaced, in place.

    A cover over a face behind it must not show through the eyes and the mouth that a replacement leaves.
    The rim stays covered: replacements do not reach the outline everywhere, and the other face begins there.
    `picture`, `bgr`: (H, W, 3) uint8; `points`: (468, 3), pixels of both.
    """
    height, width = picture.shape[:2]
    rim = points[OVAL, :2]
    middle = rim.mean(axis=0)
    outline = np.rint(middle + _INNER * (rim - middle)).astype(np.int32)
    low = np.clip(outline.min(axis=0), 0, (width, height))
    high = np.clip(outline.max(axis=0) + 1, 0, (width, height))
    if (high <= low).any():
        return
    inside = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillPoly(inside, [outline - low.astype(np.int32)], 255)
    there = np.s_[low[1] : high[1], low[0] : high[0]]
    cv2.copyTo(bgr[there], inside, picture[there])
