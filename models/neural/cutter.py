"""Cuts the squares that networks take of one face out of the frame, several at once.

As `align.crop` does it, but with four channels: `cv2.warpAffine` takes half as long for them as for three.
Squares of 256 and 512 pixels of a face of 440 pixels, in processor time on one core of a shared machine:
2.2 ms in place of 5.1, the way to four channels and back included.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.geometry import apply, compose, invert
from models.neural.align import Alignment
from models.scratch import Scratch

__all__ = ["Cutter"]

_ROOM = 2
"""Pixels taken round what the squares cover: interpolation looks one further."""


class Cutter:
    """Belongs to one thread."""

    def __init__(self) -> None:
        self._scratch = Scratch()

    def cut(self, bgr: NDArray[np.uint8], squares: Sequence[Alignment]) -> list[NDArray[np.uint8]]:
        """Of each square a fresh (S, S, 3) uint8 of the frame. Beyond the frame's edge, the edge goes on.

        `bgr`: (H, W, 3) uint8. Raises ValueError when an alignment is not finite, numpy.linalg.LinAlgError
        when one cannot be inverted.
        """
        if not squares:
            return []
        x, y, right, bottom = _covered(bgr, squares)
        part = self._scratch.u8("part", bottom - y, right - x, 4)
        cv2.cvtColor(bgr[y:bottom, x:right], cv2.COLOR_BGR2BGRA, dst=part)
        to_frame = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
        return [self._one(part, compose(each.matrix, to_frame), each.size) for each in squares]

    def _one(self, part: NDArray[np.uint8], matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
        wide = self._scratch.u8("wide", size, size, 4)
        cv2.warpAffine(
            part, matrix, (size, size), dst=wide, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(cv2.cvtColor(wide, cv2.COLOR_BGRA2BGR), np.uint8)


def _covered(bgr: NDArray[np.uint8], squares: Sequence[Alignment]) -> tuple[int, int, int, int]:
    """x, y, right and bottom, exclusive, of what the squares see of the frame: a pixel at least."""
    corners = np.concatenate(
        [
            apply(invert(each.matrix), [(0, 0), (each.size, 0), (each.size, each.size), (0, each.size)])
            for each in squares
        ]
    )
    if not np.isfinite(corners).all():
        raise ValueError("an alignment is not finite")
    limit = np.array([bgr.shape[1], bgr.shape[0]])
    low = (np.floor(corners.min(axis=0)) - _ROOM).clip(0, limit - 1)
    high = (np.ceil(corners.max(axis=0)) + _ROOM).clip(1, limit)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
