"""The mouth kept: between the lips the wearer's own teeth and tongue show.

A network paints a mouth of its own; whoever speaks much may prefer theirs. It is the user's own choice: what
lies between the lips is let out, the lips are not.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.masks.edges import CENTRED, Mask, soften
from models.scratch import Scratch
from models.topology import LIPS_INNER

__all__ = ["draw_mouth", "openness"]

_UPPER, _LOWER = 13, 14
"""The middles of the inner edges of the lips."""
SHUT, OPEN = 0.03, 0.09
"""Gaps between the lips, in eye distances, from which on the mouth begins to be kept and is kept wholly: the
mesh's lips never quite meet."""
_SHIFT = 4


def openness(points: NDArray[np.floating[Any]], unit: float) -> float:
    """0 for a shut mouth, 1 for one that is kept; `points`: (468, 2); `unit`: the eye distance, like them."""
    gap = float(np.hypot(*(points[_UPPER, :2] - points[_LOWER, :2]).astype(np.float64))) / unit
    return min(1.0, max(0.0, (gap - SHUT) / (OPEN - SHUT)))


def draw_mouth(
    points: NDArray[np.float32], unit: float, reach_px: float, out: Mask, scratch: Scratch
) -> bool:
    """Write 0 between the lips and 255 elsewhere into `out`; whether there is anything to keep.

    `points`: (468, 2), pixels of `out`; `reach_px`: the width of the edge. Where there is nothing to keep,
    `out` is untouched.
    """
    opened = openness(points, unit)
    if opened <= 0:
        return False
    out.fill(0)
    lips = np.rint(points[LIPS_INNER] * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(out, [lips], 255, lineType=cv2.LINE_8, shift=_SHIFT)
    soften(out, reach_px, CENTRED, scratch)
    cv2.convertScaleAbs(out, dst=out, alpha=opened)
    cv2.bitwise_not(out, dst=out)
    return True
