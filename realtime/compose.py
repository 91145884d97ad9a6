"""Pastes a patch into the picture: uint8 only, on the patch's rectangle only."""

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
