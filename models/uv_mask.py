"""Where the face mesh lies on its texture plane, and how its edges fade."""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.topology import HOLES, LIPS_INNER, OVAL, UV

__all__ = ["face_alpha", "ring_mask"]

_RIM = 0.045
_LID = 0.004
"""Widths of the fading at the outline and round the holes, in sides of the plane."""
_SHIFT = 4
"""Bits of sub-pixel precision of OpenCV's polygons."""


def ring_mask(ring: Sequence[int] | NDArray[np.int32], side: int) -> NDArray[np.uint8]:
    """(side, side) uint8: 255 inside the ring of points on the plane."""
    mask = np.zeros((side, side), np.uint8)
    polygon = np.round((UV[np.asarray(ring)] * side - 0.5) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(mask, [polygon], 255, lineType=cv2.LINE_8, shift=_SHIFT)
    return mask


@cache
def face_alpha(side: int, keep_eyes: bool, keep_mouth: bool) -> NDArray[np.uint8]:
    """(side, side) uint8, not writeable: 255 on the face, fading to 0 at the outline.

    It also fades towards the eyes and the mouth's opening when those are kept as they are in the target.
    """
    outline = ring_mask(OVAL, side)
    alpha = _fade(outline, side * _RIM)
    for ring in HOLES:
        if keep_mouth if ring is LIPS_INNER else keep_eyes:
            alpha = np.minimum(alpha, _fade(255 - ring_mask(ring, side), side * _LID))
    alpha.setflags(write=False)
    return alpha


def _fade(mask: NDArray[np.uint8], reach: float) -> NDArray[np.uint8]:
    """255 deeper than `reach` texels inside the mask, down to 0 at its edge, smoothly."""
    depth = cv2.distanceTransform(cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 5)
    t = np.clip(depth[1:-1, 1:-1] / reach, 0, 1)
    return np.asarray(np.round(255 * t * t * (3 - 2 * t)), np.uint8)
