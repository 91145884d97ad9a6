"""Pictures as the publisher makes them: contiguous, read only."""

import numpy as np

from realtime.frame import Picture, PictureKind

__all__ = ["picture"]


def picture(
    number: int = 0,
    *,
    size: tuple[int, int] = (64, 48),
    captured_ns: int = 0,
    kind: PictureKind = PictureKind.SWAPPED,
    colour: tuple[int, int, int] = (40, 120, 200),
) -> Picture:
    """A picture of one colour (BGR); `size` is (width, height)."""
    width, height = size
    bgr = np.empty((height, width, 3), np.uint8)
    bgr[:] = colour
    bgr.flags.writeable = False
    return Picture(number, captured_ns, bgr, kind)
