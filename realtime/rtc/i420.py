"""Pictures made into frames for the encoders: BGR to I420, in a thread of its own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.frame import Picture

__all__ = ["I420Converter"]


class I420Converter:
    """Converts each picture once, however many viewers ask for it.

    It has one thread and one buffer. aiortc encodes in asyncio's default executor, which is why that
    one is left alone.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rtc-i420")
        self._source: Picture | None = None
        self._i420: NDArray[np.uint8] = np.empty((0, 0), np.uint8)
        self.converted = 0
        """Pictures converted so far."""

    async def frame(self, picture: Picture) -> av.VideoFrame:
        """A new yuv420p frame of the picture, the asker's own, without a timestamp.

        An odd last row or column is left out: I420 halves both sides. Raises ValueError for a picture
        that cannot be converted, RuntimeError after `close`.
        """
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._frame, picture)

    def _frame(self, picture: Picture) -> av.VideoFrame:
        if self._source is not picture:
            self._source = None
            height, width = (side & ~1 for side in picture.bgr.shape[:2])
            if self._i420.shape != (height * 3 // 2, width):
                self._i420 = np.empty((height * 3 // 2, width), np.uint8)
            try:
                cv2.cvtColor(picture.bgr[:height, :width], cv2.COLOR_BGR2YUV_I420, dst=self._i420)
            except cv2.error as error:
                raise ValueError(f"no I420 from a picture of shape {picture.bgr.shape}") from error
            self._source = picture
            self.converted += 1
        # The encoders change a frame's fields, so each viewer gets one of its own.
        return av.VideoFrame.from_ndarray(self._i420, format="yuv420p")

    def close(self) -> None:
        """End the thread, after what it has left to convert: a few ms. Idempotent."""
        self._executor.shutdown(wait=True)
        self._source = None
