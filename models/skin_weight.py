"""Where an aligned face shows plain skin, by its landmarks: what a tone is measured on."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.geometry import apply
from models.neural.align import Alignment
from models.topology import BROWS, LEFT_EYE, LIPS_OUTER, OVAL, RIGHT_EYE

__all__ = ["skin_weight"]

_SHIFT = 4
"""Bits of sub-pixel precision of OpenCV's polygons."""
_FEATURES = (*BROWS, LEFT_EYE, RIGHT_EYE, LIPS_OUTER)
_NOSTRILS = np.array([98, 97, 2, 326, 327, 290, 60], np.int32)
_AWAY = 0.018
"""How far skin stays from what is none, in sides of the square of `ffhq_512`; elsewhere as the face is."""
_FAR = 8.0
"""What lies farther outside than so many sides of the square is drawn there."""


def skin_weight(points: NDArray[np.floating[Any]], where: Alignment, size: int) -> NDArray[np.uint8]:
    """(size, size): 255 on skin, 0 on eyes, brows, mouth, nostrils, and outside the face.

    `points`: (468, 2) or (468, 3), pixels of the frame; `where`: the square, of any size.
    """
    weight = np.zeros((size, size), np.uint8)
    at = apply(where.resized(size).matrix, points[:, :2]).clip(-_FAR * size, _FAR * size)
    fixed = np.rint(at * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(weight, [fixed[OVAL]], 255, lineType=cv2.LINE_8, shift=_SHIFT)
    rings = [fixed[ring] for ring in (*_FEATURES, _NOSTRILS)]
    cv2.fillPoly(weight, rings, 0, lineType=cv2.LINE_8, shift=_SHIFT)
    # Polygons are drawn in whole pixels: their outlines, drawn wide, keep the distance.
    thickness = max(1, round(2 * _AWAY * size))
    cv2.polylines(weight, [fixed[OVAL], *rings], True, 0, thickness, cv2.LINE_8, _SHIFT)
    return weight
