"""A face of shaded ellipses that the detectors and the landmarker take for one."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["FIVE_POINTS", "drawn_face"]

FIVE_POINTS = np.array([[205, 240], [307, 240], [256, 308], [213, 358], [299, 358]]) / 512
"""Eyes, nose, mouth corners as drawn, in fractions of the picture's side."""

_GREY, _HAIR, _NECK, _SKIN = (120, 110, 100), (40, 50, 70), (120, 150, 195), (140, 175, 225)


def drawn_face(size: int = 512) -> NDArray[np.uint8]:
    """(size, size, 3): one face that fills about half of the picture's width."""
    bgr = np.full((512, 512, 3), _GREY, np.uint8)

    def ellipse(centre, axes, colour, *, thickness=-1, start=0, end=360):
        cv2.ellipse(bgr, centre, axes, 0, start, end, colour, thickness, cv2.LINE_AA)

    ellipse((256, 240), (150, 190), _HAIR)
    ellipse((256, 420), (60, 90), _NECK)
    ellipse((256, 265), (115, 155), _SKIN)
    for x in (205, 307):
        ellipse((x, 240), (28, 14), (245, 245, 245))
        ellipse((x, 240), (12, 13), (60, 60, 70))
        ellipse((x, 240), (5, 5), (10, 10, 10))
        ellipse((x, 238), (30, 16), (60, 70, 90), thickness=3, start=190, end=350)
        ellipse((x, 212), (34, 9), (45, 55, 75), thickness=6, start=200, end=340)
    ellipse((256, 275), (12, 40), (150, 185, 235))
    ellipse((256, 308), (22, 12), (120, 150, 205))
    for x in (246, 266):
        ellipse((x, 314), (5, 3), (60, 70, 110))
    ellipse((256, 358), (45, 12), (90, 90, 190))
    ellipse((256, 356), (42, 2), (50, 50, 110))
    soft = cv2.GaussianBlur(bgr, (0, 0), 1.5)
    return cv2.resize(soft, (size, size), interpolation=cv2.INTER_AREA if size < 512 else cv2.INTER_CUBIC)
