"""The box mask: the crop without its rim, so that no line shows where the crop ends."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import SettingError

__all__ = ["box_mask"]


def box_mask(size: int, blur: float, padding: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """(size, size): 255 in the middle of a crop, 0 at its rim.

    `blur`: 0 to 1, how much of the crop the edge takes; `padding`: top, right, bottom, left, in percent of
    the crop, at least that much is 0 to its half. The peers' formula (half width s*blur/2, its middle half of
    that from the rim, Gaussian of a quarter), but for the last step: theirs ends at 4 % where the crop does,
    which is a line on a plain wall, and is stretched to end at 0. Raises SettingError.
    """
    if not 0 <= blur <= 1:
        raise SettingError(f"the blur of the box mask is {blur:g}", "choose 0 to 1")
    for value in padding:
        if not 0 <= value <= 100:
            raise SettingError(f"a padding of the box mask is {value:g} %", "choose 0 to 100")
    amount = int(size * 0.5 * blur)
    area = max(amount // 2, 1)
    top, right, bottom, left = (max(area, int(size * value / 100)) for value in padding)
    # A box and its blur are products of what they are down and across.
    down, across = np.zeros((size, 1), np.float32), np.zeros((1, size), np.float32)
    down[top : max(top, size - bottom)] = 1
    across[:, left : max(left, size - right)] = 1
    if amount > 0:
        down, across = (
            np.asarray(cv2.GaussianBlur(line, (0, 0), amount * 0.25), np.float32) for line in (down, across)
        )
    mask = down @ across
    rim = max(float(edge.max()) for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
    if 0 < rim < 1:
        mask = np.maximum(mask - rim, 0) / (1 - rim)
    return np.asarray(np.rint(mask * 255), np.uint8)
