"""What a chain makes of a frame on the CPU, with a network that negates."""

import cv2
import numpy as np

from models.neural.align import crop
from models.paste_back import PasteBack, aligned_face
from tests.models.cuda.kernels.parity import smooth

HEIGHT, WIDTH = 108, 144
SIZE = 48


def frame_of(seed):
    return smooth(seed, HEIGHT, WIDTH, 3)


def soft_alpha(size=SIZE):
    alpha = np.zeros((size, size), np.uint8)
    cv2.circle(alpha, (size // 2, size // 2), size // 3, 255, -1)
    return cv2.GaussianBlur(alpha, (0, 0), size / 20)


def by_the_cpu(bgr, where, *, maps=None, shown=None, level=240):
    """`bgr` with the negative of what `shown` (or itself) has at `where` laid over it."""
    square = 255 - crop(bgr if shown is None else shown, where)
    if maps is not None:
        square = cv2.transform(square, maps)
    out = bgr.copy()
    PasteBack().paste(out, aligned_face(square, np.minimum(soft_alpha(where.size), level)), where)
    return out
