"""A decoded frame of PyAV as upright BGR in a buffer of ours."""

from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from realtime.capture.base import Pixels

__all__ = ["BgrConverter", "upright_size"]

QUARTER_TURNS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    -90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    -180: cv2.ROTATE_180,
}
"""By the display matrix's angle in degrees, counterclockwise. Other angles are left as they are."""


def upright_size(frame: av.VideoFrame) -> tuple[int, int]:
    """(width, height) of the frame when its display matrix is honoured."""
    if abs(int(frame.rotation)) == 90:
        return frame.height, frame.width
    return frame.width, frame.height


class BgrConverter:
    """Converts frames of any pixel format with libswscale, which knows their colour matrix and range.

    One reformatter is kept: PyAV up to 18 keeps some 15 MB for each that is made.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def convert(self, frame: av.VideoFrame, pixels: Pixels) -> NDArray[np.uint8]:
        """The frame as (H, W, 3) uint8 in an array from `pixels`."""
        bgr = self._reformatter.reformat(frame, format="bgr24", threads=1)
        plane: Any = bgr.planes[0]
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        view = rows[: bgr.height, : bgr.width * 3].reshape(bgr.height, bgr.width, 3)
        width, height = upright_size(frame)
        buffer = pixels((height, width, 3))
        turn = QUARTER_TURNS.get(int(frame.rotation))
        if turn is None:
            np.copyto(buffer, view)
        else:
            cv2.rotate(view, turn, dst=buffer)
        return buffer
