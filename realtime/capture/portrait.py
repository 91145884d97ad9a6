"""The built-in portrait: a drawn person."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_portrait"]


def draw_portrait(size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 BGR for `size` = (width, height)."""
    width, height = size
    portrait = np.full((height, width, 3), 170, np.uint8)
    axes = (round(height * 0.2), round(height * 0.27))
    cv2.ellipse(portrait, (width // 2, round(height * 0.45)), axes, 0, 0, 360, (140, 160, 200), -1, cv2.LINE_AA)
    return portrait
