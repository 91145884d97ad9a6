"""A picture of any size in a frame of one size: whole, centred, the rest black."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Letterbox", "Placement", "place"]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies in the frame, in pixels of the frame."""

    x: int
    y: int
    width: int
    height: int


def place(width: int, height: int, frame_width: int, frame_height: int) -> Placement:
    """The largest rectangle of the picture's proportions in the middle of the frame, at least one pixel."""
    scale = min(frame_width / width, frame_height / height)
    placed_width = min(frame_width, max(1, round(width * scale)))
    placed_height = min(frame_height, max(1, round(height * scale)))
    return Placement(
        (frame_width - placed_width) // 2, (frame_height - placed_height) // 2, placed_width, placed_height
    )


class Letterbox:
    """Fits pictures into frames of one size, in one canvas of its own."""

    def __init__(self, width: int, height: int) -> None:
        self._width = width
        self._height = height
        self._canvas: NDArray[np.uint8] = np.empty((0, 0, 3), np.uint8)
        self._placement: Placement | None = None

    def fit(self, bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """`bgr` (h, w, 3) as (height, width, 3).

        The same pixels when it fits already, or is one row or column too large: those are left out. Otherwise
        the canvas, which the next call draws over.
        """
        height, width = bgr.shape[:2]
        if 0 <= height - self._height <= 1 and 0 <= width - self._width <= 1:
            return bgr[: self._height, : self._width]
        placement = place(width, height, self._width, self._height)
        if placement != self._placement:
            self._placement = placement
            self._canvas = np.zeros((self._height, self._width, 3), np.uint8)
        inside = self._canvas[
            placement.y : placement.y + placement.height, placement.x : placement.x + placement.width
        ]
        shrinks = placement.width < width or placement.height < height
        cv2.resize(
            bgr,
            (placement.width, placement.height),
            dst=inside,
            interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
        )
        return self._canvas
