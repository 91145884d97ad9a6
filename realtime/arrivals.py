"""Whether the picture has changed where no known face is: somebody may have come, and the detector must look.

The detector's beat alone leaves who comes in bare until the next look. What moves about a person who is
followed, hair, hands and body, is no reason; nor is a change of light, which moves all cells alike.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.boxes import Box, side_of
from realtime.clock import NS_PER_MS, NS_PER_S

__all__ = ["Arrivals", "thumbnail"]

CELLS = (32, 18)
"""Across and down."""
STEP = 8
CHANGED = 12.0
"""Levels by which a cell differs from the last look's. Chosen, not measured: well above a camera's noise."""
FEWEST_CELLS = 4
"""So many make a person. Chosen, not measured."""
AGAIN_NS = 100 * NS_PER_MS
"""Between two looks: who is coming in is seen the detector's way only once more than half of the face is."""
SAVED_NS = NS_PER_S
"""In so much time one look is earned. With the slowest beat that is 2.75 a second: below 1 frame in 8 for
whatever moves in the background for however long, at 24 frames a second."""
MOST_SAVED = 10
"""Looks in store: enough for a second of somebody coming in."""
FIRST_SAVED = 3
BESIDE, OVER = 0.5, 0.8
"""Of a followed face's side: beside and above it, and all below, is its own person's."""


def thumbnail(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(18, 32) uint8: means of the green channel of every 8th pixel of every 8th row, as luma."""
    sample = np.ascontiguousarray(bgr[::STEP, ::STEP, 1])
    return np.asarray(cv2.resize(sample, CELLS, interpolation=cv2.INTER_AREA), np.uint8)


class Arrivals:
    """Pure: told the time, what is in the picture and when the detector looks."""

    def __init__(self) -> None:
        self._looked: NDArray[np.uint8] | None = None
        self._looked_ns = 0
        self._saved = float(FIRST_SAVED)
        self._saved_ns: int | None = None

    def looked(self, picture: NDArray[np.uint8], now_ns: int) -> None:
        """The detector has seen this frame. `picture`: from `thumbnail`."""
        self._looked, self._looked_ns = picture, now_ns

    def somebody(
        self, picture: NDArray[np.uint8], size: tuple[int, int], faces: Sequence[Box], now_ns: int
    ) -> bool:
        """Whether the detector is to look, now; that costs one of the looks in store.

        `picture`: from `thumbnail` of a frame of `size`, width and height; `faces`: those that are followed.
        """
        if self._saved_ns is not None:
            earned = (now_ns - self._saved_ns) / SAVED_NS
            self._saved = min(self._saved + earned, MOST_SAVED)
        self._saved_ns = now_ns
        if self._looked is None or now_ns - self._looked_ns < AGAIN_NS or self._saved < 1:
            return False
        moved = picture.astype(np.float32) - self._looked
        changed = np.abs(moved - np.median(moved)) > CHANGED
        for face in faces:
            changed[_person(face, size)] = False
        if np.count_nonzero(changed) < FEWEST_CELLS:
            return False
        self._saved -= 1
        return True


def _person(face: Box, size: tuple[int, int]) -> tuple[slice, slice]:
    """The cells that the person of this face fills."""
    side = side_of(face)
    across, down = CELLS[0] / size[0], CELLS[1] / size[1]
    left, right = (face[0] - BESIDE * side) * across, (face[2] + BESIDE * side) * across
    top = (face[1] - OVER * side) * down
    return np.s_[max(0, int(top)) :, max(0, int(left)) : max(0, int(np.ceil(right)))]
