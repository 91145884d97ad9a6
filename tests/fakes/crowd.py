"""Frames with several drawn faces, each where the test wants it; the last one is in front."""

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.fakes.drawn_face import drawn_face

__all__ = ["FACE_SHARE", "crowd", "tinted_face"]

FACE_SHARE = 0.5
"""Width of the face in the picture of it."""
_GROUND = (120, 110, 100)


def tinted_face(warmth: int = 0) -> NDArray[np.uint8]:
    """The drawn face, paler or darker: another person."""
    return np.clip(drawn_face().astype(np.int16) + warmth, 0, 255).astype(np.uint8)


def crowd(
    size: tuple[int, int], *people: tuple[NDArray[np.uint8], tuple[float, float], float]
) -> NDArray[np.uint8]:
    """(H, W, 3): each of `people` is a picture, its middle in the frame, and its side in pixels there.

    Only the head is pasted, with a soft edge, so that one hides another as heads do.
    """
    frame = np.full((size[1], size[0], 3), _GROUND, np.uint8)
    for picture, (x, y), side in people:
        scale = side / picture.shape[0]
        place = np.array([[scale, 0, x - side / 2], [0, scale, y - side / 2]])
        head = np.zeros(picture.shape[:2], np.uint8)
        middle = (picture.shape[1] // 2, round(picture.shape[0] * 0.5))
        axes = (round(picture.shape[1] * 0.30), round(picture.shape[0] * 0.42))
        cv2.ellipse(head, middle, axes, 0, 0, 360, 255, -1)
        flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        soft = cv2.warpAffine(cv2.GaussianBlur(head, (0, 0), 4), place, size)
        alpha = soft.astype(np.float32)[..., None] / 255
        moved = cv2.warpAffine(picture, place, size, flags=flags).astype(np.float32)
        frame = np.rint(frame + (moved - frame) * alpha).astype(np.uint8)
    return frame
