"""Whether masks leave enough of a new face for the wearer's not to be seen."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import SwapError

__all__ = ["LEAST_SHARE", "require_shown"]

LEAST_SHARE = 0.1
"""Of the new face, at the landmarks. Mouth or eyes alone, which a user may ask for, are 0.15 and more; a
network that takes everything for hair or a hand leaves nothing, and the wearer's face would be seen bare."""


def require_shown(alpha: NDArray[np.uint8], points: NDArray[np.float32]) -> None:
    """Raise SwapError when `alpha`, (S, S), 255 where the new face counts, takes next to nothing of it.

    `points`: (468, 2) landmarks, pixels of the square; what lies outside of it counts as not taken. Landmarks
    that are no numbers say nothing.
    """
    if not np.isfinite(points).all():
        return
    x, y = (np.ascontiguousarray(points[:, axis : axis + 1], np.float32) for axis in (0, 1))
    there = cv2.remap(alpha, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    share = float(np.mean(there)) / 255
    if share < LEAST_SHARE:
        raise SwapError(
            f"the masks take {share:.0%} of the new face: the wearer's own would be seen",
            "if it goes on, leave masks out (--mask box --mask hull), or check them: realtime models verify",
        )
