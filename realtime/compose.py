"""Pastes a patch into the picture: uint8 only, on the patch's rectangle only.

Measured on 440 x 528 pixels, median of 200, two cores of a shared machine: two uint8 products and their sum
0.21 ms, `cv2.blendLinear` with its float weights 0.38 ms, a 16-bit difference 0.82 ms, the same in numpy
0.67 ms. The products are rounded one by one: a pixel is off by one level at most, by 0.07 on average.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.patch import Patch

__all__ = ["paste"]


def paste(picture: NDArray[np.uint8], patch: Patch) -> None:
    """Blend `patch` over `picture`, (H, W, 3) uint8, in place. An empty patch changes nothing."""
    height, width = patch.alpha.shape
    if height == 0 or width == 0:
        return
    region = picture[patch.y : patch.y + height, patch.x : patch.x + width]
    weight = cv2.merge([patch.alpha] * 3)
    front = cv2.multiply(patch.bgr, weight, scale=1 / 255)
    back = cv2.multiply(region, cv2.bitwise_not(weight), scale=1 / 255)
    cv2.add(front, back, dst=region)
