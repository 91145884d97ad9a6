"""The blank that a persona is painted on, and how paint becomes a texture."""

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.paint import Canvas, Colour
from realtime.personas.relief import SIZE

__all__ = ["SUPERSAMPLING", "blank", "finished", "textured"]

SUPERSAMPLING = 2


def blank(colour: Colour) -> Canvas:
    """A canvas over the texture plane, in units of the plane, twice as fine as the texture."""
    bgr = np.empty((SIZE * SUPERSAMPLING, SIZE * SUPERSAMPLING, 3), np.uint8)
    bgr[:] = colour
    return Canvas(bgr, SIZE * SUPERSAMPLING)


def textured(canvas: Canvas) -> NDArray[np.float32]:
    """What was painted, at the size of the texture: (SIZE, SIZE, 3) float32 BGR, 0 to 255."""
    return cv2.resize(canvas.bgr, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.float32)


def finished(texture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The texture as whole numbers: (SIZE, SIZE, 3) uint8 BGR."""
    return np.asarray(np.clip(texture + np.float32(0.5), 0, 255), np.uint8)
