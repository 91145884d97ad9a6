"""A picture reduced to a few patches of colour, in which nobody can be made out."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["veil"]

_VEIL_CELLS = 8
"""Cells across the longer side of the whole picture. Half of familiar faces are still recognised at
7 x 10 pixels (Sinha et al. 2006, "Face Recognition by Humans", result 1); a face in it has fewer."""


def veil(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A new picture of the same size that keeps only the colours of a few dozen cells of `bgr`.

    (H, W, 3) uint8 in and out. The cells are means (INTER_AREA), so no single pixel gets through.
    """
    height, width = bgr.shape[:2]
    scale = _VEIL_CELLS / max(height, width)
    cells = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(bgr, cells, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)
