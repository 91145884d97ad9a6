"""What a swapper gives: the pixels of one replaced face, and how much of each counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Patch"]


@dataclass(frozen=True, slots=True)
class Patch:
    """A rectangle of the frame. Its arrays are the swapper's own and overwritten by its next call."""

    x: int
    """Column of the frame at which it begins."""
    y: int
    """Row of the frame at which it begins."""
    bgr: NDArray[np.uint8]
    """(h, w, 3), inside the frame; h or w is 0 when the face is outside."""
    alpha: NDArray[np.uint8]
    """(h, w): 0 keeps the frame, 255 takes the patch."""
